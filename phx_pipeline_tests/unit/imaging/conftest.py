from collections.abc import Callable
from functools import cache
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from PIL import Image


def _picture(*, width: int = 320, height: int = 240) -> Image.Image:
    return _drawn(width, height).copy()


@cache
def _drawn(width: int, height: int) -> Image.Image:
    random = np.random.default_rng(7)
    coarse = random.integers(60, 200, (6, 8, 3), dtype=np.uint8)
    image = Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)
    pixels = np.asarray(image, dtype=np.float64)
    pixels = pixels + random.normal(0, 8, pixels.shape)
    image = Image.fromarray(pixels.clip(0, 255).astype(np.uint8))
    image.paste((220, 20, 20), (0, 0, width // 4, height // 4))
    return image


def _encode(image: Image.Image, format_name: str, **options: Any) -> bytes:
    if format_name == "GIF" and image.mode == "RGB":  # many times as fast as by default
        image = image.quantize(method=Image.Quantize.FASTOCTREE)
    if format_name == "AVIF":
        options = {"speed": 10} | options
    buffer = BytesIO()
    image.save(buffer, format=format_name, **options)
    return buffer.getvalue()


@pytest.fixture
def make_picture() -> Callable[..., Image.Image]:
    """Make a noisy RGB picture whose top left quarter is red."""
    return _picture


@pytest.fixture
def encode() -> Callable[..., bytes]:
    """Save an image to bytes: `encode(image, "JPEG", quality=90)`."""
    return _encode
