"""Scaling is near to the careful way, and the same everywhere."""

import hashlib
import subprocess
import sys

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from phx_pipeline.errors import InputError
from phx_pipeline.imaging import resize
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


_AT_ONCE = """
from concurrent.futures import ThreadPoolExecutor
from PIL import Image
from phx_pipeline.imaging.resize import scaled_down
image = Image.new("RGB", (130, 90))
with ThreadPoolExecutor(8) as pool:
    made = list(pool.map(lambda _: scaled_down(image, (100, 69)).shape, range(8)))
print(set(made))
"""


def test_the_first_pictures_of_a_process_may_be_scaled_side_by_side() -> None:
    for _ in range(3):  # which thread loads the library is a matter of chance
        done = subprocess.run(  # noqa: S603 - our own Python
            [sys.executable, "-c", _AT_ONCE],
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.stdout, done.stderr) == ("{(69, 100, 3)}\n", "")


def test_a_library_that_cannot_be_loaded_is_told_with_the_remedy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "cv2", None)  # as where a file of it is missing
    resize._loaded.cache_clear()

    try:
        with pytest.raises(InputError, match="pip uninstall opencv-python-headless"):
            resize.load_opencv()
    finally:
        resize._loaded.cache_clear()
