"""A photo cut to another shape, turned a little, enlarged from less, or damaged."""

from collections.abc import Mapping
from io import BytesIO
from types import MappingProxyType
from typing import Final

import numpy as np
from PIL import Image

from phx_pipeline_tests.corpus.pictures import Random, Step, coin, decoded, jpeg

_NEARLY: Final = 0.97  # share of a photo that is nearly all of it
_END: Final = b"\xff\xd9"  # of a JPEG file
_MARKER: Final = 0xFF
_SCAN: Final = b"\xff\xda"  # starts its pixels


def shaped(wanted: float) -> Step:
    """Return a step that cuts the photo to width / height = *wanted*."""

    def cut(image: Image.Image, rng: Random) -> Image.Image:
        width = min(image.width, round(image.height * wanted))
        height = min(image.height, round(image.width / wanted))
        share = 0.5 + rng.uniform(-0.1, 0.1)  # sites cut around the middle
        left = round((image.width - width) * share)
        top = round((image.height - height) * share)
        return image.crop((left, top, left + width, top + height))

    return cut


SHAPES: Final[Mapping[str, float]] = MappingProxyType(
    {"16:9 crop": 16 / 9, "square crop": 1.0}
)


def is_shaped(image: Image.Image, kind: str) -> bool:
    """Whether the cut of that kind takes next to nothing off the photo."""
    wanted = SHAPES.get(kind, 0.0) * image.height / image.width
    return min(wanted, 1 / wanted) > _NEARLY if wanted else False


def turned(degrees: float) -> Step:
    """Return a step that turns the photo and cuts off the corners that lack pixels."""

    def turn(image: Image.Image, rng: Random) -> Image.Image:
        angle = degrees if coin(rng) else -degrees
        whole = image.rotate(angle, Image.Resampling.BICUBIC)
        tangent = np.tan(np.radians(degrees))
        across, down = image.height * tangent / 2, image.width * tangent / 2
        box = (across, down, image.width - across, image.height - down)
        left, top, right, bottom = (round(float(side)) for side in box)
        return whole.crop((left, top, right, bottom))

    return turn


def enlarged_poor(image: Image.Image, rng: Random) -> Image.Image:
    """Return the photo at half its width and quality 30, enlarged beyond its size."""
    half = image.resize((image.width // 2, image.height // 2), Image.Resampling.BOX)
    poor = decoded(jpeg(half, int(rng.integers(28, 40))))
    factor = rng.uniform(1.05, 1.3)
    size = (round(image.width * factor), round(image.height * factor))
    return poor.resize(size, Image.Resampling.BICUBIC)


def damaged_file(image: Image.Image, rng: Random) -> bytes:
    """Return a JPEG of which the rest is missing, or whose scan has garbage amid it.

    It ends with its end marker, so that lenient decoders do not complain.
    """
    body = jpeg(image, int(rng.integers(82, 91)))
    start = body.index(_SCAN) + 14
    at = start + round((len(body) - start) * rng.uniform(0.35, 0.7))
    while body[at - 1] == _MARKER:  # what follows would be a marker, which none forgive
        at += 1
    if coin(rng):
        return body[:at] + _END
    garbage = rng.integers(0, 255, len(body) // 8, dtype=np.uint8).tobytes()
    return body[:at] + garbage + body[at + len(garbage) : -2] + _END


def damaged(image: Image.Image, rng: Random) -> Image.Image:
    """Return what a lenient site made of `damaged_file`: its file is sound again."""
    file = Image.open(BytesIO(damaged_file(image, rng)))
    return file.convert("RGB")


FRAMES: Final[Mapping[str, Step]] = MappingProxyType(
    {
        **{kind: shaped(wanted) for kind, wanted in SHAPES.items()},
        "turned 0.5°": turned(0.5),
        "turned 1°": turned(1.0),
        "turned 2°": turned(2.0),
        "enlarged, poor": enlarged_poor,
        "damaged": damaged,
    }
)
