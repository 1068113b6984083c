from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image


def _picture(seed: int, *, width: int = 480, height: int = 360) -> Image.Image:
    random = np.random.default_rng(seed)
    coarse = random.integers(0, 256, (9, 12, 3), dtype=np.uint8)
    image = Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)
    pixels = np.asarray(image, dtype=np.float64)
    pixels = pixels + random.normal(0, 12, pixels.shape)
    image = Image.fromarray(pixels.clip(0, 255).astype(np.uint8))
    image.paste((200, 30, 30), (width // 10, height // 8, width // 3, height // 4))
    return image


@pytest.fixture
def make_picture() -> Callable[..., Image.Image]:
    """Make a noisy picture with an asymmetric mark; same seed, same pixels."""
    return _picture
