"""A photo whose light, colours or levels were changed, all over and for the worse."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import numpy as np
from PIL import Image, ImageEnhance, ImageFilter, ImageOps

from phx_pipeline_tests.corpus.pictures import Random, Step, decoded, jpeg

Enhancer = type[ImageEnhance.Brightness | ImageEnhance.Contrast | ImageEnhance.Color]


def _enhanced(enhancer: Enhancer, least: float, most: float) -> Step:
    return lambda image, rng: enhancer(image).enhance(rng.uniform(least, most))


def _equalized(image: Image.Image, _rng: Random) -> Image.Image:
    return ImageOps.equalize(image)


def _posterized(image: Image.Image, rng: Random) -> Image.Image:
    return ImageOps.posterize(image, int(rng.integers(3, 5)))


def _palette(image: Image.Image, rng: Random) -> Image.Image:
    few = image.quantize(2 ** int(rng.integers(4, 7)))
    return few.convert("RGB")


def _sharpened(image: Image.Image, rng: Random) -> Image.Image:
    radius, percent = rng.uniform(1, 2.5), int(rng.integers(80, 251))
    return image.filter(ImageFilter.UnsharpMask(radius, percent, threshold=2))


def _noise(image: Image.Image, rng: Random) -> Image.Image:
    """Add noise as a camera makes in the dark, of 5 to 15 levels."""
    light = np.asarray(image, dtype=np.float32)
    grain = rng.normal(0, rng.uniform(5, 15), light.shape)
    return Image.fromarray((light + grain).clip(0, 255).astype(np.uint8))


def _ringing(image: Image.Image, rng: Random) -> Image.Image:
    """Return what a coarse JPEG leaves; whoever saves it anew hides how coarse."""
    return decoded(jpeg(image, int(rng.integers(10, 26))))


TONES: Final[Mapping[str, Step]] = MappingProxyType(
    {
        "brighter": _enhanced(ImageEnhance.Brightness, 1.2, 1.8),
        "darker": _enhanced(ImageEnhance.Brightness, 0.4, 0.8),
        "contrast": _enhanced(ImageEnhance.Contrast, 1.2, 1.8),
        "equalized": _equalized,
        "posterized": _posterized,
        "palette": _palette,
        "sharpened a lot": _sharpened,
        "saturated": _enhanced(ImageEnhance.Color, 1.4, 2.2),
        "noise": _noise,
        "ringing": _ringing,
    }
)
