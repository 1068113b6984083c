"""Many pictures on one small sheet, in order, within its budget."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from phx_pipeline.imaging.contact_sheet import contact_sheet, tile_of

_COLOURS = ("red", "lime", "blue", "yellow", "magenta", "cyan")


def png(colour: str, *, size: tuple[int, int] = (640, 480)) -> bytes:
    return _encoded(Image.new("RGB", size, colour))


def noise(seed: int) -> bytes:
    """A picture that no encoder makes small."""
    pixels = np.random.default_rng(seed).integers(0, 256, (96, 128, 3), dtype=np.uint8)
    return _encoded(Image.fromarray(pixels))


def _encoded(image: Image.Image) -> bytes:
    buffer = BytesIO()
    image.save(buffer, format="PNG")
    return buffer.getvalue()


def opened(jpeg: bytes) -> Image.Image:
    image = Image.open(BytesIO(jpeg), formats=["JPEG"])
    image.load()
    return image


def near(pixel: object, colour: str) -> bool:
    wanted = np.array(Image.new("RGB", (1, 1), colour).getpixel((0, 0)))
    return bool(np.abs(np.array(pixel) - wanted).max() < 40)


def test_pictures_stand_in_rows_in_their_order() -> None:
    sheet = opened(contact_sheet([png(c) for c in _COLOURS], max_bytes=12_000))

    # Six pictures make three columns of two rows.
    width, height = sheet.width // 3, sheet.height // 2
    for index, colour in enumerate(_COLOURS):
        row, column = divmod(index, 3)
        middle = (column * width + width // 2, row * height + height // 2)
        assert near(sheet.getpixel(middle), colour), colour


def test_what_no_picture_covers_is_white() -> None:
    sheet = opened(contact_sheet([png("red"), png("red"), png("red")], max_bytes=9_000))

    assert near(sheet.getpixel((sheet.width - 10, sheet.height - 10)), "white")


def test_a_tall_picture_is_cut_to_its_tile_not_squeezed() -> None:
    tall = Image.new("RGB", (100, 400), "blue")
    tall.paste("red", (0, 0, 100, 100))

    sheet = opened(contact_sheet([_encoded(tall)], max_bytes=9_000))

    assert sheet.size == (72, 54)
    assert near(sheet.getpixel((36, 3)), "blue")


@pytest.mark.parametrize("count", [1, 2, 5, 30, 100])
def test_the_budget_is_kept_whatever_the_pictures(count: int) -> None:
    jpeg = contact_sheet([noise(seed) for seed in range(count)], max_bytes=12_000)

    assert len(jpeg) <= 12_000


def test_a_smaller_budget_makes_a_smaller_sheet() -> None:
    pictures = [noise(seed) for seed in range(9)]

    roomy = opened(contact_sheet(pictures, max_bytes=12_000))
    tight = opened(contact_sheet(pictures, max_bytes=3_000))

    assert tight.width < roomy.width


def test_beyond_a_hundred_the_first_hundred_are_shown() -> None:
    hundred = [png("red", size=(72, 54))] * 100

    longer = contact_sheet([*hundred, png("blue")], max_bytes=12_000)

    assert longer == contact_sheet(hundred, max_bytes=12_000)


def test_the_same_pictures_give_the_same_bytes() -> None:
    pictures = [noise(1), noise(2)]

    first = contact_sheet(pictures, max_bytes=9_000)

    assert contact_sheet(pictures, max_bytes=9_000) == first


def test_a_photo_of_a_camera_held_upright_stands_upright() -> None:
    lying = Image.new("RGB", (1200, 800), "blue")
    lying.paste("red", (0, 0, 600, 800))
    told = Image.Exif()
    told[0x0112] = 6  # its top is at the right
    buffer = BytesIO()
    lying.save(buffer, format="JPEG", exif=told)

    sheet = opened(contact_sheet([buffer.getvalue()], max_bytes=9_000))

    assert near(sheet.getpixel((36, 10)), "red")
    assert near(sheet.getpixel((36, 44)), "blue")


def test_a_transparent_picture_is_shown() -> None:
    clear = _encoded(Image.new("RGBA", (80, 60), (0, 255, 0, 255)))

    sheet = opened(contact_sheet([clear], max_bytes=9_000))

    assert near(sheet.getpixel((36, 27)), "lime")


def test_a_budget_nothing_fits_is_refused() -> None:
    with pytest.raises(ValueError, match="1 picture cannot be put in 10 bytes"):
        contact_sheet([noise(1)], max_bytes=10)


@pytest.mark.parametrize("damaged", [b"", b"no picture", png("red")[:60]])
def test_a_picture_that_cannot_be_read_is_an_empty_place(damaged: bytes) -> None:
    sheet = opened(contact_sheet([damaged, png("lime")], max_bytes=9_000))

    assert near(sheet.getpixel((sheet.width // 4, sheet.height // 2)), "white")
    assert near(sheet.getpixel((sheet.width * 3 // 4, sheet.height // 2)), "lime")


def test_a_tile_of_a_frame_shows_what_its_file_does() -> None:
    around = Image.radial_gradient("L").resize((640, 480))
    down = Image.linear_gradient("L").resize((640, 480))
    drawn = Image.merge("RGB", (around, down, down.rotate(180)))

    by_file, by_frame = (
        np.asarray(opened(contact_sheet([picture], max_bytes=12_000)), dtype=np.int16)
        for picture in (_encoded(drawn), tile_of(np.asarray(drawn)))
    )

    assert by_file.shape == by_frame.shape
    assert np.abs(by_file - by_frame).mean() < 4
