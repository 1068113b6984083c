"""Whether what only one copy shows beside the scene was made up of the photo itself.

Sites fill a wider frame by the photo blurred, mirrored, or with its edge drawn out, or
by a pattern. What is of one even paper is the concern of `edging`.
"""

from typing import Final

import numpy as np

from phx_pipeline.dedup.planes import Plane, blurred

_SHALLOW: Final = 8  # px; of less nothing is said
_ASTRAY: Final = 2  # px by which aligning may err
_ACROSS: Final = 3  # px over which a jump is looked for
_JUMP: Final = 10.0  # grey levels across the line where it begins
_LONG: Final = 0.35  # share of that line at which there is a jump
_SUDDEN: Final = 1.5  # times as much as one finds anywhere in it
_ABRUPT: Final = 10.0  # times as much as is usual in it; crops of scenes have 6 at most
_SOMEWHERE: Final = 0.1  # share of the line of one side at which there is a jump
_BOTH: Final = 0.9  # the same of both sides together
_FINE: Final = 1.4  # px; what is finer than that, blurring takes
_SOFT: Final = 0.3  # times as much of it as in the scene
_SOFTER: Final = 0.25  # the same of the middle lines; blurred bars have 0.15 at most
_PARTED: Final = 3.0  # times the usual; blurred bars jump by 6 or more
_INK: Final = 9.0  # grey levels by which one of two inks varies
_PLAIN: Final = 5.0  # grey levels; what varies by less may be the photo's own border
_LEAST_INK: Final = 0.3  # share of the pixels that each ink has
_INKED: Final = 0.8  # share of the pixels that have one of two inks
_TEXTURE: Final = 0.4  # grey levels a pixel, from which something can be mirrored
_MIRRORED: Final = 0.85  # correlation with what lies within; photos of scenes have 0.4
_DRAWN_OUT: Final = 0.08  # times as much change along the depth as along the line
_FAINT: Final = 0.1  # grey levels, of no moment


_Side = tuple[Plane, int]


def is_made_up(lines: Plane, end: int) -> bool:
    """Whether the first *end* lines are for sure no scene.

    *lines* are grey levels, from the outer side inwards.
    """
    if not _is_deep(lines, end):
        return False
    return _is_drawn_out(lines[: end - _ASTRAY]) or _is_mirrored(lines, end)


def may_be_made_up(lines: Plane, end: int) -> bool:
    """Whether the first *end* lines are likely no scene.

    Now and then a scene has a plain part that ends where the other copy does; of two
    sides that are opposite to each other it does not happen.
    """
    if not _is_deep(lines, end) or not _begins(lines, end):
        return False
    strip = lines[: end - _ASTRAY]
    return _is_soft(lines, strip) or _is_inked(strip)


def end_abruptly(sides: tuple[_Side, _Side]) -> bool:
    """Whether two sides opposite to each other break off where the other copy ends.

    Each is given as for `is_made_up`. Whatever fills them is unlike the scene there by
    far more than it varies by itself.
    """
    if not all(_is_deep(*it) for it in sides):
        return False
    (sudden_1, long_1), (sudden_2, long_2) = (_break(*it) for it in sides)
    is_long = min(long_1, long_2) > _SOMEWHERE and long_1 + long_2 > _BOTH
    return min(sudden_1, sudden_2) > _ABRUPT and is_long


def end_softly(sides: tuple[_Side, _Side]) -> bool:
    """Whether two sides opposite to each other are blurred up to where they end.

    Each is given as for `is_made_up`. Plain walls and skies are as smooth, but go on.
    """
    return all(
        _is_deep(*it) and _is_blurred(*it) and _break(*it)[0] > _PARTED for it in sides
    )


def _is_deep(lines: Plane, end: int) -> bool:
    return end >= _SHALLOW and len(lines) >= 2 * end


def _is_drawn_out(strip: Plane) -> bool:
    """Whether all of its lines are the same, and not just plain."""
    down, across = (float(np.abs(np.diff(strip, axis=it)).mean()) for it in (0, 1))
    return across > _TEXTURE and down < _DRAWN_OUT * across


def _is_mirrored(lines: Plane, end: int) -> bool:
    """Whether what rises outwards rises inwards likewise, wherever the line is."""
    soft = blurred(lines[: 2 * end], 1.0)
    outer = np.diff(soft[: end - _ASTRAY][::-1], axis=0)
    return any(
        _alike(outer, np.diff(soft[start:], axis=0))
        for start in range(end - 1, end + 2 * _ASTRAY + 1)
    )


def _alike(outer: Plane, inner: Plane) -> bool:
    depth = min(len(outer), len(inner))
    ours, theirs = outer[:depth].ravel(), inner[:depth].ravel()
    if min(float(np.abs(it).mean()) for it in (ours, theirs)) < _TEXTURE:
        return False
    return float(np.corrcoef(ours, theirs)[0, 1]) > _MIRRORED


def _begins(lines: Plane, end: int) -> bool:
    """Whether there is a jump at its inner line that is unlike all else in it."""
    suddenly, long = _break(lines, end)
    return suddenly > _SUDDEN and long > _LONG


def _break(lines: Plane, end: int) -> tuple[float, float]:
    """Return how many times the usual the jump at its inner line is, and how long."""
    steps = np.abs(lines[_ACROSS:] - lines[:-_ACROSS])
    first = max(1, end - _ACROSS - _ASTRAY)
    near, usual = steps[first : end + _ASTRAY], np.median(steps[:first].mean(axis=1))
    jump = near[int(near.mean(axis=1).argmax())]
    return float(jump.mean() / (usual + _FAINT)), float((jump > _JUMP).mean())


def _is_soft(lines: Plane, strip: Plane) -> bool:
    """Whether it has shades, but nothing as fine as the scene has."""
    fine = np.abs(lines - blurred(lines, _FINE))
    scene = fine[len(strip) + 2 * _ASTRAY :].mean() + _FAINT
    is_soft = fine[: len(strip) - _ASTRAY].mean() < _SOFT * scene
    return bool(is_soft and strip.std() > _PLAIN)


def _is_blurred(lines: Plane, end: int) -> bool:
    """Whether its middle line has next to nothing as fine as that of the scene.

    The outermost lines may be a frame that the photo itself had.
    """
    fine = np.abs(lines - blurred(lines, _FINE)).mean(axis=1)
    scene = float(np.median(fine[end + _ASTRAY :])) + _FAINT
    return float(np.median(fine[: end - _ASTRAY])) < _SOFTER * scene


def _is_inked(strip: Plane) -> bool:
    """Whether it is a pattern of two inks, each of them even."""
    lighter = strip > strip.mean()
    if not _LEAST_INK < lighter.mean() < 1 - _LEAST_INK:
        return False
    near = (
        int((np.abs(it - np.median(it)) < _INK).sum())
        for it in (strip[lighter], strip[~lighter])
    )
    return sum(near) > _INKED * strip.size
