import random
import struct
import subprocess
import sys
import textwrap
import threading
import warnings
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms, ImageFile

from phx_pipeline.errors import ImageError
from phx_pipeline.imaging.decode import MAX_BODY_BYTES, Picture, decode
from phx_pipeline.model.outcome import Verdict

MakePicture = Callable[..., Image.Image]
Encode = Callable[..., bytes]
Pixel = tuple[int, int, int]

FORMATS = {
    "JPEG": "image/jpeg",
    "PNG": "image/png",
    "WEBP": "image/webp",
    "GIF": "image/gif",
    "AVIF": "image/avif",
}
BROKEN_EXIF = (
    b"Exif\0\0II*\0\x08\0\0\0\x20\0"
    b"\x12\x01\x03\0\xff\xff\xff\xff\x06\0\0\0" + b"\xff" * 20
)

# Pillow remarks on odd metadata; in production nobody turns that into an error.
ignoring_warnings = pytest.mark.filterwarnings("ignore")


def verdict_of(body: bytes) -> Verdict:
    with pytest.raises(ImageError) as caught:
        decode(body)
    return caught.value.verdict


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


def chunk(kind: bytes, content: bytes) -> bytes:
    crc = struct.pack(">I", zlib.crc32(kind + content))
    return struct.pack(">I", len(content)) + kind + content + crc


def grey_png(
    size: tuple[int, int],
    *,
    rows: bytes | None = None,
    extra: bytes = b"",
    depth: int = 8,
) -> bytes:
    """Build an 8-bit (or deeper) grey PNG by hand; black unless *rows* are given."""
    if rows is None:
        rows = bytes((size[0] * depth // 8 + 1) * size[1])
    header = struct.pack(">IIBBBBB", *size, depth, 0, 0, 0, 0)
    return b"".join(
        [
            b"\x89PNG\r\n\x1a\n",
            chunk(b"IHDR", header),
            extra,
            chunk(b"IDAT", zlib.compress(rows)),
            chunk(b"IEND", b""),
        ]
    )


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


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xd8",
        b"<!doctype html><html><body>Access denied</body></html>",
        b'<svg xmlns="http://www.w3.org/2000/svg" width="800" height="600"/>',
        b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n",
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 400 300\n",
        b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(200),
        b"RIFF\x24\0\0\0WAVEfmt " + bytes(40),
        b"not an image",
    ],
    ids=["empty", "2-bytes", "html", "svg", "pdf", "eps", "heic", "wav", "text"],
)
def test_other_content_is_not_an_image(body: bytes) -> None:
    assert verdict_of(body) is Verdict.NOT_AN_IMAGE


@pytest.mark.parametrize("format_name", ["BMP", "ICO", "TIFF", "JPEG2000", "PPM"])
def test_formats_off_the_list_are_refused(
    make_picture: MakePicture, encode: Encode, format_name: str
) -> None:
    body = encode(make_picture(), format_name)

    assert verdict_of(body) is Verdict.NOT_AN_IMAGE


