"""What points of two pictures prove, and what speaks against a copy."""

import numpy as np
import pytest

from phx_pipeline.dedup.features import Match, Points
from phx_pipeline.dedup.proof import agrees, is_one_movement, spans, tells_much

_SHIFT = np.array((70.0, 8.0), dtype=np.float32)
_STILL = np.column_stack((np.eye(2), np.zeros(2)))


def matched(still: int, *, moved: int = 0, stray: int = 0) -> Match:
    """Points that stay where they are, some that move together, and some astray."""
    rng = np.random.default_rng(1)
    ours: Points = rng.uniform(0, 400, (still + moved + stray, 2)).astype(np.float32)
    theirs = ours.copy()
    theirs[still : still + moved] += _SHIFT
    theirs[still + moved :] = rng.uniform(0, 400, (stray, 2))
    fits = np.arange(len(ours)) < still
    return Match(
        move=_STILL,
        inliers=still,
        ratio=still / len(ours),
        anisotropy=1.0,
        ours=ours,
        theirs=theirs,
        fits=fits,
    )


@pytest.mark.parametrize(
    ("moved", "share", "is_copy"),
    [(8, 0.8, True), (25, 0.8, False), (25, 0.97, True), (0, 0.7, False)],
)
def test_a_thing_that_moved_is_no_mark(moved: int, share: float, is_copy: bool) -> None:  # noqa: FBT001 - a row of the table
    match = matched(250, moved=moved)

    assert is_one_movement(match)
    assert agrees(match, share) is is_copy


def test_points_need_say_less_where_thumbnails_agree() -> None:
    match = matched(174, stray=26)

    assert not agrees(match, 0.8)
    assert agrees(match, 0.8, seen=True)


def test_few_points_overrule_no_pixels() -> None:
    assert tells_much(matched(24))
    assert not tells_much(matched(20, stray=3))


@pytest.mark.parametrize(("cut", "is_copy"), [((400, 400), True), ((950, 900), False)])
def test_points_lie_all_over_a_cut_of_the_photo(
    cut: tuple[int, int],
    is_copy: bool,  # noqa: FBT001 - a row of the table
) -> None:
    assert spans(matched(50), (1000, 900), cut) is is_copy
