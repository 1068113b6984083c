"""Which of two copies has few tones in each place, as a palette leaves.

Many colours of a palette are as many tones of the whole picture; what is lost shows in
a small part of it. Whose tones are few in the whole picture is told by `worn`.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from phx_pipeline.dedup.tiles import Tiles

_NARROW: Final = 1.0  # grey levels, less than lie between the tones of a palette
_WIDE: Final = 6.0  # grey levels, more than that
_RARE: Final = 1e-5  # share of the pixels, of no moment
_VARIED: Final = 5.0  # grey levels by which a tile varies, or has few tones anyway
_FEW: Final = 6  # tiles below which nothing is said
_FEWER: Final = 0.02  # nats more by which the tones of the middle tile lie together
_MOSTLY: Final = 0.85  # share of the tiles in which they do
_SMOOTHER: Final = 0.05  # log; what spreads tones leaves the other smoother
_FAINT: Final = 0.3  # grey levels, of no moment

Numbers = NDArray[np.float64]


def _spread(width: float) -> Numbers:
    """Return what takes how frequent tones are to how frequent they are around each."""
    far = np.subtract.outer(np.arange(256), np.arange(256)) / width
    around: Numbers = np.exp(-0.5 * far * far)
    around /= around.sum(axis=0)
    return around


_AROUND: Final = (_spread(_NARROW), _spread(_WIDE))


def fewer_levels(ours: Tiles, theirs: Tiles) -> int:
    """Return 1 where the first has few tones in each place, 2 the second, else 0.

    Both show one frame. Of copies of two sizes nothing is said.
    """
    if ours.size != theirs.size:
        return 0
    tones = [_frequencies(it) for it in (ours, theirs)]
    varied = np.minimum(*(_deviation(it) for it in tones)) > _VARIED
    if varied.sum() < _FEW:
        return 0
    first, second = (_gathered(it[varied]) for it in tones)
    finest = [_finest(it)[varied] for it in (ours, theirs)]
    more, smoother = second - first, float(np.median(np.log(finest[0] / finest[1])))
    if _lie_together(more) and smoother < _SMOOTHER:
        return 2
    return 1 if _lie_together(-more) and smoother > -_SMOOTHER else 0


def _lie_together(more: Numbers) -> bool:
    return bool(np.median(more) > _FEWER and (more > 0).mean() > _MOSTLY)


def _frequencies(tiles: Tiles) -> Numbers:
    """Return how frequent each tone is, shape (tiles, 256)."""
    counts = [np.bincount(it.ravel(), minlength=256) for it in tiles.levels]
    shares: Numbers = np.stack(counts) / tiles.levels[0].size
    return shares


def _deviation(shares: Numbers) -> Numbers:
    tones = np.arange(256)
    means = shares @ tones
    squares: Numbers = np.maximum(0, shares @ (tones * tones) - means * means)
    deviation: Numbers = np.sqrt(squares)
    return deviation


def _gathered(shares: Numbers) -> Numbers:
    """Return by how much tones are more frequent than those around, in nats."""
    there, around = (shares @ it + _RARE for it in _AROUND)
    gathered: Numbers = (there * np.log(there / around)).sum(axis=1)
    return gathered


def _finest(tiles: Tiles) -> Numbers:
    """Return how far pixels are off those beside them, in each tile."""
    levels = tiles.levels.astype(np.float32)
    beside = levels[:, :-2, 1:-1] + levels[:, 2:, 1:-1]
    beside += levels[:, 1:-1, :-2] + levels[:, 1:-1, 2:]
    off = levels[:, 1:-1, 1:-1] * 4 - beside
    finest: Numbers = np.sqrt((off * off).mean(axis=(1, 2))) + _FAINT
    return finest
