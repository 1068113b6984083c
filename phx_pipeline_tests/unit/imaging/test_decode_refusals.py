"""What is refused, and as what: no picture, damaged, too large or too small."""

import random
import struct
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from PIL import Image

from phx_pipeline.errors import ImageError
from phx_pipeline.imaging.decode import MAX_BODY_BYTES, decode
from phx_pipeline.model.outcome import Verdict
from phx_pipeline_tests.unit.imaging.bodies import (
    FORMATS,
    Encode,
    MakePicture,
    grey_png,
)


def verdict_of(body: bytes) -> Verdict:
    with pytest.raises(ImageError) as caught:
        decode(body)
    return caught.value.verdict


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
