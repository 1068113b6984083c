"""What is opened, and how it comes out: upright, on white, in its colours."""

import struct
import threading
import warnings

import numpy as np
import pytest
from PIL import Image, ImageCms, ImageFile

from phx_pipeline.imaging.decode import Picture, decode
from phx_pipeline_tests.unit.imaging.bodies import (
    FORMATS,
    Encode,
    MakePicture,
    chunk,
    grey_png,
)

Pixel = tuple[int, int, int]

BROKEN_EXIF = (
    b"Exif\0\0II*\0\x08\0\0\0\x20\0"
    b"\x12\x01\x03\0\xff\xff\xff\xff\x06\0\0\0" + b"\xff" * 20
)

# Pillow remarks on odd metadata; in production nobody turns that into an error.
ignoring_warnings = pytest.mark.filterwarnings("ignore")


def mean_difference(a: Image.Image, b: Image.Image) -> float:
    left, right = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    return float(np.abs(left - right).mean())


def pixel(image: Image.Image, at: tuple[int, int]) -> Pixel:
    value = image.getpixel(at)
    assert isinstance(value, tuple)
    red, green, blue = (int(part) for part in value)
    return red, green, blue


def is_red(found: Pixel) -> bool:
    return found[0] > 190 and max(found[1:]) < 70


@pytest.mark.parametrize("format_name", FORMATS)
def test_every_listed_format_opens_as_rgb(
    make_picture: MakePicture, encode: Encode, format_name: str
) -> None:
    original = make_picture()

    picture = decode(encode(original, format_name))

    assert picture.media_type == FORMATS[format_name]
    assert (picture.width, picture.height) == picture.image.size == original.size
    assert picture.image.mode == "RGB"
    assert picture.image.info == {}
    assert mean_difference(picture.image, original) < 12


def test_a_progressive_jpeg_opens(make_picture: MakePicture, encode: Encode) -> None:
    body = encode(make_picture(), "JPEG", progressive=True, quality=95)

    assert mean_difference(decode(body).image, make_picture()) < 12


def test_of_a_phone_s_several_pictures_in_one_jpeg_the_first_is_taken(
    make_picture: MakePicture, encode: Encode
) -> None:
    first = make_picture()
    body = encode(first, "MPO", save_all=True, append_images=[first.rotate(180)])

    picture = decode(body)

    assert picture.media_type == "image/jpeg"
    assert mean_difference(picture.image, first) < 12


def test_junk_after_the_picture_does_not_matter(
    make_picture: MakePicture, encode: Encode
) -> None:
    body = encode(make_picture(), "JPEG")

    with_junk = decode(body + bytes(100_000))

    assert with_junk.image == decode(body).image


@ignoring_warnings
def test_a_broken_animation_header_of_a_png_is_ignored() -> None:
    body = grey_png((320, 240), extra=chunk(b"acTL", bytes(8)))

    assert decode(body).image.size == (320, 240)


@pytest.mark.parametrize("format_name", ["JPEG", "PNG", "WEBP", "AVIF"])
@pytest.mark.parametrize(
    ("orientation", "red_corner"),
    [
        (1, (5, 5)),
        (2, (-6, 5)),
        (3, (-6, -6)),
        (4, (5, -6)),
        (5, (5, 5)),
        (6, (-6, 5)),
        (7, (-6, -6)),
        (8, (5, -6)),
    ],
)
def test_the_picture_is_turned_upright(
    make_picture: MakePicture,
    encode: Encode,
    format_name: str,
    orientation: int,
    red_corner: tuple[int, int],
) -> None:
    exif = Image.Exif()
    exif[0x010F] = "a maker, so that the tag looked for is not the first"
    exif[0x0112] = orientation
    body = encode(make_picture(), format_name, exif=exif)

    picture = decode(body)

    upright = (320, 240) if orientation < 5 else (240, 320)
    assert (picture.width, picture.height) == picture.image.size == upright
    corner = (red_corner[0] % upright[0], red_corner[1] % upright[1])
    assert is_red(pixel(picture.image, corner))
    assert picture.image.info == {}


def test_orientation_is_read_in_either_byte_order(
    make_picture: MakePicture, encode: Encode
) -> None:
    entries = struct.pack(">HHHIHH", 1, 0x0112, 3, 1, 6, 0)
    exif = b"Exif\0\0MM\0*" + struct.pack(">I", 8) + entries + bytes(4)

    assert decode(encode(make_picture(), "JPEG", exif=exif)).width == 240


@pytest.mark.parametrize("value", [0, 9, 65_535])
def test_an_impossible_orientation_is_ignored(
    make_picture: MakePicture, encode: Encode, value: int
) -> None:
    entries = struct.pack("<HHHIHH", 1, 0x0112, 3, 1, value, 0)
    exif = b"Exif\0\0II*\0" + struct.pack("<I", 8) + entries + bytes(4)

    assert decode(encode(make_picture(), "JPEG", exif=exif)).width == 320


