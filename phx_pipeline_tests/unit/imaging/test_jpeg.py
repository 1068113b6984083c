"""Half a JPEG is told from a whole one, and a whole one keeps Pillow's pixels."""

from base64 import b64decode
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from phx_pipeline.errors import ImageError
from phx_pipeline.imaging.decode import decode
from phx_pipeline.imaging.jpeg_scans import MAX_SCANS
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


@pytest.fixture(params=["baseline", "progressive"])
def odd_body(
    request: pytest.FixtureRequest, make_picture: MakePicture, encode: Encode
) -> bytes:
    """A kind the strict decoder does not know."""
    progressive = request.param == "progressive"
    picture = make_picture().convert("CMYK")
    return encode(picture, "JPEG", subsampling=2, progressive=progressive)


def test_a_cmyk_picture_the_strict_decoder_does_not_know_keeps_its_pixels(
    odd_body: bytes,
) -> None:
    with Image.open(BytesIO(odd_body)) as file:
        expected = np.asarray(file.convert("RGB"))

    for body in (odd_body, odd_body[:-2], odd_body + b"<html>behind the end</html>"):
        assert np.array_equal(np.asarray(decode(body).image), expected)


@pytest.mark.parametrize("percent", [10, 50, 80, 95])
def test_a_part_of_such_a_picture_is_damaged_however_it_ends(
    odd_body: bytes, percent: int
) -> None:
    part = odd_body[: len(odd_body) * percent // 100]
    rest = len(odd_body) - len(part)

    assert damaged(part)
    assert damaged(part + END)
    assert damaged(part + bytes(rest - 2) + END)
    assert damaged(part + b"\xff" * (rest - 2) + END)


def test_a_blank_of_such_a_kind_is_whole(encode: Encode) -> None:
    blank = Image.new("CMYK", (640, 480), (0, 0, 0, 0))

    assert decode(encode(blank, "JPEG", subsampling=2)).image.size == (640, 480)


# A pattern of waves, 200 x 200, in arithmetic coding, which Pillow does not write.
ARITHMETIC = b64decode(
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDACgcHiMeGSgjISMtKygwPGRBPDc3PHtYXUlkkYCZlo+A"
    "jIqgtObDoKrarYqMyP/L2u71////m8H////6/+b9//j/yQALCADIAMgBAREA/8wABgAQEAX/2gAI"
    "AQEAAD8A0Ml8oWjBpcmP9D7bh/qegsVhjfUD/wCHzkNcXUZ2Y9vlSZb22hJpbqDr2QPar1/9wnEf"
    "mVBLV/AqXnyrYUdXW+yrkUD0JI2dMojVP99KitcYuVw5c/AQFaXystRmnfvleHTeDxAolORnEmoo"
    "xx3+xDlHBejQLS0Eek2iKbyCcFUcx/k59JWwisAMn855CBeiv4Yjzy6ukADGvm9YN4El7TDzR1nK"
    "uNTbcw/5W04GcnDhP6MufjXlipNs3H9ud3xmIRcVfxI9F+rx5BivlyR4CnR8WZdzrn2zKPIHrROw"
    "SMY1XgNzSvkeUynf8nc5rtVqwxyJmh4llaG72gDZMBzKxMpPCo19qOC1dW7lhlkpotqUDUj6qsO/"
    "zXJUYpxibHEyB2rOnuoyWx+LPTmECQCYmTPr9syEzLSBjqJbj8Poqt56TjrCZoGuQ7Wf0MpryC3+"
    "QtGl0hgel8ZZ7H4ZGmMLUyZ3XH0TOk0aQGWGRdZjgywNfpGt834vMIT/AID5q1/8oLyLtDqW0Zdr"
    "DLg6wjpUviUTiLgpzT7s3bQVmV6y6cKclq06McdbbzzFT25QPq6NhAzTg1XwDNXmaxNv+zW5XXuS"
    "ssXiMhxPG+wSjVM1R8W0zUcuvkQo8J1pEi1I9FM0mVdPf0AdBBH8TZZmfp/goDGAGFBxNjQ1ojij"
    "mdmeyantKNIvqe5YkwGIJ7uZqYetjEFJIM9swCoY/wBIcTqRc/mweTIW3Su7m16tt+xPMz1kHIs4"
    "ACR4Vo/5bk7Av88fdmOBtMy4HmkgJDqaIF2o5DRNfwCZFJr8V5m37KL9P9Q8hI+cxUWBOZ/mhey8"
    "mptjVre2Bac33BqC7typEmc+EMaz7kcVwfnS+t/kq23C7OhUixhebBTkjrsk8G3ktmVnYBZtidbF"
    "z+/nnfHf24EtkpA2iQ0uwdXwcYfh7HfYwmM8o/mTT6LpmISYY/AAFrdmx9eHJhHARAmXx38G75IW"
    "fQyJgHXJqrFkn3N/jrnd7ANZk5bYh8EQ/9k="
)


def test_a_part_of_a_picture_in_arithmetic_coding_is_damaged() -> None:
    half = ARITHMETIC[: len(ARITHMETIC) // 2]

    for body in (ARITHMETIC, ARITHMETIC[:-2], ARITHMETIC + b"<html>"):
        assert decode(body).image.size == (200, 200)
    assert damaged(half)
    assert damaged(half + END)


def starts_of_scans(body: bytes) -> list[int]:
    # No table or picture made here has these bytes by chance: a marker escapes them.
    return [at for at in range(len(body)) if body.startswith(b"\xff\xda", at)]


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_a_progressive_picture_without_its_last_scans_is_damaged(
    make_picture: MakePicture, encode: Encode, mode: str
) -> None:
    body = encode(make_picture().convert(mode), "JPEG", progressive=True)
    starts = starts_of_scans(body)

    assert len(starts) > 5
    for start in starts[1:]:
        assert damaged(body[:start])
        assert damaged(body[:start] + END)


def test_a_progressive_picture_without_a_scan_amid_is_damaged(
    make_picture: MakePicture, encode: Encode
) -> None:
    body = encode(make_picture(), "JPEG", progressive=True)
    starts = starts_of_scans(body)

    for start, end in pairwise(starts):
        assert damaged(body[:start] + body[end:])


@pytest.mark.parametrize("number", [(1, 2), (2, 1), (3, 3)])
def test_a_profile_that_counts_wrongly_hides_no_damage(
    make_picture: MakePicture, encode: Encode, number: tuple[int, int]
) -> None:
    body = encode(make_picture(), "JPEG")
    profile = b"ICC_PROFILE\0" + bytes(number) + bytes(200)
    marker = b"\xff\xe2" + (2 + len(profile)).to_bytes(2, "big") + profile
    body = body[:2] + marker + body[2:]

    assert decode(body).image.size == (320, 240)
    assert damaged(body[: len(body) // 2] + END)


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
