"""What stands beside the pixels of a PNG never costs the picture."""

import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from phx_pipeline.errors import ImageError
from phx_pipeline.imaging.decode import decode
from phx_pipeline.imaging.png_pixels import pixels_only
from phx_pipeline.model.outcome import Verdict
from phx_pipeline_tests.unit.imaging.bodies import (
    Encode,
    MakePicture,
    chunk,
    grey_png,
)

PNG = b"\x89PNG\r\n\x1a\n"
STALE_XMP = b'<x:xmpmeta xmlns:tiff="t" tiff:Orientation="6"/>'


@pytest.mark.parametrize("kind", [b"zTXt", b"iCCP"])
def test_a_bomb_beside_the_pixels_is_not_unpacked(kind: bytes) -> None:
    bomb = chunk(kind, b"name\0\0" + zlib.compress(bytes(50_000_000)))
    body = grey_png((320, 240), extra=bomb)

    assert decode(body).image.size == (320, 240)
    assert len(pixels_only(body)) < 1_000


def test_a_long_text_is_left_out() -> None:
    text = chunk(b"tEXt", b"comment\0" + b"a" * 3_000_000)

    assert decode(grey_png((320, 240), extra=text)).image.size == (320, 240)


@pytest.mark.parametrize("cut", [1, 4, 8, 12, 14, 16])
def test_a_cut_end_is_no_damage(
    make_picture: MakePicture, encode: Encode, cut: int
) -> None:
    body = encode(make_picture(), "PNG")

    assert decode(body[:-cut]).image == decode(body).image


def test_cut_pixels_are_damage(make_picture: MakePicture, encode: Encode) -> None:
    body = encode(make_picture(), "PNG")

    with pytest.raises(ImageError) as caught:
        decode(body[: len(body) // 2])

    assert caught.value.verdict is Verdict.DAMAGED


@pytest.mark.parametrize("frames", [0, 1, 7, 0xFFFF_FFFF])
def test_an_animation_that_does_not_count_right_shows_its_first_frame(
    make_picture: MakePicture, encode: Encode, frames: int
) -> None:
    image = make_picture()
    body = encode(image, "PNG", save_all=True, append_images=[image.rotate(180)])
    at = body.index(b"acTL") - 4
    wrong = chunk(b"acTL", struct.pack(">II", frames, 0))

    found = decode(body[:at] + wrong + body[at + len(wrong) :]).image

    assert np.array_equal(np.asarray(found), np.asarray(image))


def test_the_transparent_colour_of_sixteen_bits_becomes_white() -> None:
    key, other = struct.pack(">HHH", 0x1234, 0x5678, 0x9ABC), bytes(6)
    row = b"\0" + key * 120 + other * 120
    body = b"".join(
        [
            b"\x89PNG\r\n\x1a\n",
            chunk(b"IHDR", struct.pack(">IIBBBBB", 240, 200, 16, 2, 0, 0, 0)),
            chunk(b"tRNS", key),
            chunk(b"IDAT", zlib.compress(row * 200)),
            chunk(b"IEND", b""),
        ]
    )

    pixels = np.asarray(decode(body).image)

    assert (pixels[:, :120] == 255).all()
    assert (pixels[:, 120:] == 0).all()


def test_exif_as_old_programs_wrote_it_turns_the_picture(
    make_picture: MakePicture, encode: Encode
) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    block = exif.tobytes()
    lines = f"\nexif\n    {len(block)}\n{block.hex()}\n".encode()
    text = chunk(b"tEXt", b"Raw profile type exif\0" + lines)
    body = encode(make_picture(), "PNG")

    turned = decode(body[:33] + text + body[33:]).image

    assert turned.size == (240, 320)


@pytest.mark.parametrize("format_name", ["JPEG", "PNG", "WEBP"])
def test_orientation_in_xmp_alone_turns_nothing(
    make_picture: MakePicture, encode: Encode, format_name: str
) -> None:
    image = make_picture()
    body = encode(image, format_name, xmp=STALE_XMP)
    if format_name == "PNG":
        text = chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + STALE_XMP)
        body = body[:33] + text + body[33:]

    assert decode(body).image.size == image.size


@pytest.mark.parametrize("rows", [0, 1, 120, 239])
def test_rows_that_a_whole_stream_does_not_have_are_damage(rows: int) -> None:
    body = grey_png((320, 240), rows=bytes(321 * rows))

    with pytest.raises(ImageError) as caught:
        decode(body)

    assert caught.value.verdict is Verdict.DAMAGED


@pytest.mark.parametrize("percent", [20, 50, 90, 99])
def test_zeros_in_place_of_the_rest_are_damage(
    make_picture: MakePicture, encode: Encode, percent: int
) -> None:
    body = encode(make_picture().convert("1"), "PNG")  # in one chunk, as small ones are
    kept = len(body) * percent // 100

    with pytest.raises(ImageError) as caught:
        decode(body[:kept].ljust(len(body), b"\0"))

    assert caught.value.verdict is Verdict.DAMAGED


@pytest.mark.parametrize("size", [(200, 201), (203, 207), (1_000, 200)])
@pytest.mark.parametrize("depth", [1, 8, 16])
def test_interlaced_pictures_are_whole_with_all_their_passes(
    size: tuple[int, int], depth: int
) -> None:
    width, height = size
    steps = (
        *((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4)),
        *((0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)),
    )
    rows = b"".join(
        bytes(1 + (len(range(x, width, across)) * depth + 7) // 8)
        for x, y, across, down in steps
        for _ in range(y, height, down)
    )
    header = struct.pack(">IIBBBBB", width, height, depth, 0, 0, 0, 1)

    def png(packed: bytes) -> bytes:
        return PNG + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(packed))

    assert decode(png(rows)).image.size == size
    with pytest.raises(ImageError):
        decode(png(rows[: -1 - (width * depth + 7) // 8]))
