"""Pixels are counted by the memory they take, before any is decoded."""

import struct
from io import BytesIO

import pytest
from PIL import Image

from phx_pipeline.errors import ImageError
from phx_pipeline.imaging.decode import decode, stated_pixels
from phx_pipeline.imaging.memory import MAX_PIXELS, weighed_pixels, weighed_png
from phx_pipeline.model.outcome import Verdict
from phx_pipeline_tests.unit.imaging.bodies import Encode, MakePicture

PLAIN = 320 * 240


def weighed(body: bytes) -> float:
    return weighed_pixels(Image.open(BytesIO(body))) / PLAIN


@pytest.mark.parametrize(
    ("mode", "options"),
    [
        ("1", {}),
        ("L", {}),
        ("L", {"transparency": 7}),
        ("P", {}),
        ("P", {"transparency": 7}),
        ("RGB", {}),
        ("RGB", {"transparency": (1, 2, 3)}),
        ("RGBA", {}),
        ("LA", {}),
        ("I;16", {}),
    ],
)
def test_a_png_is_weighed_by_its_header_as_when_it_is_opened(
    make_picture: MakePicture, encode: Encode, mode: str, options: dict[str, object]
) -> None:
    body = encode(make_picture().convert(mode), "PNG", **options)

    assert weighed_png(body) / PLAIN == weighed(body)


@pytest.mark.parametrize(
    ("mode", "format_name", "options"),
    [
        ("RGB", "JPEG", {"progressive": True}),
        ("CMYK", "JPEG", {}),
        ("RGBA", "PNG", {}),
        ("RGB", "WEBP", {}),
        ("RGB", "AVIF", {}),
    ],
)
def test_what_takes_more_memory_counts_for_more_pixels(
    make_picture: MakePicture,
    encode: Encode,
    mode: str,
    format_name: str,
    options: dict[str, object],
) -> None:
    image = make_picture()

    assert weighed(encode(image, "JPEG")) == weighed(encode(image, "PNG")) == 1
    assert weighed(encode(image.convert(mode), format_name, **options)) > 1


def test_what_is_too_much_by_its_memory_is_too_large(
    make_picture: MakePicture, encode: Encode
) -> None:
    body = bytearray(encode(make_picture(), "JPEG", progressive=True))
    frame = body.index(b"\xff\xc2")
    body[frame + 5 : frame + 9] = struct.pack(">HH", 5_000, 6_000)
    assert MAX_PIXELS > 5_000 * 6_000

    with pytest.raises(ImageError) as caught:
        decode(bytes(body))

    assert caught.value.verdict is Verdict.TOO_LARGE
    assert stated_pixels(bytes(body)) == 0


def test_many_scans_of_a_large_picture_are_too_large(
    make_picture: MakePicture, encode: Encode
) -> None:
    body = encode(make_picture(), "JPEG", progressive=True)
    last = body.rindex(b"\xff\xda")
    body = body[:-2] + body[last:-2] * 60 + body[-2:]
    frame = body.index(b"\xff\xc2")
    large = body[: frame + 5] + struct.pack(">HH", 2_500, 3_000) + body[frame + 9 :]

    with pytest.raises(ImageError, match="scans") as caught:
        decode(large)

    assert caught.value.verdict is Verdict.TOO_LARGE
