"""Which of two aligned copies is less sharp in a large part: a half, or all around.

There it is what the other becomes by blurring, and elsewhere both are equally sharp.
Small parts, which are blurred until nothing is to be read, are told by `effaced`; what
is less sharp all over counts as detail.
"""

from typing import Final

import numpy as np

from phx_pipeline.dedup.planes import Mask, Plane, block_means, blurred, edges

_STEEP: Final = 3.0  # grey levels a pixel from which a block has sharpness to lose
_SOFTER: Final = 0.25  # log of how many times steeper the other is
_FAINT: Final = 0.3  # grey levels, of no moment
_RADII: Final = (1.0, 1.6, 2.4, 3.5)  # px
_REST: Final = 0.5  # of the difference that blurring the other leaves in a block
_LEAST: Final = 0.03  # share of the blocks with something to lose that lost it
_FEWEST: Final = 5  # of those blocks
_BROAD: Final = 4  # rows and columns of blocks that have some
_SLIGHT: Final = 1.0  # grey levels by which blocks differ anyway
_EXPLAINED: Final = 0.45  # share of the difference; of smoothing and marks up to 0.4


def softened(ours: Plane, theirs: Plane, inside: Mask) -> int:
    """Return 1 where a large part of the first is less sharp, 2 the second, else 0.

    Both lie in one frame, lit alike and equally sharp; *inside* is what both show.
    """
    whole = block_means(inside) == 1
    steep_1, steep_2 = (block_means(edges(it)) for it in (ours, theirs))
    lost_1, lost_2 = _lost(steep_1, steep_2, whole), _lost(steep_2, steep_1, whole)
    first = _is_softer(ours, theirs, lost=lost_1, whole=whole)
    second = _is_softer(theirs, ours, lost=lost_2, whole=whole)
    return 0 if first == second else 1 if first else 2


def _lost(flat: Plane, steep: Plane, whole: Mask) -> Mask:
    """Return the blocks that lost sharpness; none where they are too few."""
    could = whole & (steep > _STEEP)
    lost: Mask = could & (np.log((steep + _FAINT) / (flat + _FAINT)) > _SOFTER)
    if lost.sum() < max(_FEWEST, _LEAST * could.sum()):
        lost = np.zeros_like(lost)
    return lost


def _is_softer(soft: Plane, sharp: Plane, *, lost: Mask, whole: Mask) -> bool:
    """Whether the first is the second blurred where it *lost* sharpness.

    Noise, marks and what smooths textures leave most of the difference unexplained.
    """
    if not lost.any():
        return False
    gap = block_means(np.abs(soft - sharp))
    rests = [block_means(np.abs(soft - blurred(sharp, it))) for it in _RADII]
    fits = lost & (np.min(rests, axis=0) < _REST * (gap + _FAINT))
    unlike = np.maximum(gap - _SLIGHT, 0)
    explained = unlike[fits].sum() > _EXPLAINED * unlike[whole].sum()
    return bool(explained and _is_broad(fits))


def _is_broad(blocks: Mask) -> bool:
    """Whether they are no line of letters."""
    rows, columns = np.nonzero(blocks)
    return min(len(np.unique(rows)), len(np.unique(columns))) >= _BROAD