@ignoring_warnings
@pytest.mark.parametrize("exif", [BROKEN_EXIF, b"Exif\0\0II*\0\xff\xff\xff\x7f"])
@pytest.mark.parametrize("format_name", ["JPEG", "PNG", "WEBP"])
def test_corrupt_exif_does_not_matter(
    make_picture: MakePicture, encode: Encode, format_name: str, exif: bytes
) -> None:
    body = encode(make_picture(), format_name, exif=exif)

    assert sorted(decode(body).image.size) == [240, 320]


def test_megabytes_of_junk_metadata_do_not_matter(
    make_picture: MakePicture, encode: Encode
) -> None:
    body = encode(make_picture(), "JPEG")
    segment = b"\xff\xe1" + struct.pack(">H", 65_535) + b"junk" * 16_383 + b"x"

    picture = decode(body[:2] + segment * 60 + body[2:])

    assert picture.image == decode(body).image


@ignoring_warnings
def test_corrupt_exif_in_an_avif_does_not_matter(
    make_picture: MakePicture, encode: Encode
) -> None:
    exif = Image.Exif()
    exif[0x010F] = "a maker with a text long enough to be stored elsewhere"
    body = encode(make_picture(), "AVIF", exif=exif)
    at = body.index(b"a maker with") - 10
    broken = body[:at] + b"\xff" * 40 + body[at + 40 :]

    picture = decode(broken)

    assert picture.image == decode(body).image


@pytest.mark.parametrize("format_name", ["PNG", "WEBP", "AVIF"])
def test_transparency_is_laid_on_white(
    make_picture: MakePicture, encode: Encode, format_name: str
) -> None:
    image = make_picture().convert("RGBA")
    image.paste((0, 0, 255, 0), (160, 120, 320, 240))  # a colour hidden by alpha
    image.paste((0, 0, 0, 128), (0, 120, 160, 240))
    options = {"lossless": True} if format_name == "WEBP" else {}

    picture = decode(encode(image, format_name, **options))

    assert min(pixel(picture.image, (280, 200))) >= 250
    assert all(abs(part - 127) <= 4 for part in pixel(picture.image, (60, 200)))
    assert is_red(pixel(picture.image, (5, 5)))


@pytest.mark.parametrize("format_name", ["PNG", "GIF"])
def test_a_transparent_palette_colour_becomes_white(
    make_picture: MakePicture, encode: Encode, format_name: str
) -> None:
    image = make_picture().convert("P", palette=Image.Palette.ADAPTIVE, colors=64)
    red = image.getpixel((5, 5))

    picture = decode(encode(image, format_name, transparency=red))

    assert pixel(picture.image, (5, 5)) == (255, 255, 255)
    assert pixel(picture.image, (280, 200)) != (255, 255, 255)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA"])
def test_every_mode_keeps_its_brightness(
    make_picture: MakePicture, encode: Encode, mode: str
) -> None:
    image = make_picture().convert(mode)

    picture = decode(encode(image, "PNG"))

    assert mean_difference(picture.image.convert("L"), image.convert("L")) < 1


def test_sixteen_bit_grey_is_scaled_not_cut_off(encode: Encode) -> None:
    ramp = np.linspace(0, 65_535, 320).astype(np.uint16)
    body = encode(Image.fromarray(np.tile(ramp, (240, 1))), "PNG")

    found = np.asarray(decode(body).image)

    assert np.array_equal(found[0, :, 0], np.round(ramp / 257).astype(np.uint8))


@pytest.mark.parametrize("depth", [1, 2, 4, 8])
def test_the_transparent_level_of_grey_becomes_white(depth: int) -> None:
    transparent = chunk(b"tRNS", struct.pack(">H", 1))
    ones = sum(1 << at for at in range(0, 8, depth))
    rows = (bytes(1 + 20 * depth) + bytes([ones]) * (20 * depth)) * 240
    body = grey_png((320, 240), rows=rows, extra=transparent, depth=depth)

    image = decode(body).image

    assert image.getpixel((0, 0)) == (0, 0, 0)
    assert image.getpixel((319, 0)) == (255, 255, 255)


def test_the_transparent_level_of_sixteen_bit_grey_becomes_white() -> None:
    row = b"\0" + struct.pack(">H", 300) * 100 + struct.pack(">H", 25_700) * 220
    transparent = chunk(b"tRNS", struct.pack(">H", 300))

    body = grey_png((320, 240), rows=row * 240, extra=transparent, depth=16)

    picture = decode(body)
    assert pixel(picture.image, (50, 9)) == (255, 255, 255)
    assert pixel(picture.image, (200, 9)) == (100, 100, 100)


