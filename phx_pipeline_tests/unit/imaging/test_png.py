import subprocess
import sys
import textwrap
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from io import BytesIO

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from phx_pipeline.imaging.png import encode_png

MakePicture = Callable[..., Image.Image]
Encode = Callable[..., bytes]


def noise(*, height: int, width: int, seed: int = 0) -> np.ndarray:
    random = np.random.default_rng(seed)
    return random.integers(0, 256, (height, width, 3), dtype=np.uint8)


def reopened(png: bytes) -> np.ndarray:
    with Image.open(BytesIO(png), formats=["PNG"]) as image:
        assert image.mode == "RGB"
        return np.asarray(image)


@given(
    height=st.integers(1, 140), width=st.integers(1, 70), seed=st.integers(0, 2**32 - 1)
)
def test_every_picture_reads_back_pixel_for_pixel(
    height: int, width: int, seed: int
) -> None:
    pixels = noise(height=height, width=width, seed=seed)

    assert np.array_equal(reopened(encode_png(pixels)), pixels)


@pytest.mark.parametrize("level", [0, 255])
def test_a_flat_picture_reads_back(level: int) -> None:
    pixels = np.full((100, 100, 3), level, dtype=np.uint8)

    assert np.array_equal(reopened(encode_png(pixels)), pixels)


def test_pixels_that_lie_apart_in_memory_are_taken_as_well() -> None:
    pixels = noise(height=50, width=80)

    cut = pixels[5:45, 10:60]

    assert encode_png(cut) == encode_png(cut.copy())


def test_the_files_are_about_as_small_as_the_quickest_of_pillow(
    make_picture: MakePicture, encode: Encode
) -> None:
    image = make_picture(width=1024, height=768)

    ours = len(encode_png(np.asarray(image)))

    assert ours < 1.15 * len(encode(image, "PNG", compress_level=1))


def test_the_bytes_do_not_depend_on_the_number_of_threads() -> None:
    pictures = [noise(height=300, width=400, seed=seed) // 8 for seed in range(12)]
    expected = [encode_png(picture) for picture in pictures]

    for threads in (1, 2, 8):
        with ThreadPoolExecutor(threads) as pool:
            assert list(pool.map(encode_png, pictures)) == expected


def test_the_bytes_do_not_depend_on_the_run() -> None:
    program = textwrap.dedent(
        """
        import hashlib
        import numpy as np
        from phx_pipeline.imaging.png import encode_png
        pixels = np.random.default_rng(5).integers(0, 32, (300, 400, 3), np.uint8)
        print(hashlib.sha256(encode_png(pixels)).hexdigest())
        """
    )
    pixels = np.random.default_rng(5).integers(0, 32, (300, 400, 3), np.uint8)

    done = subprocess.run(  # noqa: S603  # our own interpreter and program
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == sha256(encode_png(pixels)).hexdigest()
