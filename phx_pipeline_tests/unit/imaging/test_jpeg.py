"""Half a JPEG is told from a whole one, and a whole one keeps Pillow's pixels."""

from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from phx_pipeline.errors import ImageError
from phx_pipeline.imaging.decode import decode
from phx_pipeline.imaging.jpeg import MAX_SCANS
from phx_pipeline.model.outcome import Verdict
from phx_pipeline_tests.unit.imaging.bodies import Encode, MakePicture

END = b"\xff\xd9"
CODINGS: dict[str, dict[str, Any]] = {
    "4:2:0": {"subsampling": 2},
    "4:2:2": {"subsampling": 1},
    "4:4:4": {"subsampling": 0},
    "progressive": {"progressive": True},
    "restarts": {"restart_marker_blocks": 4},
    "rgb": {"keep_rgb": True},
}


def damaged(body: bytes) -> bool:
    try:
        decode(body)
    except ImageError as error:
        return error.verdict is Verdict.DAMAGED
    return False


@pytest.fixture(params=["L", "RGB", "CMYK"])
def mode(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=CODINGS)
def body(
    request: pytest.FixtureRequest, make_picture: MakePicture, encode: Encode, mode: str
) -> bytes:
    options = {"subsampling": 0} | CODINGS[request.param]
    if mode != "RGB":
        options.pop("keep_rgb", None)
    if mode == "CMYK":  # the strict decoder knows it without subsampling alone
        options["subsampling"] = 0
    return encode(make_picture().convert(mode), "JPEG", quality=80, **options)


def test_the_pixels_are_those_of_pillow(body: bytes) -> None:
    with Image.open(BytesIO(body)) as file:
        expected = np.asarray(file.convert("RGB"))

    assert np.array_equal(np.asarray(decode(body).image), expected)


def test_half_a_file_is_damaged_however_it_ends(body: bytes) -> None:
    half = body[: len(body) // 2]
    rest = len(body) - len(half)

    assert damaged(half)
    assert damaged(half + END)
    assert damaged(half + END + bytes(rest - 2))
    assert damaged(half + b"<html>busy</html>" * 20 + END)


def test_zeros_amid_the_scan_are_damage(body: bytes) -> None:
    third = len(body) // 3

    assert damaged(body[:third] + bytes(third) + body[2 * third :])


def test_garbage_amid_the_scan_is_damage(body: bytes) -> None:
    third = len(body) // 3
    garbage = np.random.default_rng(5).bytes(third)

    assert damaged(body[:third] + garbage + body[2 * third :])


def test_what_stands_behind_the_end_is_no_damage(body: bytes) -> None:
    page = b"<html><body>served by a cache</body></html>"

    assert decode(body + page).image.size == (320, 240)


def test_a_lacking_end_marker_is_no_damage(body: bytes) -> None:
    expected = np.asarray(decode(body).image)

    assert np.array_equal(np.asarray(decode(body[:-2]).image), expected)
    assert np.array_equal(np.asarray(decode(body[:-1]).image), expected)


def test_a_cmyk_picture_the_strict_decoder_does_not_know_is_still_opened(
    make_picture: MakePicture, encode: Encode
) -> None:
    body = encode(make_picture().convert("CMYK"), "JPEG", subsampling=2)

    assert decode(body).image.size == (320, 240)


def test_large_pictures_are_judged_as_strictly(encode: Encode) -> None:
    # Of one colour but for its noise: small as a file, large as a picture.
    pixels = np.full((3_600, 4_800), 120, dtype=np.uint8)
    pixels[::8, ::8] = np.random.default_rng(1).integers(0, 255, (450, 600))
    body = encode(Image.fromarray(pixels), "JPEG", quality=50)

    assert decode(body).width == 4_800
    assert damaged(body[: len(body) // 2] + END)


def test_many_scans_are_refused_before_they_cost_anything(
    make_picture: MakePicture, encode: Encode
) -> None:
    body = encode(make_picture(), "JPEG", progressive=True)
    last = body.rindex(b"\xff\xda")
    scan = body[last:-2]

    with pytest.raises(ImageError, match="scans"):
        decode(body[:-2] + scan * MAX_SCANS + END)


def test_scans_of_a_picture_inside_the_header_are_not_counted(
    make_picture: MakePicture, encode: Encode
) -> None:
    body = encode(make_picture(), "JPEG")
    thumbnail = b"\xff\xe5" + (2 + 400).to_bytes(2, "big") + b"\xff\xda" * 200

    assert decode(body[:2] + thumbnail + body[2:]).image.size == (320, 240)


def test_no_real_photo_is_refused_and_all_halves_are(shared_dir: Path) -> None:
    files = sorted((shared_dir / "photos/full").glob("*.jpg"))[::6]
    bodies = [file.read_bytes() for file in files]

    refused = [file for file, body in zip(files, bodies, strict=True) if damaged(body)]
    halves = [damaged(body[: len(body) // 2] + END) for body in bodies]

    assert len(files) == 48
    assert refused == []
    assert all(halves)
