"""A glimpse is the whole picture, upright, and trusts no more than `decode` does."""

from functools import cache
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from phx_pipeline.demo.rooms import draw
from phx_pipeline.errors import ImageError
from phx_pipeline.imaging.decode import decode
from phx_pipeline.imaging.glimpse import SIDE, glimpse
from phx_pipeline.model.outcome import Verdict
from phx_pipeline.sources.standins import RoomKind

LARGE = (1000, 750)


@cache
def jpeg(*, orientation: int = 1) -> bytes:
    return draw(RoomKind.KITCHEN, seed=1, size=LARGE, orientation=orientation)


def as_png(body: bytes) -> bytes:
    file = BytesIO()
    decode(body).image.save(file, "PNG", compress_level=1)
    return file.getvalue()


@pytest.mark.parametrize("orientation", [1, 3, 6])
def test_reduced_or_not_it_shows_the_same_upright(orientation: int) -> None:
    whole = decode(jpeg()).image.resize((SIDE, SIDE), Image.Resampling.BILINEAR)

    seen = glimpse(jpeg(orientation=orientation))

    assert seen.shape == (SIDE, SIDE, 3)
    assert seen.dtype == np.uint8
    off = np.abs(seen.astype(np.int16) - np.asarray(whole))
    assert off.mean() < 3


def test_what_is_no_jpeg_comes_out_as_it_is() -> None:
    whole = decode(jpeg()).image.resize((SIDE, SIDE), Image.Resampling.BILINEAR)

    assert np.array_equal(glimpse(as_png(jpeg())), np.asarray(whole))


def test_a_jpeg_is_decoded_no_larger_than_needed() -> None:
    small = decode(jpeg(), at_least=SIDE)

    assert SIDE <= small.height < 2 * SIDE
    assert small.width / small.height == pytest.approx(LARGE[0] / LARGE[1], rel=0.01)


def half(body: bytes) -> bytes:
    return body[: len(body) // 2] + b"\xff\xd9"


def many_scans(body: bytes) -> bytes:
    file = BytesIO()
    decode(body).image.resize((300, 300)).save(file, "JPEG", progressive=True)
    whole = file.getvalue()
    last = whole.rindex(b"\xff\xda")
    return whole[:-2] + whole[last:-2] * 120 + b"\xff\xd9"


@pytest.mark.parametrize("damage", [half, many_scans])
def test_damage_and_bombs_are_refused_as_ever(damage: object) -> None:
    assert callable(damage)
    body = damage(jpeg())

    with pytest.raises(ImageError) as reduced:
        glimpse(body)
    with pytest.raises(ImageError) as whole:
        decode(body)

    assert reduced.value.verdict is whole.value.verdict is Verdict.DAMAGED
