"""How the tones of one aligned copy follow from those of the other, and what is lost.

A copy that was made brighter, harder or more colourful follows from the untouched one,
but not the other way round: what was clipped or laid together is gone.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from phx_pipeline.dedup.planes import Mask, Plane

Tones = NDArray[np.float32]
Curve = tuple[Tones, Tones]  # rising tones, and what they become

_STEP: Final = 4  # grey levels of a curve's step
_APART: Final = 4096.0  # grey levels between steps, so that one sort does for all
_FEWEST: Final = 0.0005  # share of the pixels that a step of a curve needs
_FEW: Final = 8  # pixels, the same
_UNLIKE: Final = 14.0  # grey levels
_LESS: Final = 0.5  # times as many pixels that are unlike


def curve(x: Tones, y: Tones) -> Curve:
    """Return which tone of y the pixels of a tone of x have, in the middle.

    It never falls: where it would, as a mark covers all pixels of a tone, it goes on
    from the tones nearer to the middle one.
    """
    steps = (x // _STEP).clip(0, 255 // _STEP).astype(np.int64)
    by_step = np.sort(y + _APART * steps)
    counts = np.bincount(steps, minlength=256 // _STEP)
    middles = (np.cumsum(counts) - counts / 2).astype(np.int64)
    used = np.flatnonzero(counts >= max(_FEW, _FEWEST * x.size))
    if not used.size:
        return np.zeros(1, np.float32), np.zeros(1, np.float32)
    tones = (by_step[middles[used]] - _APART * used).astype(np.float32)
    middle = int(np.searchsorted(np.cumsum(counts[used]), counts[used].sum() / 2))
    tones[middle:] = np.maximum.accumulate(tones[middle:])
    tones[: middle + 1] = np.minimum.accumulate(tones[middle::-1])[::-1]
    return ((used + 0.5) * _STEP).astype(np.float32), tones


def redrawn(plane: Plane, by: Curve) -> Plane:
    """Return the plane with its tones changed by a curve, which stops at its ends."""
    tones: Plane = np.interp(plane, *by).astype(np.float32)
    return tones


def lit_alike(a: Plane, b: Plane, inside: Mask) -> tuple[Plane, Plane]:
    """Return both in one light: as it is where that does, else by a curve.

    A curve goes from the one of which the other follows better. It bends to a shade
    that is laid over a part as well, so it has to leave much less unexplained.
    """
    x, y = a[inside], b[inside]
    if not x.size:
        return a, b
    plain, there, back = _line(x, y), curve(x, y), curve(y, x)
    unlike = [
        float((np.abs(it) > _UNLIKE).mean())
        for it in (x - _straight(y, plain), y - redrawn(x, there), x - redrawn(y, back))
    ]
    if min(unlike[1:]) > _LESS * unlike[0]:
        return a, _straight(b, plain)
    if unlike[1] < unlike[2]:
        return redrawn(a, there), b
    return a, redrawn(b, back)


def _line(x: Tones, y: Tones) -> tuple[float, float]:
    """Return by what factor and sum y becomes x; what differs much does not count."""
    gain, offset = 1.0, float(np.median(x - y))
    for most in (40.0, 25.0, 15.0):
        rest = x - (gain * y + offset)
        fits = np.abs(rest) < most
        if fits.sum() < 0.1 * y.size:
            break
        u, v = y[fits], x[fits]
        slope = ((u - u.mean()) * (v - v.mean())).mean() / (u.var() + 1)
        gain = float(np.clip(slope, 0.5, 2))
        offset = float(v.mean() - gain * u.mean())
    return gain, offset


def _straight(tones: Tones, line: tuple[float, float]) -> Tones:
    lit: Tones = (line[0] * tones + line[1]).astype(np.float32)
    return lit
