"""What a made picture is, its random numbers, and how it is drawn and encoded."""

import math
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from io import BytesIO
from types import MappingProxyType
from typing import Final

import numpy as np
from PIL import Image, ImageFont

# Photos of the public Houses Dataset that are the same photo under two names.
_REPEATED: Final[Mapping[str, str]] = MappingProxyType(
    {
        "21_bathroom": "9_bathroom",
        "21_bedroom": "9_bedroom",
        "12_bedroom": "12_bathroom",
        "32_frontal": "12_frontal",
        "293_frontal": "292_frontal",
        "354_bedroom": "354_bathroom",
        "466_kitchen": "466_bathroom",
    }
)

Random = np.random.Generator
Step = Callable[[Image.Image, Random], Image.Image]
Page = Callable[[Random, int], Image.Image]  # the nth of its kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """An encoded picture; pictures of one identity are copies of each other."""

    identity: str
    kind: str
    body: bytes


def identity(name: str) -> str:
    """Return what a photo of the Houses Dataset shows: its name, but for repeats."""
    return _REPEATED.get(name, name)


def draws(name: str, kind: str, *, seed: int) -> Random:
    """Return the random numbers of one (photo, kind)."""
    key = (seed, zlib.crc32(name.encode()), zlib.crc32(kind.encode()))
    return np.random.default_rng(key)


def coin(rng: Random) -> bool:
    """Toss a coin."""
    return bool(rng.integers(2))


def to_width(image: Image.Image, width: int) -> Image.Image:
    """Return *image* at *width* pixels, in its shape."""
    height = max(1, round(image.height * width / image.width))
    return image.resize((width, height), Image.Resampling.LANCZOS)


def font(size: float) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Return the font that comes with Pillow, at least 8 pixels high."""
    return ImageFont.load_default(max(8, math.floor(size)))


def jpeg(image: Image.Image, quality: int) -> bytes:
    """Encode *image*; the colour is subsampled."""
    file = BytesIO()
    image.save(file, "JPEG", quality=quality)
    return file.getvalue()


def decoded(body: bytes) -> Image.Image:
    """Return what `jpeg` or `webp` encoded."""
    return Image.open(BytesIO(body)).convert("RGB")


def webp(image: Image.Image, quality: int) -> bytes:
    """Encode *image*, lossy and quickly."""
    file = BytesIO()
    image.save(file, "WEBP", quality=quality, method=2)
    return file.getvalue()
