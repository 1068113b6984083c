"""Whether what features say holds: one movement, and pixels that agree.

A moved camera moves near things against far ones, and other rooms of one builder share
walls only; an overlay leaves everything around it where it was.
"""

from typing import Final

import numpy as np

from phx_pipeline.dedup.features import Match, Points, fitted
from phx_pipeline.dedup.planes import BLOCK, Plane
from phx_pipeline.dedup.sights import Greys, Move, scaled, warped

Size = tuple[int, int]

MIN_INLIERS: Final = 16
MIN_RATIO: Final = 0.68  # of the matches; look-alikes with as many agree in less
MIN_AGREEING: Final = 0.95  # share of blocks, or:
MIN_RATIO_MARKED: Final = 0.88  # of the matches, where marks cover some blocks
MIN_RATIO_SEEN: Final = 0.85  # the same where thumbnails agree; moved cameras have 0.80
MIN_AGREEING_MARKED: Final = 0.72
MIN_RATIO_REST: Final = 0.93  # of the matches, where a large part of one is missing
MIN_AGREEING_REST: Final = 0.3  # share of blocks there
_ENOUGH: Final = 24  # matches; plain walls have fewer
_MAX_ANISOTROPY: Final = 1.1
_MAX_SECOND: Final = 0.25  # times as many points as the first movement, for another one
_MAX_SECOND_MARKED: Final = 0.04  # the same, where marks may cover some blocks, or:
_MAX_SECOND_SMALL: Final = 0.1  # the same, where they cover few
_NEARLY_ALL: Final = 0.9  # share of blocks; a thing of 8 % that moved leaves 0.88
_CHANCE: Final = 12  # points that copies may have there; they have up to 9
_MIN_SPREAD: Final = 0.2  # share of a frame that the points span
_MIN_SEEN: Final = 0.5  # share of the smaller picture that both show

_PATTERN: Final = 4.0  # standard deviation of a block in grey levels
_SAME: Final = 0.7  # correlation of a block that agrees
_WHOLE: Final = 0.9  # share of a block that both show
_FEW: Final = 12  # blocks below which nothing is proven


def is_one_movement(match: Match) -> bool:
    """Whether one movement of the whole picture explains the points both show."""
    if match.inliers < MIN_INLIERS or match.ratio < MIN_RATIO:
        return False
    return match.anisotropy < _MAX_ANISOTROPY and (
        _moved_otherwise(match) <= _MAX_SECOND * match.inliers
    )


def _moved_otherwise(match: Match) -> int:
    """Return how many points another movement explains."""
    second = fitted(match.ours[~match.fits], match.theirs[~match.fits])
    return 0 if second is None else int(second[1].sum())


def tells_much(match: Match) -> bool:
    """Whether so many points look alike that they may overrule what pixels say."""
    return len(match.fits) >= _ENOUGH


def spans(match: Match, ours: Size, theirs: Size) -> bool:
    """Whether the points lie all over one of the frames, sizes as (width, height).

    Of a photo that was cut much they may lie all over the cut alone.
    """
    return any(
        _spread(points[match.fits], size) >= _MIN_SPREAD
        for points, size in ((match.ours, ours), (match.theirs, theirs))
    )


def _spread(points: Points, size: Size) -> float:
    low, high = _extent(points)
    across, down = (high - low) / np.array(size)
    return float(across * down)


def agrees(match: Match, share: float, *, seen: bool = False) -> bool:
    """Whether so many blocks agree that only marks can cover the others.

    Where pixels have been *seen* to agree at a smaller size, points may say it less.
    """
    if share >= MIN_AGREEING:
        return True
    least = MIN_RATIO_SEEN if seen else MIN_RATIO_MARKED
    if match.ratio < least or share < MIN_AGREEING_MARKED:
        return False
    most = _MAX_SECOND_MARKED if share < _NEARLY_ALL else _MAX_SECOND_SMALL
    by_chance = max(_CHANCE, most * match.inliers)
    return _moved_otherwise(match) <= by_chance


def _extent(points: Points) -> tuple[Points, Points]:
    low, high = np.percentile(points, (3, 97), axis=0)
    return low, high


def agreeing_share(a: Greys, b: Greys, move: Move) -> float:
    """Return the share of blocks that agree, 0 where too little can be compared."""
    (ours, before), (theirs, behind) = a.fine, b.fine
    there = scaled(move, before=before, behind=behind)
    moved, inside = warped(theirs, there, size=(ours.shape[1], ours.shape[0]))
    if inside.sum() < _MIN_SEEN * min(ours.size, theirs.size / _growth(there)):
        return 0.0
    first, second = _blocks(ours), _blocks(moved)
    spread_a, spread_b = first.std(axis=1), second.std(axis=1)
    centred = first - first.mean(axis=1, keepdims=True)
    centred *= second - second.mean(axis=1, keepdims=True)
    alike = centred.mean(axis=1) / (spread_a * spread_b + np.float32(1e-3))
    seen = _blocks(inside.astype(np.float32)).mean(axis=1) > _WHOLE
    counts = seen & (np.maximum(spread_a, spread_b) > _PATTERN)
    if counts.sum() < _FEW:
        return 0.0
    return float((alike[counts] > _SAME).mean())


def _growth(move: Move) -> float:
    return float(abs(np.linalg.det(move[:, :2])))


def _blocks(plane: Plane) -> Plane:
    """Return the pixels of each whole block: shape (blocks, pixels)."""
    rows, columns = (side // BLOCK for side in plane.shape)
    whole = plane[: rows * BLOCK, : columns * BLOCK]
    cut = whole.reshape(rows, BLOCK, columns, BLOCK).swapaxes(1, 2)
    return cut.reshape(rows * columns, BLOCK * BLOCK)