def test_a_cmyk_jpeg_keeps_its_colours(
    make_picture: MakePicture, encode: Encode
) -> None:
    original = make_picture()

    picture = decode(encode(original.convert("CMYK"), "JPEG", quality=95))

    assert mean_difference(picture.image, original) < 12
    assert is_red(pixel(picture.image, (5, 5)))


@pytest.mark.parametrize("format_name", ["GIF", "WEBP", "PNG", "AVIF"])
def test_of_an_animation_the_first_frame_is_taken(
    make_picture: MakePicture, encode: Encode, format_name: str
) -> None:
    first = make_picture()
    later = [Image.new("RGB", first.size, "blue"), Image.new("RGB", first.size)]

    body = encode(first, format_name, save_all=True, append_images=later, duration=50)

    assert mean_difference(decode(body).image, first) < 12


def srgb_profile() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def profile_with_red_and_green_exchanged() -> bytes:
    profile = srgb_profile()
    return (
        profile.replace(b"rXYZ", b"none", 1)
        .replace(b"gXYZ", b"rXYZ", 1)
        .replace(b"none", b"gXYZ", 1)
    )


@pytest.mark.parametrize("format_name", ["JPEG", "PNG", "WEBP", "AVIF"])
def test_a_colour_profile_is_applied(
    make_picture: MakePicture, encode: Encode, format_name: str
) -> None:
    profile = profile_with_red_and_green_exchanged()
    body = encode(make_picture(), format_name, icc_profile=profile)

    red, green, blue = pixel(decode(body).image, (5, 5))

    assert green > 190
    assert max(red, blue) < 70


@pytest.mark.parametrize("format_name", ["JPEG", "PNG"])
@pytest.mark.parametrize(
    "profile",
    [srgb_profile(), b"broken" * 30, srgb_profile()[:300]],
    ids=["whole", "broken", "cut"],  # a profile holds the time it was made at
)
def test_an_srgb_or_broken_profile_changes_no_pixel(
    make_picture: MakePicture, encode: Encode, format_name: str, profile: bytes
) -> None:
    plain = encode(make_picture(), format_name)
    tagged = encode(make_picture(), format_name, icc_profile=profile)

    assert decode(tagged).image == decode(plain).image


def profile_of_invisible_colours() -> bytes:
    """By ICC.1:2001-04, 6.1 and 6.5.8: of four inks only black is seen on paper."""
    ramp, unchanged = bytes(range(256)), (1 << 16, 0, 0, 0) * 2 + (1 << 16,)
    table = struct.pack(">4s4x3Bx9i", b"mft1", 4, 3, 2, *unchanged)
    table += ramp * 4 + bytes((255, 128, 128, 0, 128, 128)) * 2**3 + ramp * 3
    tags = struct.pack(">I4s2I", 1, b"A2B0", 128 + 16, len(table))
    white = (0xF6D6, 0x10000, 0xD32D)  # of D50
    header = struct.pack(
        ">I4xI4s4s4s12x4s28x3I48x",
        128 + len(tags) + len(table),
        0x2400000,
        *(b"prtr", b"CMYK", b"Lab ", b"acsp"),
        *white,
    )
    return header + tags + table


def test_a_profile_of_inks_is_applied(
    make_picture: MakePicture, encode: Encode
) -> None:
    body = encode(
        make_picture().convert("CMYK"),
        "JPEG",
        icc_profile=profile_of_invisible_colours(),
    )

    assert np.asarray(decode(body).image).min() >= 250


def test_a_profile_for_other_channels_is_ignored(
    make_picture: MakePicture, encode: Encode
) -> None:
    image = make_picture().convert("CMYK")

    tagged = decode(encode(image, "JPEG", icc_profile=srgb_profile()))

    assert tagged.image == decode(encode(image, "JPEG")).image


def test_a_colour_profile_on_a_grey_picture_keeps_it_grey(
    make_picture: MakePicture, encode: Encode
) -> None:
    image = make_picture().convert("L")

    tagged = decode(encode(image, "PNG", icc_profile=srgb_profile()))

    assert tagged.image == image.convert("RGB")


def test_threads_may_decode_at_once_and_change_no_global_state(
    make_picture: MakePicture, encode: Encode
) -> None:
    limit, filters = Image.MAX_IMAGE_PIXELS, list(warnings.filters)
    bodies = [
        encode(make_picture(width=width), name)
        for width in (300, 400)
        for name in FORMATS
    ]
    expected = [decode(body).image for body in bodies]
    found: list[list[Picture]] = []

    def decode_all() -> None:
        found.append([decode(body) for body in bodies])

    threads = [threading.Thread(target=decode_all) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [[it.image for it in pictures] for pictures in found] == [expected] * 4
    assert limit == Image.MAX_IMAGE_PIXELS
    assert list(warnings.filters) == filters
    assert not ImageFile.LOAD_TRUNCATED_IMAGES
