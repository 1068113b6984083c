"""What one of two aligned copies shows beside the other: scene, bars or a caption.

Bars and strips are of one paper, and begin with a jump along the whole side.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from phx_pipeline.dedup.sights import Move, Sight

_SEEN: Final = 0.006  # of a side; less is how aligning errs
_PAPER: Final = 0.5  # share of the pixels of one paper; letters leave so many
_PLAIN: Final = 9.0  # grey levels by which a paper varies
_JUMP: Final = 10.0  # grey levels across the line where it begins
_LONG: Final = 0.6  # share of that line at which there is a jump
_BARE: Final = 0.9  # share of a line of a bar, which has no letters
_EXACT: Final = 1.2  # px by which an added bar ends off the other's frame
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


def edging(a: Sight, b: Sight, move: Move) -> Edging:
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
    height, width = shape[:2]
    middles = np.array(
        ((0, height / 2), (width / 2, 0), (width, height / 2), (width / 2, height))
    )
    places = middles @ move[:, :2].T + move[:, 2]
    return (places[0, 0], places[1, 1], places[2, 0], places[3, 1])


def _beyond(inner: Sides, shape: tuple[int, ...]) -> Sides:
    """Return how far a frame goes beyond each side of *inner*, in units of that."""
    height, width = shape[:2]
    left, top, right, bottom = inner
    across, down = right - left, bottom - top
    more = (left / across, top / down, (width - right) / across)
    found = (*more, (height - bottom) / down)
    return _at_least_0(found)


def _at_least_0(sides: Sides) -> Sides:
    left, top, right, bottom = (max(0.0, float(it)) for it in sides)
    return (left, top, right, bottom)


def _strips(sight: Sight, inner: Sides, more: Sides) -> list[bool]:
    """Return whether what lies beyond each side of *inner* is no part of the scene."""
    height, width = sight.shape[:2]
    left, top, right, bottom = inner
    turned = sight.transpose(1, 0, 2)
    sides = (
        (turned, left),
        (sight, top),
        (turned[::-1], width - right),
        (sight[::-1], height - bottom),
    )
    return [
        share > _SEEN and _is_strip(lines, at)
        for (lines, at), share in zip(sides, more, strict=True)
    ]


def _is_strip(lines: Sight, at: float) -> bool:
    """Whether the first lines, up to *at*, are a strip or a bar."""
    end = round(at)
    if end < 2 or end + 2 * _AROUND >= len(lines):  # noqa: PLR2004 - too thin to see
        return False
    near = lines[: end + 2 * _AROUND].astype(np.float32)
    paper = np.median(near[: end - 1], axis=(0, 1))
    shares = (_apart(near, paper) < _PLAIN).mean(axis=1)
    if shares[: end - 1].mean() < _PAPER:
        return False
    if shares[: end - 1].min() > _BARE:  # a photo may have bars of its own
        ends = np.flatnonzero(shares < _BARE)
        return bool(ends.size and abs(ends[0] - at) <= _EXACT)
    if shares[end + _AROUND] > _BARE:  # it begins further in
        return True
    outer, inner = near[max(0, end - _AROUND - 1)], near[end + _AROUND]
    return bool((_apart(outer, inner) > _JUMP).mean() > _LONG)


def _apart(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return by how many levels colours differ at most."""
    far: NDArray[np.float32] = np.abs(a - b).max(axis=-1)
    return far
