"""Which of two aligned copies lost tones: clipped, laid together, evened out.

It is told by what follows from what: the changed copy follows from the untouched one,
which cannot be had back. Marks and sharpness are no concern of this module.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from phx_pipeline.dedup.planes import Mask, halved
from phx_pipeline.dedup.sights import Move, Sight, warped
from phx_pipeline.dedup.tones import Tones, curve, redrawn

_DARKEST: Final = 3.0  # grey levels at which a channel has come to an end
_BRIGHTEST: Final = 252.0
_OFF_END: Final = 9.0  # grey levels from there at which it has not
_TOLD: Final = 6.0  # grey levels by which a colour may be off what the other tells
_OUTLYING: Final = 2.0  # times the median, of pixels no mixture is fitted to
_ENOUGH: Final = 0.05  # share of the pixels a mixture is fitted to
_FEW: Final = 64  # pixels below which nothing is said
_CLIPPED: Final = 0.0008  # share of the pixels
_MUCH_CLIPPED: Final = 0.02
_WIDE: Final = 8.0  # grey levels within which the tones of a photo are as frequent
_FEWER: Final = 0.11  # nats more by which tones lie together; of photos 0.08 at most
_EVEN: Final = 0.118  # how far tones are off all being as frequent; photos 0.12 or more
_LESS_EVEN: Final = 0.05
_STRONGER: Final = 1.15  # times the colour for the light
_COLOURFUL: Final = 2.5  # grey levels, root mean square

_WEIGHTS: Final = np.exp(-0.5 * (np.arange(-24, 25) / _WIDE) ** 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Worn:
    """Which of two copies lost tones, 1 or 2, and whether everybody sees it.

    `which` is 0 where neither did. `stronger` is the one with stronger colours: nothing
    need be lost, but it is made from the other more often than the other from it.
    """

    which: int
    much: bool
    stronger: int


def worn(a: Sight, b: Sight, move: Move) -> Worn:
    """Compare the tones of what both show; *move* takes points of a to those of b."""
    theirs, inside = _moved(b, move, size=(a.shape[1], a.shape[0]))
    ours = a.astype(np.float32)
    whole = halved(inside.astype(np.float32)) == 1
    x, y = halved(ours)[whole], halved(theirs)[whole]
    if len(x) < _FEW:
        return Worn(which=0, much=False, stronger=0)
    stronger = _stronger(x, y)
    even = _evenness(ours[inside]), _evenness(theirs[inside])
    if min(even) < _EVEN and abs(even[0] - even[1]) > _LESS_EVEN:
        return Worn(which=1 if even[0] < even[1] else 2, much=True, stronger=stronger)
    fewer = _fewer(ours[inside], theirs[inside])
    if abs(fewer) > _FEWER:
        return Worn(which=1 if fewer < 0 else 2, much=True, stronger=stronger)
    clipped = _clipped(x, y)
    which = 0 if abs(clipped) < _CLIPPED else 1 if clipped < 0 else 2
    return Worn(which=which, much=abs(clipped) > _MUCH_CLIPPED, stronger=stronger)


def _moved(b: Sight, move: Move, *, size: tuple[int, int]) -> tuple[Tones, Mask]:
    """Return the colours of b where *move* takes them, and where there are some."""
    channels = np.ascontiguousarray(b.transpose(2, 0, 1), dtype=np.float32)
    moved = [warped(it, move, size=size) for it in channels]
    return np.stack([plane for plane, _ in moved], axis=2), moved[0][1]


def _clipped(x: Tones, y: Tones) -> float:
    """Return the share of pixels at an end in y but not in x, less the other way."""
    off_x, off_y = np.abs(x - _told(y, x)), np.abs(y - _told(x, y))
    one_way, back = off_y < _TOLD, off_x < _TOLD
    lost_in_y = _at_end(y) & _off_end(x) & one_way & ~back
    lost_in_x = _at_end(x) & _off_end(y) & back & ~one_way
    return float(lost_in_y.any(axis=1).mean() - lost_in_x.any(axis=1).mean())


def _told(x: Tones, y: Tones) -> Tones:
    """Return what colours x tell of the colours y: a mixture, redrawn by curves."""
    mixed = _mixed(x, y)
    columns = [redrawn(p, curve(p, q)) for p, q in zip(mixed.T, y.T, strict=True)]
    return np.stack(columns, axis=1)


def _mixed(x: Tones, y: Tones) -> Tones:
    """Return the mixture of the channels of x, as nearly y as what is whole allows."""
    terms = np.column_stack((x, np.ones(len(x), np.float32))).astype(np.float64)
    counts = (_off_end(x) & _off_end(y)).all(axis=1)
    mixture: NDArray[np.float64] = np.eye(4, 3)
    for _ in range(2):
        if counts.sum() < max(_FEW, _ENOUGH * len(x)):
            break
        used = terms[counts]
        normal = used.T @ used + np.eye(4) * 1e-3
        solved = np.linalg.solve(normal, used.T @ y[counts].astype(np.float64))
        mixture = np.asarray(solved, dtype=np.float64)
        off = np.abs(terms @ mixture - y).max(axis=1)
        counts &= off < _OUTLYING * np.median(off[counts]) + 4
    return (terms @ mixture).astype(np.float32)


def _at_end(tones: Tones) -> NDArray[np.bool_]:
    return (tones <= _DARKEST) | (tones >= _BRIGHTEST)


def _off_end(tones: Tones) -> NDArray[np.bool_]:
    return (tones > _DARKEST + _OFF_END) & (tones < _BRIGHTEST - _OFF_END)


def _fewer(x: Tones, y: Tones) -> float:
    """Return how much more the tones of y lie together, in the channel of most."""
    more = [_gathered(q) - _gathered(p) for p, q in zip(x.T, y.T, strict=True)]
    return max(0.0, *more) + min(0.0, *more)


def _gathered(tones: Tones) -> float:
    """Return how far tones are from being as frequent as those around them, in nats."""
    share = _frequency(tones)[4:252] + 1
    share /= share.sum()
    around = np.convolve(share, _WEIGHTS, "same")
    around /= around.sum()
    return float((share * np.log(share / around)).sum())


def _evenness(tones: Tones) -> float:
    """Return how far the tones of any channel are off all being as frequent, 0 to 1."""
    shares = [_frequency(it).cumsum() / len(it) for it in tones.T]
    return float(max(np.abs(it - np.arange(1, 257) / 256).max() for it in shares))


def _frequency(tones: Tones) -> NDArray[np.float64]:
    levels = np.rint(tones).clip(0, 255).astype(np.uint8)
    return np.bincount(levels, minlength=256).astype(np.float64)


def _stronger(x: Tones, y: Tones) -> int:
    """Return which one has stronger colours for its light, else 0."""
    (colour_x, light_x), (colour_y, light_y) = _strengths(x), _strengths(y)
    if min(colour_x, colour_y) < _COLOURFUL:
        return 0
    more = colour_y / colour_x * light_x / light_y
    if 1 / _STRONGER < more < _STRONGER:
        return 0
    return 2 if more > 1 else 1


def _strengths(tones: Tones) -> tuple[float, float]:
    light = tones.mean(axis=1, keepdims=True)
    colour = np.sqrt(((tones - light) ** 2).mean())
    return float(colour), float(light.std()) + 1
