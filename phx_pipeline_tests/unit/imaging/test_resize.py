"""Scaling is near to the careful way, and the same everywhere."""

import hashlib

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from phx_pipeline.imaging.resize import scaled_down


def scene(width: int, height: int) -> Image.Image:
    """Draw edges, fine patterns and flat areas, the same ones on every processor."""
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    planes = [x * 7 % 256, (x // 9 + y // 5) * 40 % 256, (x * x + y * y) // 900 % 256]
    return Image.fromarray(np.stack(planes, axis=-1).astype(np.uint8))


def psnr(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> float:
    error = np.square(a.astype(float) - b.astype(float)).mean()
    return float(10 * np.log10(255**2 / error))


@pytest.mark.parametrize("factor", [1.2, 1.4, 1.5, 1.6, 2.0, 3.1])
def test_it_is_no_farther_from_the_careful_way_than_plain_bilinear(
    factor: float,
) -> None:
    image = scene(640, 480).resize((620, 460), Image.Resampling.BICUBIC)
    size = (int(620 / factor), int(460 / factor))
    careful = np.asarray(image.resize(size, Image.Resampling.LANCZOS))
    plain = np.asarray(image.resize(size, Image.Resampling.BILINEAR))

    found = scaled_down(image, size)

    assert found.shape == careful.shape
    assert psnr(found, careful) >= psnr(plain, careful)


@pytest.mark.parametrize(
    ("size", "digest"),
    [
        ((427, 320), "6615f82cae623f12"),
        ((500, 375), "e8cabcf2a11abd0b"),
        ((300, 225), "8aa7cb3e778d9a23"),
    ],
)
def test_the_pixels_are_known_beforehand(size: tuple[int, int], digest: str) -> None:
    found = scaled_down(scene(640, 480), size)

    assert hashlib.sha256(found.tobytes()).hexdigest()[:16] == digest
