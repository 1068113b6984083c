"""Whether what one of two aligned copies has more of is detail, or noise or sharpening.

Detail lies where the other has some too, and is finer than what the other shows. Noise,
and the steps that few levels leave, lie where the other is smooth; sharpening draws
what the other shows as well, only steeper.
"""

from dataclasses import dataclass
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
_STRONGEST: Final = 0.95  # share of the blocks below which lines are not the strongest
_STEEPEST: Final = 1.0  # the same, where it is not drawn along the other's lines
_DRAWN: Final = 0.7  # correlation with the other's lines; what blurring takes has less
_RATHER: Final = 0.6  # the same where bands tell it as well; smoothing takes up to 0.56
_LARGER: Final = 1.1  # times the pixels of the same scene
_STEEPER_LARGER: Final = 0.1  # log of how much more there is in the finest band, there
_RATHER_LARGER: Final = 0.35  # correlation there; scaling down leaves 0.2 at most
_NOISY_LARGER: Final = 0.25  # log, there; scaling down takes noise as well
_EVEN: Final = 1.8  # times as much of noise in the blocks that have most as in others
_SLIGHT: Final = 0.3  # grey levels squared, that a coarser JPEG loses too

Bands = tuple[NDArray[np.float32], NDArray[np.float32]]


def overdrawn(
    a: Sight,
    b: Sight,
    move: Move,
    *,
    finer: float,
    heavier: float,
    larger: float,
    even: bool | None = None,
) -> int:
    """Return the copy whose surplus is no detail: 1, 2, or 0 for neither.

    *finer* is how many times more detail seems to be in a, *heavier* how many times
    more bytes a pixel it has, *larger* how many times more pixels of the same scene.
    The one that seems coarser has no surplus, and where it is seen smaller, as it has
    fewer pixels than a sight, nothing is told. A larger one may be the one that the
    other was scaled down from, which is seen alike at the size of a sight.
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
    turned = 1.0 if which == 1 else -1.0
    copies = _Copies(
        plain=plain,
        fine=fine,
        seems=seems,
        drawn=_correlation(*(lit[::-1] if which == 1 else lit), inside),
        is_even=_unevenness(lit[0] - lit[1], seen) < _EVEN if even is None else even,
        is_lighter=heavier**turned < 1 and even is not False,
    )
    is_larger = larger**turned > _LARGER
    return which if (copies.is_blown_up if is_larger else copies.is_overdone) else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Copies:
    """What is measured of both: the bands of the coarser one and of the finer one.

    *seems* is the log of how much finer that is, *drawn* how far its surplus follows
    the lines of the coarser one.
    """

    plain: Bands
    fine: Bands
    seems: float
    drawn: float
    is_even: bool
    is_lighter: bool

    @property
    def is_blown_up(self) -> bool:
        """Whether the finer one, which is larger, was enlarged and worked over."""
        if self.is_even and self._noise(least=_SLIGHT) > _NOISY_LARGER:
            return True
        first, second = self._steeper()
        is_drawn = first > _STEEPER_LARGER and self.drawn > _RATHER_LARGER
        return is_drawn and self._is_by_bands(first, second)

    @property
    def is_overdone(self) -> bool:
        """Whether the finer one has noise or steps, or was sharpened.

        Noise is as strong everywhere; what smoothing took from the other one is not,
        nor are steps, which make no file that is heavier. Sharpening makes the
        strongest lines steeper as well; smoothing leaves those.
        """
        noise = self._noise(least=0 if self.is_lighter else _SLIGHT)
        if noise > max(_NOISY, _SEEMING * self.seems):
            return self.is_lighter or self.is_even
        first, second = self._steeper()
        if first < _STEEPER or self.drawn < _RATHER or self._strongest() < _STEEPER:
            return False
        return self.drawn > _DRAWN or (
            first < _STEEPEST and self._is_by_bands(first, second)
        )

    def _noise(self, *, least: float) -> float:
        plain, fine = (it[0] + it[1] for it in (self.plain, self.fine))
        return _noise(plain, fine, least=least)

    def _is_by_bands(self, first: float, second: float) -> bool:
        """Whether as much was added to coarser lines as sharpening does."""
        return self.seems < 2.2 * second / first - 0.35

    def _strongest(self) -> float:
        """Return the log of how much steeper the strongest lines are."""
        both = self.plain[0] + self.fine[0]
        most = both >= np.quantile(both, _STRONGEST)
        lines = self.fine[0][most] + _NOISE, self.plain[0][most] + _NOISE
        return float(np.median(np.log(lines[0] / lines[1]))) / 2

    def _steeper(self) -> tuple[float, float]:
        """Return the logs of how much steeper lines are in both bands.

        Of the median block that has some. Blurring takes the more, the finer a line is;
        sharpening adds to coarser ones too, along the lines that are there.
        """
        busy = self.plain[0] >= np.quantile(self.plain[0], 1 - _BUSY)
        first, second = (
            float(np.median(np.log((q + _NOISE) / (p + _NOISE))[busy])) / 2
            for p, q in zip(self.plain, self.fine, strict=True)
        )
        return first, second


def _unevenness(gap: Plane, seen: Mask) -> float:
    """Return how many times more both differ in the blocks where they do most."""
    finest = gap - blurred(gap, _RADII[2])
    least, most = np.quantile(block_means(finest * finest)[seen], (0.1, 0.9))
    return float(np.sqrt(most / (least + _NOISE)))


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
