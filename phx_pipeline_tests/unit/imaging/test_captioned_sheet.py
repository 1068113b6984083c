"""Pictures with captions on one sheet: all of them, whole, within its bounds."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from phx_pipeline.imaging.captioned_sheet import MOST_PICTURES, captioned_sheet


def png(image: Image.Image) -> bytes:
    buffer = BytesIO()
    image.save(buffer, format="PNG")
    return buffer.getvalue()


RED = png(Image.new("RGB", (640, 480), "red"))


def sheet(*pictures: tuple[bytes, str], max_bytes: int = 3_000_000) -> Image.Image:
    jpeg = captioned_sheet(iter(pictures), count=len(pictures), max_bytes=max_bytes)
    assert len(jpeg) <= max_bytes
    image = Image.open(BytesIO(jpeg), formats=["JPEG"])
    image.load()
    return image


def dark_pixels(image: Image.Image, *, below: int) -> int:
    return int((np.asarray(image.convert("L"))[below:] < 128).sum())


def test_a_picture_is_whole_with_its_caption_below() -> None:
    image = sheet((RED, "redfin 1: kept"))

    assert image.getpixel((120, 10))[0] > 240  # type: ignore[index]  # of RGB
    assert dark_pixels(image, below=180) > 20
    assert dark_pixels(sheet((RED, "")), below=180) == 0


def test_a_long_caption_stays_below_its_own_picture() -> None:
    lone = sheet((RED, "x" * 400), (RED, ""))

    right = lone.crop((244, 0, lone.width, lone.height))
    assert dark_pixels(right, below=184) == 0


def test_an_upright_picture_is_not_cut() -> None:
    upright = Image.new("RGB", (300, 600), "red")
    upright.paste("blue", (0, 0, 300, 60))

    image = sheet((png(upright), "hall"))

    assert image.getpixel((120, 5))[2] > 200  # type: ignore[index]  # of RGB
    assert image.getpixel((120, 170))[0] > 200  # type: ignore[index]


@pytest.mark.parametrize("body", [b"", b"no picture", RED[:200]])
def test_what_cannot_be_read_is_a_grey_place(body: bytes) -> None:
    image = sheet((RED, "one"), (body, "two"))

    assert image.getpixel((360, 90)) == (221, 221, 221)


@pytest.mark.parametrize("count", [101, 251, MOST_PICTURES + 20])
def test_however_many_there_are_the_sheet_has_bounds(count: int) -> None:
    image = sheet(*[(b"", "gone")] * count)

    assert image.width * image.height < 8_000_000


def test_a_sheet_that_is_too_large_is_made_smaller() -> None:
    noise = np.random.default_rng(7).integers(0, 256, (480, 640, 3), dtype=np.uint8)
    pictures = [(png(Image.fromarray(noise)), "noise")] * 4

    small = sheet(*pictures, max_bytes=20_000)

    assert small.width < sheet(*pictures).width
