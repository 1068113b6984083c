"""What one of two aligned copies shows beside the other: scene, bars or a caption.

Bars and strips are of one paper, and begin with a jump along the whole side.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from phx_pipeline.dedup.planes import Plane
from phx_pipeline.dedup.sights import Move

_SEEN: Final = 0.006  # of a side; less is how aligning errs
_PAPER: Final = 0.5  # share of the pixels of one paper; letters leave so many
_PLAIN: Final = 9.0  # grey levels by which a paper varies
_JUMP: Final = 10.0  # grey levels across the line where it begins
_LONG: Final = 0.6  # share of that line at which there is a jump
_AROUND: Final = 2  # px on either side of the line


Sides = tuple[float, float, float, float]  # left, top, right, bottom


@dataclass(frozen=True, slots=True, kw_only=True)
class Edging:
    """What lies beside what two copies both show.

    `scene` is how much more of it the first shows than the second, as a ratio; `ours`
    and `theirs` whether the first or the second has a strip or bars.
    """

    scene: float
    ours: bool
    theirs: bool


def edging(a: Plane, b: Plane, move: Move) -> Edging:
    """Compare the frames of two pictures; *move* takes points of a to those of b."""
    within_b, within_a = _frame(move, a.shape), _frame(inverse(move), b.shape)
    ours, theirs = _beyond(within_a, a.shape), _beyond(within_b, b.shape)
    strips_a, strips_b = _strips(a, within_a, ours), _strips(b, within_b, theirs)
    left, top, right, bottom = (
        more * (not strip) - rest * (not bar)
        for more, strip, rest, bar in zip(ours, strips_a, theirs, strips_b, strict=True)
    )
    scene = (1 + left + right) * (1 + top + bottom)
    return Edging(scene=scene, ours=any(strips_a), theirs=any(strips_b))


def inverse(move: Move) -> Move:
    """Return the move back."""
    turn = np.linalg.inv(move[:, :2])
    return np.column_stack((turn, -turn @ move[:, 2]))


def _frame(move: Move, shape: tuple[int, ...]) -> Sides:
    """Return where *move* puts the sides of a frame, in the middle of each."""
    height, width = shape
    middles = np.array(
        ((0, height / 2), (width / 2, 0), (width, height / 2), (width / 2, height))
    )
    places = middles @ move[:, :2].T + move[:, 2]
    return (places[0, 0], places[1, 1], places[2, 0], places[3, 1])


def _beyond(inner: Sides, shape: tuple[int, ...]) -> Sides:
    """Return how far a frame goes beyond each side of *inner*, in units of that."""
    height, width = shape
    left, top, right, bottom = inner
    across, down = right - left, bottom - top
    more = (left / across, top / down, (width - right) / across)
    found = (*more, (height - bottom) / down)
    return _at_least_0(found)


def _at_least_0(sides: Sides) -> Sides:
    left, top, right, bottom = (max(0.0, float(it)) for it in sides)
    return (left, top, right, bottom)


def _strips(plane: Plane, inner: Sides, more: Sides) -> list[bool]:
    """Return whether what lies beyond each side of *inner* is no part of the scene."""
    height, width = plane.shape
    left, top, right, bottom = inner
    sides = (
        (plane.T, left),
        (plane, top),
        (plane.T[::-1], width - right),
        (plane[::-1], height - bottom),
    )
    return [
        share > _SEEN and _is_strip(lines, at)
        for (lines, at), share in zip(sides, more, strict=True)
    ]


def _is_strip(lines: NDArray[np.float32], at: float) -> bool:
    """Whether the first lines, up to *at*, are a strip."""
    end = round(at)
    if end < 2 or end + 2 * _AROUND >= len(lines):  # noqa: PLR2004 - too thin to see
        return False
    strip = lines[: max(1, end - 1)]
    paper = np.median(strip)
    if (np.abs(strip - paper) < _PLAIN).mean() < _PAPER:
        return False
    outer = lines[max(0, end - _AROUND - 1)]
    inner = lines[end + _AROUND]
    return bool((np.abs(outer - inner) > _JUMP).mean() > _LONG)
