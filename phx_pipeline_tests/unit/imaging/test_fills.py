"""A file of the right length that holds only a part of the picture is damaged."""

from typing import Any

import pytest
from PIL import Image

from phx_pipeline.errors import ImageError
from phx_pipeline.imaging.decode import decode
from phx_pipeline.model.outcome import Verdict
from phx_pipeline_tests.unit.imaging.bodies import Encode, MakePicture

LOSSY: dict[str, tuple[str, dict[str, Any]]] = {
    "webp": ("WEBP", {"quality": 80}),
    "webp with exif": ("WEBP", {"quality": 80, "exif": b"Exif\0\0" * 9}),
    "animated webp": ("WEBP", {"quality": 80, "save_all": True}),
    "avif": ("AVIF", {"quality": 70}),
}


@pytest.fixture(params=LOSSY)
def body(
    request: pytest.FixtureRequest, make_picture: MakePicture, encode: Encode
) -> bytes:
    format_name, options = LOSSY[request.param]
    picture = make_picture(width=640, height=480)
    if options.get("save_all"):
        options = options | {"append_images": [picture.rotate(180)]}
    return encode(picture, format_name, **options)


@pytest.mark.parametrize("fill", [b"\0", b"\xff", b" "])
@pytest.mark.parametrize("percent", [30, 45])
def test_a_fill_in_place_of_the_rest_is_damage(
    body: bytes, fill: bytes, percent: int
) -> None:
    part = body[: len(body) * percent // 100]

    assert decode(body).image.size == (640, 480)
    with pytest.raises(ImageError) as caught:
        decode(part.ljust(len(body), fill))
    assert caught.value.verdict is Verdict.DAMAGED


@pytest.mark.parametrize("fill", [b"\0", b"\xff", b" "])
def test_a_fill_at_the_end_of_a_lossless_webp_is_damage(
    encode: Encode, fill: bytes
) -> None:
    noise = Image.effect_noise((640, 480), 80).convert("RGB")
    body = encode(noise, "WEBP", lossless=True)

    assert decode(body).image.size == (640, 480)
    with pytest.raises(ImageError) as caught:
        decode(body[: len(body) // 2].ljust(len(body), fill))
    assert caught.value.verdict is Verdict.DAMAGED


def test_a_lossless_blank_is_no_damage(encode: Encode) -> None:
    picture = Image.new("RGB", (4_200, 3_200), "white")
    body = encode(picture, "WEBP", lossless=True, quality=0, method=0)  # a run of 17 kB

    assert decode(body).image.size == (4_200, 3_200)


@pytest.mark.parametrize("colour", ["white", "black", "grey"])
@pytest.mark.parametrize("format_name", ["WEBP", "AVIF"])
@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_a_blank_is_no_damage(
    encode: Encode, colour: str, format_name: str, mode: str
) -> None:
    picture = Image.new(mode, (2_000, 1_500), colour)

    assert decode(encode(picture, format_name)).image.size == (2_000, 1_500)


def test_zeros_beside_the_pixels_are_no_damage(
    make_picture: MakePicture, encode: Encode
) -> None:
    tags = Image.Exif()
    tags[0x010E] = "what the camera notes for itself is mostly zeros"
    exif = tags.tobytes() + bytes(4_000)

    assert decode(encode(make_picture(), "WEBP", exif=exif)).image.size == (320, 240)
    assert decode(encode(make_picture(), "AVIF", exif=exif)).image.size == (320, 240)
