"""How far a scaled picture ends from Pillow's LANCZOS, and what scaling takes.

Photos are divided by each factor as they are, so with all their detail. "Ours" is what
the pipeline does; the others are Pillow's filters.

    python -m phx_pipeline_tests.bench.scaling --count 20
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from phx_pipeline.imaging.decode import decode
from phx_pipeline.imaging.resize import scaled_down
from phx_pipeline_tests.bench.pictures import PHOTOS

FACTORS = (1.3, 1.5, 1.6, 2.0, 3.0)
Pixels = NDArray[np.uint8]
Way = Callable[[Image.Image, tuple[int, int]], Pixels]


def _by(filter_: Image.Resampling) -> Way:
    return lambda image, size: np.asarray(image.resize(size, filter_))


WAYS: Mapping[str, Way] = MappingProxyType(
    {
        "ours": scaled_down,
        "HAMMING": _by(Image.Resampling.HAMMING),
        "BILINEAR": _by(Image.Resampling.BILINEAR),
        "BICUBIC": _by(Image.Resampling.BICUBIC),
    }
)


def main() -> None:
    """Print a row for each way, a column of mean PSNR for each factor."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--photos", type=Path, default=PHOTOS)
    parser.add_argument("--count", type=int, default=20)
    wish = parser.parse_args()
    files = sorted(wish.photos.glob("*.jpg"))
    step = max(1, len(files) // wish.count)
    images = [decode(it.read_bytes()).image for it in files[::step][: wish.count]]
    heads = (f"{factor:g} times: dB, ms" for factor in FACTORS)
    lines = [f"| {len(images)} photos | {' | '.join(heads)} |"]
    lines += [
        f"| {name} | {' | '.join(_row(way, images))} |" for name, way in WAYS.items()
    ]
    sys.stdout.write("\n".join(lines) + "\n")


def _row(way: Way, images: Sequence[Image.Image]) -> list[str]:
    return [_cell(way, images, factor) for factor in FACTORS]


def _cell(way: Way, images: Sequence[Image.Image], factor: float) -> str:
    found, spent_s = [], 0.0
    for image in images:
        size = (round(image.width / factor), round(image.height / factor))
        start_s = time.process_time()
        ours = way(image, size)
        spent_s += time.process_time() - start_s
        found.append(_psnr(ours, image.resize(size, Image.Resampling.LANCZOS)))
    return f"{statistics.mean(found):.1f}, {spent_s / len(images) * 1000:.1f}"


def _psnr(ours: Pixels, wanted: Image.Image) -> float:
    """Return the ratio of the greatest error there may be to the mean one, in dB."""
    error = ours.astype(np.float64) - np.asarray(wanted)
    return float(10 * np.log10(255**2 / np.mean(error**2)))


if __name__ == "__main__":
    main()
