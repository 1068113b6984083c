"""What fills the frame beside a photo, told by how it ends where the photo begins."""

import numpy as np
import pytest

from phx_pipeline.dedup.bars import end_abruptly, end_softly
from phx_pipeline.dedup.edging import edging
from phx_pipeline.dedup.planes import Plane, blurred

_DEEP = 30  # px of each bar


def scene(rows: int) -> Plane:
    rng = np.random.default_rng(2)
    rough: Plane = rng.uniform(60, 200, (rows, 160)).astype(np.float32)
    return blurred(rough, 2.0) * 3 - 200


@pytest.mark.parametrize("is_framed", [True, False])
def test_what_varies_little_and_breaks_off_on_both_sides_is_no_scene(
    is_framed: bool,  # noqa: FBT001 - a row of the table
) -> None:
    lines = scene(200)
    if is_framed:
        soft = np.linspace(20, 40, 160, dtype=np.float32)
        lines[:_DEEP] = lines[-_DEEP:] = soft

    assert end_abruptly(((lines, _DEEP), (lines[::-1], _DEEP))) is is_framed


@pytest.mark.parametrize("is_framed", [True, False])
def test_what_is_blurred_up_to_where_the_photo_begins_is_no_scene(
    is_framed: bool,  # noqa: FBT001 - a row of the table
) -> None:
    lines = scene(200)
    if is_framed:
        soft = blurred(lines, 8.0)
        lines[2:_DEEP], lines[-_DEEP:] = soft[2:_DEEP], soft[-_DEEP:]
    else:  # a wall is as smooth, and goes on
        lines[: _DEEP + 9], lines[-_DEEP - 9 :] = 120, 140

    assert end_softly(((lines, _DEEP), (lines[::-1], _DEEP))) is is_framed


def test_a_strip_of_which_letters_leave_less_than_half_is_none_of_the_scene() -> None:
    grey = scene(120).clip(60, 200)
    strip = np.full((20, 160), 30, np.float32)
    place = np.add.outer(np.arange(15), np.arange(160)) % 3
    strip[3:18] = np.array((140, 37, 30))[place]  # coding lays a haze around letters
    below = np.concatenate((grey, strip))
    whole, longer = (
        np.repeat(it[:, :, None], 3, axis=2).astype(np.uint8) for it in (grey, below)
    )

    found = edging(whole, longer, np.eye(2, 3))

    assert (found.scene, found.ours, found.theirs) == (1, False, True)