@pytest.mark.parametrize("format_name", FORMATS)
@pytest.mark.parametrize("percent", [10, 50, 90])
def test_a_truncated_file_is_damaged(
    make_picture: MakePicture, encode: Encode, format_name: str, percent: int
) -> None:
    body = encode(make_picture(), format_name)

    assert verdict_of(body[: len(body) * percent // 100]) is Verdict.DAMAGED


def test_a_jpeg_without_its_end_marker_is_damaged(
    make_picture: MakePicture, encode: Encode
) -> None:
    assert verdict_of(encode(make_picture(), "JPEG")[:-2]) is Verdict.DAMAGED


@pytest.mark.parametrize(
    ("signature", "length"),
    [
        (b"\xff\xd8\xff", 3),
        (b"\x89PNG\r\n\x1a\n", 8),
        (b"\x89PNG\r\n\x1a\n", 40),
        (b"GIF89a", 6),
        (b"GIF89a", 11),
        (b"GIF89a", 400),
        (b"RIFF\x24\0\0\0WEBPVP8 ", 16),
        (b"RIFF\x24\0\0\0WEBPVP8X", 60),
        (b"\0\0\0\x18ftypavif", 12),
        (b"\0\0\0\x18ftypavif\0\0\0\0avifmif1", 80),
    ],
)
def test_a_signature_with_nothing_behind_it_is_damaged(
    signature: bytes, length: int
) -> None:
    assert verdict_of(signature.ljust(length, b"\0")) is Verdict.DAMAGED


def test_a_png_with_a_bad_checksum_is_damaged(
    make_picture: MakePicture, encode: Encode
) -> None:
    body = bytearray(encode(make_picture(), "PNG"))
    body[len(body) // 2] ^= 0xFF

    assert verdict_of(bytes(body)) is Verdict.DAMAGED


def test_junk_after_the_picture_does_not_matter(
    make_picture: MakePicture, encode: Encode
) -> None:
    body = encode(make_picture(), "JPEG")

    with_junk = decode(body + bytes(100_000))

    assert with_junk.image == decode(body).image


@pytest.mark.parametrize("format_name", FORMATS)
def test_flipped_bytes_end_in_a_picture_or_a_verdict(
    make_picture: MakePicture, encode: Encode, format_name: str
) -> None:
    body = encode(make_picture(width=256, height=200), format_name)
    generator = random.Random(11)  # noqa: S311  # a fixed sequence, not a secret
    ends = []
    for _ in range(40):
        broken = bytearray(body)
        for _ in range(generator.choice([1, 4, 64])):
            broken[generator.randrange(len(broken))] = generator.randrange(256)
        try:
            ends.append(decode(bytes(broken)).image.mode)
        except ImageError as error:
            ends.append(error.verdict)

    assert set(ends) <= {
        "RGB",
        Verdict.DAMAGED,
        Verdict.NOT_AN_IMAGE,
        Verdict.TOO_LARGE,
        Verdict.TOO_SMALL,
    }


def test_garbage_inside_the_scan_of_a_jpeg_goes_unnoticed(
    make_picture: MakePicture, encode: Encode
) -> None:
    # The codec cannot tell; recorded here so that nobody relies on the opposite.
    body = bytearray(encode(make_picture(), "JPEG"))
    middle = len(body) // 2
    body[middle : middle + 64] = bytes(range(1, 65))

    assert decode(bytes(body)).image.mode == "RGB"


def test_too_many_bytes_are_too_large() -> None:
    assert verdict_of(b"\xff\xd8\xff".ljust(MAX_BODY_BYTES + 1)) is Verdict.TOO_LARGE


@pytest.mark.parametrize("size", [(30_000, 30_000), (13_500, 13_500), (8_000, 5_001)])
def test_too_many_pixels_are_too_large(size: tuple[int, int]) -> None:
    assert verdict_of(grey_png(size, rows=b"")) is Verdict.TOO_LARGE


def test_the_pixel_limit_itself_is_allowed() -> None:
    # No pixel data follows, so getting as far as "damaged" means the size passed.
    assert verdict_of(grey_png((8_000, 5_000), rows=b"")) is Verdict.DAMAGED


def test_a_jpeg_header_of_65000_square_is_too_large(
    make_picture: MakePicture, encode: Encode
) -> None:
    body = bytearray(encode(make_picture(), "JPEG"))
    frame = body.index(b"\xff\xc0")
    body[frame + 5 : frame + 9] = struct.pack(">HH", 65_000, 65_000)

    assert verdict_of(bytes(body)) is Verdict.TOO_LARGE


def test_a_gif_frame_larger_than_its_screen_counts(
    make_picture: MakePicture, encode: Encode
) -> None:
    body = bytearray(encode(make_picture(), "GIF", comment=b"a comment first"))
    frame = body.index(struct.pack("<BHHHH", 0x2C, 0, 0, 320, 240))
    body[frame + 5 : frame + 9] = struct.pack("<HH", 10_000, 9_500)

    assert verdict_of(bytes(body)) is Verdict.TOO_LARGE


def test_a_huge_webp_canvas_is_too_large(
    make_picture: MakePicture, encode: Encode
) -> None:
    exif = Image.Exif()
    exif[0x0131] = "any tag, to get a header with a canvas"
    body = bytearray(encode(make_picture(), "WEBP", exif=exif))
    body[24:30] = (16_384 - 1).to_bytes(3, "little") * 2

    assert verdict_of(bytes(body)) is Verdict.TOO_LARGE


@pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="reads the peak from Linux's /proc"
)
def test_bombs_are_refused_without_unpacking_them() -> None:
    # 90 MP of black: 88 kB that Pillow alone would unpack, with a warning.
    program = textwrap.dedent(
        """
        import struct, sys, warnings, zlib
        from pathlib import Path
        from phx_pipeline.errors import ImageError
        from phx_pipeline.imaging.decode import decode

        def peak_kib():
            # `ru_maxrss` of a child starts at the peak of the process that forked it.
            lines = Path("/proc/self/status").read_text().splitlines()
            return int(next(l for l in lines if l.startswith("VmHWM:")).split()[1])

        def chunk(kind, content):
            crc = struct.pack(">I", zlib.crc32(kind + content))
            return struct.pack(">I", len(content)) + kind + content + crc

        packer = zlib.compressobj(9)
        row = bytes(9488)
        pixels = b"".join(packer.compress(row) for _ in range(9487)) + packer.flush()
        header = struct.pack(">IIBBBBB", 9487, 9487, 8, 0, 0, 0, 0)
        body = b"\\x89PNG\\r\\n\\x1a\\n" + chunk(b"IHDR", header)
        body += chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
        warnings.simplefilter("error")
        before = peak_kib()
        try:
            decode(body)
        except ImageError as error:
            print(error.verdict)
        print(peak_kib() - before)
        """
    )

    done = subprocess.run(  # noqa: S603  # our own interpreter and program
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    verdict, grown_kib = done.stdout.split()
    assert verdict == Verdict.TOO_LARGE
    assert int(grown_kib) < 10_000


@pytest.mark.parametrize(
    "size",
    [(1, 1), (91, 31), (199, 400), (400, 199), (60_000, 8), (1, 60_000), (1_005, 200)],
)
def test_icons_and_banners_are_too_small(size: tuple[int, int]) -> None:
    assert verdict_of(grey_png(size)) is Verdict.TOO_SMALL


@pytest.mark.parametrize("size", [(200, 200), (1_000, 200), (200, 1_000)])
def test_the_smallest_usable_sizes_pass(size: tuple[int, int]) -> None:
    assert decode(grey_png(size)).image.size == size


@pytest.mark.parametrize("kind", [b"zTXt", b"iCCP"])
def test_a_bomb_beside_the_pixels_is_damaged(kind: bytes) -> None:
    bomb = chunk(kind, b"name\0\0" + zlib.compress(bytes(50_000_000)))

    assert verdict_of(grey_png((320, 240), extra=bomb)) is Verdict.DAMAGED


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
