"""Whether what one of two aligned copies has more of is detail, or noise or sharpening.

Detail lies where the other has some too, and is finer than what the other shows. Noise,
and the steps that few levels leave, lie where the other is smooth; sharpening draws
what the other shows as well, only steeper.
"""

from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from phx_pipeline.dedup.planes import (
    Mask,
    Plane,
    block_means,
    blurred,
    local_mean,
)
from phx_pipeline.dedup.sights import Move, Sight, luminance, warped
from phx_pipeline.dedup.tones import lit_alike

_RADII: Final = (0.0, 0.7, 1.4)  # px; between them lie the bands
_RIM: Final = 3  # px of what both show that are not looked at
_FEW: Final = 16  # blocks below which nothing is said
_SMALLER: Final = 1.05  # times as small as the other is seen
_SMOOTH: Final = 0.4  # share of the blocks that count as smooth
_BUSY: Final = 0.7  # share of the blocks below which none counts as busy
_NOISE: Final = 0.05  # grey levels squared, of no moment
_NOISY: Final = 0.025  # log of how much more there is where it is smooth
_EVENLY: Final = 2.5  # times how much more there is where it is busy
_SEEMING: Final = 0.13  # of the log of how much finer the noisy one seems
_STEEPER: Final = 0.2  # log of how much more there is in the finest band
_STEEPEST: Final = 1.0  # the same, where it is not drawn along the other's lines
_DRAWN: Final = 0.7  # correlation with the other's lines; what blurring takes has less
_RATHER: Final = 0.3  # the same where bands tell it as well
_SLIGHT: Final = 0.3  # grey levels squared, that a coarser JPEG loses too

Bands = tuple[NDArray[np.float32], NDArray[np.float32]]


def overdrawn(a: Sight, b: Sight, move: Move, *, finer: float, heavier: float) -> int:
    """Return the copy whose surplus is no detail: 1, 2, or 0 for neither.

    *finer* is how many times more detail seems to be in a, *heavier* how many times
    more bytes a pixel it has. The one that seems coarser has no surplus, and where it
    is seen smaller, as it has fewer pixels than a sight, nothing is told.
    """
    which, seems = (1 if finer > 1 else 2), abs(np.log(finer))
    grown = float(np.sqrt(abs(np.linalg.det(move[:, :2]))))
    if (1 / grown if which == 1 else grown) > _SMALLER:
        return 0
    moved, inside = warped(
        luminance(b), move, size=(a.shape[1], a.shape[0]), by=Image.Resampling.BICUBIC
    )
    seen = block_means(inside.astype(np.float32)) > 1 - 1e-6
    if seen.sum() < _FEW:
        return 0
    lit = lit_alike(luminance(a), moved, inside)
    ours, theirs = (_bands(it, seen) for it in lit)
    plain, fine = (theirs, ours) if which == 1 else (ours, theirs)
    is_lighter = (heavier if which == 1 else 1 / heavier) < 1
    noise = _noise(
        plain[0] + plain[1], fine[0] + fine[1], least=0 if is_lighter else _SLIGHT
    )
    if noise > max(_NOISY, _SEEMING * seems):
        return which
    drawn = _correlation(*(lit[::-1] if which == 1 else lit), inside)
    return which if _is_sharpened(plain, fine, seems=seems, drawn=drawn) else 0


def _noise(plain: Plane, rough: Plane, *, least: float) -> float:
    """Return the log of how much more *rough* has where it is smooth, at least.

    Less than *least* of it is none.
    """
    both = plain + rough
    is_busy = both >= np.quantile(both, _BUSY)
    busy = _more(plain[is_busy], rough[is_busy])
    smooth = [it <= np.quantile(it, _SMOOTH) for it in (plain, rough)]
    if min(float((rough - plain)[it].mean()) for it in smooth) < least:
        return 0.0
    more = min(_more(plain[it], rough[it]) for it in smooth) - busy
    return more if more > _EVENLY * abs(busy) else 0.0


def _is_sharpened(plain: Bands, sharp: Bands, *, seems: float, drawn: float) -> bool:
    """Whether lines are drawn steeper, in the median block that has some.

    Blurring takes the more, the finer a line is; sharpening adds to coarser ones too,
    and what it adds is *drawn* along the lines that are there.
    """
    busy = plain[0] >= np.quantile(plain[0], 1 - _BUSY)
    first, second = (
        float(np.median(np.log((q + _NOISE) / (p + _NOISE))[busy])) / 2
        for p, q in zip(plain, sharp, strict=True)
    )
    if first < _STEEPER or drawn < _RATHER:
        return False
    by_bands = first < _STEEPEST and seems < 2.2 * second / first - 0.35
    return by_bands or drawn > _DRAWN


def _correlation(plain: Plane, fine: Plane, inside: Mask) -> float:
    """Return how far what *fine* has more follows the lines of *plain*, -1 to 1."""
    inner = local_mean(inside, _RIM) > 1 - 1e-6
    lines, more = (plain - blurred(plain, _RADII[2]))[inner], (fine - plain)[inner]
    lines, more = lines - lines.mean(), more - more.mean()
    return float((lines * more).mean() / (lines.std() * more.std() + 1e-6))


def _bands(plane: Plane, seen: Mask) -> Bands:
    """Return how strong the two finest bands are in the blocks, squared."""
    soft = [blurred(plane, it) for it in _RADII]
    finest, fine = (block_means((p - q) ** 2)[seen] for p, q in pairwise(soft))
    return finest, fine


def _more(ours: NDArray[np.float32], theirs: NDArray[np.float32]) -> float:
    """Return the log of how many times stronger *theirs* is, both squared."""
    return float(np.log((theirs.mean() + _NOISE) / (ours.mean() + _NOISE)) / 2)
