from collections.abc import Callable
from io import BytesIO

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from phx_pipeline.imaging.decode import Picture, decode
from phx_pipeline.imaging.recipe import RECIPE, recipe_name
from phx_pipeline.imaging.standardize import standardize

MakePicture = Callable[..., Image.Image]
Encode = Callable[..., bytes]

CRITICAL_CHUNKS = {b"IHDR", b"IDAT", b"IEND"}


def as_picture(image: Image.Image) -> Picture:
    return Picture(
        image=image, media_type="image/jpeg", width=image.width, height=image.height
    )


def reopened(png: bytes) -> Image.Image:
    return Image.open(BytesIO(png), formats=["PNG"]).copy()


def chunk_kinds(png: bytes) -> set[bytes]:
    kinds, at = set(), 8
    while at < len(png):
        kinds.add(png[at + 4 : at + 8])
        at += 12 + int.from_bytes(png[at : at + 4], "big")
    return kinds


def test_the_recipe_names_the_default_size() -> None:
    assert recipe_name(max_side=1024) == RECIPE == "png1024-v3"
    assert recipe_name(max_side=2048) != RECIPE
    assert recipe_name(max_side=None) == "pngfull-v3"


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((1536, 1152), (1024, 768)),
        ((1152, 1536), (768, 1024)),
        ((1025, 1025), (1024, 1024)),
        ((1365, 1024), (1024, 768)),
        ((3000, 601), (1024, 205)),
        ((1024, 300), (1024, 300)),
        ((640, 480), (640, 480)),
    ],
)
def test_the_longest_side_fits_and_nothing_is_enlarged(
    make_picture: MakePicture, size: tuple[int, int], expected: tuple[int, int]
) -> None:
    width, height = size

    standard = standardize(as_picture(make_picture(width=width, height=height)))

    assert (standard.width, standard.height) == expected
    assert reopened(standard.png).size == expected


@given(
    width=st.integers(1, 400),
    height=st.integers(1, 400),
    max_side=st.integers(1, 150),
)
def test_the_longest_side_is_never_more_and_never_less_than_needed(
    width: int, height: int, max_side: int
) -> None:
    picture = as_picture(Image.new("RGB", (width, height)))

    standard = standardize(picture, max_side=max_side)

    assert max(standard.width, standard.height) == min(max_side, max(width, height))
    assert min(standard.width, standard.height) >= 1


def test_a_small_picture_keeps_its_exact_pixels(make_picture: MakePicture) -> None:
    image = make_picture(width=800, height=600)

    assert reopened(standardize(as_picture(image)).png) == image


def test_without_a_longest_side_all_pixels_stay(
    make_picture: MakePicture, encode: Encode
) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x8825] = {1: "N", 2: (33.0, 27.0, 0.0)}
    picture = decode(encode(make_picture(width=1600, height=1200), "JPEG", exif=exif))

    standard = standardize(picture, max_side=None)

    assert (standard.width, standard.height) == (1200, 1600)
    assert reopened(standard.png) == picture.image
    assert chunk_kinds(standard.png) == CRITICAL_CHUNKS


def test_a_large_picture_is_scaled_down_with_care(make_picture: MakePicture) -> None:
    image = make_picture(width=1600, height=1200)
    careful = image.resize((1024, 768), Image.Resampling.LANCZOS)

    found = reopened(standardize(as_picture(image)).png)

    difference = np.asarray(found, dtype=float) - np.asarray(careful, dtype=float)
    assert np.abs(difference).mean() < 2
    assert np.abs(difference.mean()) < 0.1


def test_no_metadata_survives(make_picture: MakePicture, encode: Encode) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x8825] = {1: "N", 2: (33.0, 27.0, 0.0)}
    image = make_picture(width=1200, height=900)
    body = encode(image, "JPEG", exif=exif, comment=b"secret", dpi=(300, 300))

    standard = standardize(decode(body))

    assert (standard.width, standard.height) == (768, 1024)
    assert chunk_kinds(standard.png) == CRITICAL_CHUNKS
    assert b"secret" not in standard.png


def test_what_an_image_carries_is_left_behind(make_picture: MakePicture) -> None:
    image = make_picture()
    image.info = {"icc_profile": b"profile", "transparency": (1, 2, 3), "gamma": 0.5}

    standard = standardize(as_picture(image))

    assert chunk_kinds(standard.png) == CRITICAL_CHUNKS
    assert "icc_profile" in image.info


def test_the_same_picture_gives_the_same_bytes(
    make_picture: MakePicture, encode: Encode
) -> None:
    body = encode(make_picture(width=1200, height=900), "JPEG")

    assert standardize(decode(body)) == standardize(decode(body))


def test_the_png_is_rgb(make_picture: MakePicture) -> None:
    assert reopened(standardize(as_picture(make_picture())).png).mode == "RGB"
