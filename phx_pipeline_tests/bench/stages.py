"""CPU time of each step on one photo, beside other ways to do it.

    .venv/bin/python -m phx_pipeline_tests.bench.stages [--json]

Each figure is the mean over the photos in the best of several rounds.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any, TypeVar

import imagehash
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from phx_pipeline.dedup.hashes import picture_hashes
from phx_pipeline.imaging.decode import decode
from phx_pipeline.imaging.png import encode_png
from phx_pipeline.imaging.standardize import standard_frame
from phx_pipeline_tests.bench.pictures import PHOTOS, different_jpegs

T = TypeVar("T")

_ROUNDS = 7
_STANDARD = (1024, 768)
_RESAMPLINGS = ("LANCZOS", "BICUBIC", "HAMMING", "BOX")
_WHOLE: dict[str, dict[str, Any]] = {
    "JPEG 85": {"format": "JPEG", "quality": 85},
    "JPEG 95": {"format": "JPEG", "quality": 95},
    "WebP 85": {"format": "WEBP", "quality": 85},
    "WebP lossless": {"format": "WEBP", "lossless": True, "method": 0},
}
_PILLOW_PNGS = (("level 6", 6, 0), ("level 1", 1, 0), ("level 1 RLE", 1, 3))


def main() -> None:
    """Measure all steps and tell them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=Path, default=PHOTOS)
    parser.add_argument("--count", type=int, default=12)
    parser.add_argument("--json", action="store_true")
    wish = parser.parse_args()
    jpegs = different_jpegs(wish.photos, count=wish.count)
    found = {
        **_reading(jpegs),
        **_resizing(jpegs),
        **_packing(jpegs),
        **_packing_whole(jpegs),
    }
    lines = [f"{name:32} {figure:8.1f}" for name, figure in found.items()]
    sys.stdout.write(json.dumps(found) if wish.json else "\n".join(lines))
    sys.stdout.write("\n")


def _cpu_ms(work: Callable[[T], object], items: Sequence[T]) -> float:
    spent = []
    for _ in range(_ROUNDS):
        start = time.process_time()
        for item in items:
            work(item)
        spent.append((time.process_time() - start) / len(items) * 1000)
    return round(min(spent), 2)


def _reading(jpegs: Sequence[bytes]) -> dict[str, float]:
    pictures = [decode(jpeg) for jpeg in jpegs]
    images = [picture.image for picture in pictures]
    return {
        "decode, ms": _cpu_ms(decode, jpegs),
        "four hashes, ms": _cpu_ms(picture_hashes, images),
        "the same by imagehash, ms": _cpu_ms(_by_imagehash, images),
        "frame, ms": _cpu_ms(standard_frame, pictures),
    }


def _by_imagehash(image: Image.Image) -> None:
    for _full_and_trimmed in range(2):
        imagehash.phash(image)
        imagehash.dhash(image)


def _resizing(jpegs: Sequence[bytes]) -> dict[str, float]:
    images = [decode(jpeg).image for jpeg in jpegs]

    def resize(name: str) -> Callable[[Image.Image], Image.Image]:
        return lambda image: image.resize(_STANDARD, Image.Resampling[name])

    return {
        f"Pillow {name}, ms": _cpu_ms(resize(name), images) for name in _RESAMPLINGS
    }


def _packing(jpegs: Sequence[bytes]) -> dict[str, float]:
    frames = [standard_frame(decode(jpeg)) for jpeg in jpegs]
    found = {
        "PNG, ms": _cpu_ms(encode_png, frames),
        "PNG, KiB": _kib(encode_png, frames),
    }
    for name, level, kind in _PILLOW_PNGS:
        pack = _pillow_png(level, kind)
        found[f"Pillow PNG {name}, ms"] = _cpu_ms(pack, frames)
        found[f"Pillow PNG {name}, KiB"] = _kib(pack, frames)
    return found


def _packing_whole(jpegs: Sequence[bytes]) -> dict[str, float]:
    """Formats for pictures at their own size."""
    frames = [standard_frame(decode(jpeg), max_side=None) for jpeg in jpegs]
    packers = {"PNG": encode_png} | {
        name: _pillow(**options) for name, options in _WHOLE.items()
    }
    found = {"own size, as downloaded, KiB": _kib(lambda jpeg: jpeg, jpegs)}
    for name, pack in packers.items():
        found[f"own size, {name}, ms"] = _cpu_ms(pack, frames)
        found[f"own size, {name}, KiB"] = _kib(pack, frames)
    return found


def _pillow(**options: Any) -> Callable[[NDArray[np.uint8]], bytes]:
    def pack(frame: NDArray[np.uint8]) -> bytes:
        buffer = BytesIO()
        Image.fromarray(frame).save(buffer, **options)
        return buffer.getvalue()

    return pack


def _pillow_png(level: int, kind: int) -> Callable[[NDArray[np.uint8]], bytes]:
    return _pillow(format="PNG", compress_level=level, compress_type=kind)


def _kib(pack: Callable[[T], bytes], items: Sequence[T]) -> float:
    return round(sum(len(pack(item)) for item in items) / len(items) / 1024)


if __name__ == "__main__":
    main()
