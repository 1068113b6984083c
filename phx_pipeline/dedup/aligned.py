"""Pairs of candidates laid onto each other by their stored thumbnails."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from phx_pipeline.dedup.align import Agreement, agreement, moves_of_frames
from phx_pipeline.dedup.proposals import Candidate, Indexes
from phx_pipeline.model.appearance import THUMBNAIL_SIDE


def frame_moves(pictures: Sequence[Candidate], pairs: Indexes) -> NDArray[np.float32]:
    """Return how the contents of pairs lie if whole frames show the same."""
    looks = [picture.appearance for picture in pictures]
    moves = [
        moves_of_frames(ours, theirs)
        for a, b in pairs
        if (ours := looks[a]) is not None and (theirs := looks[b]) is not None
    ]
    return np.array(moves, dtype=np.float32).reshape(-1, 4)


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
