"""Pairs of candidates laid onto each other by their stored thumbnails."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from phx_pipeline.dedup.align import Agreement, agreement, moves_of_frames
from phx_pipeline.dedup.proposals import Candidate, Indexes
from phx_pipeline.dedup.shapes import UNLIKE
from phx_pipeline.model.appearance import THUMBNAIL_SIDE, Appearance


def frame_moves(pictures: Sequence[Candidate], pairs: Indexes) -> NDArray[np.float32]:
    """Return how the contents of pairs lie if whole frames show the same."""
    looks = [picture.appearance for picture in pictures]
    moves = [
        moves_of_frames(ours, theirs)
        for a, b in pairs
        if (ours := looks[a]) is not None and (theirs := looks[b]) is not None
    ]
    return np.array(moves, dtype=np.float32).reshape(-1, 4)


def cut_moves(pictures: Sequence[Candidate], pairs: Indexes) -> NDArray[np.float32]:
    """Return how contents lie if the second frame is the middle of the first.

    A flat sky may be trimmed off the cut alone. Nothing moves where nothing was
    trimmed, or where both frames are of one shape.
    """
    moves = np.zeros((len(pairs), 4), dtype=np.float32)
    for row, (a, b) in enumerate(pairs):
        wider = _shape(pictures[a]) / _shape(pictures[b])
        looks = pictures[a].appearance, pictures[b].appearance
        if looks[0] is None or looks[1] is None or 1 / UNLIKE < wider < UNLIKE:
            continue
        if looks[0].content_share < 1 or looks[1].content_share < 1:
            parts = min(1.0, 1 / wider), min(1.0, wider)
            moves[row] = moves_of_frames(looks[0], _within(looks[1], *parts))
    return moves


def _shape(picture: Candidate) -> float:
    return picture.width / picture.height


def _within(look: Appearance, across: float, down: float) -> Appearance:
    """Return where the content lies in a frame of which this one is the middle part."""
    left, right = ((it - 0.5) * across + 0.5 for it in (look.left, look.right))
    top, bottom = ((it - 0.5) * down + 0.5 for it in (look.top, look.bottom))
    return replace(look, left=left, right=right, top=top, bottom=bottom)


def aligned(
    pictures: Sequence[Candidate],
    pairs: Indexes,
    *,
    starts: NDArray[np.float32] | None = None,
    stirred_from: float = 0.0,
) -> Agreement:
    """Align the second picture of each pair to its first; see `align.agreement`."""
    used, places = np.unique(pairs, return_inverse=True)
    planes = np.zeros((len(used), THUMBNAIL_SIDE, THUMBNAIL_SIDE), dtype=np.uint8)
    for place, index in enumerate(used):
        look = pictures[index].appearance
        if look is not None:
            planes[place].flat = np.frombuffer(look.thumbnail, dtype=np.uint8)
    ours, theirs = places.reshape(-1, 2).T
    return agreement(
        planes[ours], planes[theirs], starts=starts, stirred_from=stirred_from
    )
