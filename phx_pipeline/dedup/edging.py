"""What one of two aligned copies shows beside the other: scene, bars or a caption.

Bars and strips are of one paper, and begin with a jump along the whole side. Paper is
even, as nothing in a scene is: a wall has shades. Bars that are made of the photo
itself are told by `bars`.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from phx_pipeline.dedup.bars import end_abruptly, end_softly, is_made_up, may_be_made_up
from phx_pipeline.dedup.planes import Plane
from phx_pipeline.dedup.sights import Move, Sight, luminance, warped

_SEEN: Final = 0.006  # of a side; less is how aligning errs
_PAPER: Final = 0.5  # share of the pixels of one paper; letters leave so many
_PLAIN: Final = 9.0  # grey levels by which a paper varies beside letters
_EVEN: Final = 5.0  # the same away from them; most walls vary by more
_MOSTLY: Final = 0.7  # share of the last line of a strip, below which a wall fades
_JUMP: Final = 10.0  # grey levels across the line where it begins
_LONG: Final = 0.6  # share of that line at which there is a jump
_MARGIN: Final = 0.85  # share of the outermost lines, if letters leave less paper
_WHOLLY: Final = 0.85  # share of the inner line at which there is a jump, the same
_BARE: Final = 0.9  # share of a line of a bar, which has no letters
_EXACT: Final = 1.2  # px by which an added bar ends off the other's frame
_AROUND: Final = 2  # px on either side of the line


Colour = NDArray[np.float32]
Shares = NDArray[np.float64]
_Lines = tuple[Plane, int]  # from the outer side inwards, and where the other begins
Sides = tuple[float, float, float, float]  # left, top, right, bottom


class _Beside(Enum):
    """What lies beyond a side: scene, a bar both have, or a strip only one has."""

    SCENE = 0
    BAR = 1
    STRIP = 2


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
    back = inverse(move)
    within_b, within_a = _frame(move, a.shape), _frame(back, b.shape)
    ours, theirs = _beyond(within_a, a.shape), _beyond(within_b, b.shape)
    beside_a = _sides(a, within_a, ours, _laid(b, move, a.shape))
    beside_b = _sides(b, within_b, theirs, _laid(a, back, b.shape))
    left, top, right, bottom = (
        more * (mine is _Beside.SCENE) - rest * (other is _Beside.SCENE)
        for more, mine, rest, other in zip(
            ours, beside_a, theirs, beside_b, strict=True
        )
    )
    scene = (1 + left + right) * (1 + top + bottom)
    return Edging(
        scene=scene, ours=_Beside.STRIP in beside_a, theirs=_Beside.STRIP in beside_b
    )


def _laid(sight: Sight, move: Move, shape: tuple[int, ...]) -> Plane:
    """Return the grey levels of the other in a frame of *shape*."""
    return warped(luminance(sight), move, size=(shape[1], shape[0]))[0]


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


def _sides(sight: Sight, inner: Sides, more: Sides, other: Plane) -> list[_Beside]:
    """Return what lies beyond each side of *inner*, where *other* ends."""
    height, width = sight.shape[:2]
    left, top, right, bottom = inner
    turned, other_turned = sight.transpose(1, 0, 2), other.T
    sides = (
        (turned, other_turned, left),
        (sight, other, top),
        (turned[::-1], other_turned[::-1], width - right),
        (sight[::-1], other[::-1], height - bottom),
    )
    found = [
        _beside(lines, at, there) if share > _SEEN else _Beside.SCENE
        for (lines, there, at), share in zip(sides, more, strict=True)
    ]
    for side, opposite in ((0, 2), (1, 3)):
        kinds = {found[side], found[opposite]}
        if _Beside.SCENE not in kinds or min(more[side], more[opposite]) <= _SEEN:
            continue
        both = _greys(sides[side]), _greys(sides[opposite])
        if end_softly(both) or (len(kinds) == 1 and _are_made_up(both)):
            found[side] = found[opposite] = _Beside.STRIP
    return found


def _are_made_up(both: tuple[_Lines, _Lines]) -> bool:
    likely = all(may_be_made_up(*it) for it in both)
    return likely or end_abruptly(both)


def _greys(side: tuple[Sight, Plane, float]) -> _Lines:
    lines, _, at = side
    return luminance(lines), round(at)


def _beside(lines: Sight, at: float, other: Plane) -> _Beside:
    """Return what the first lines are, up to *at*, from where *other* shows them."""
    end = round(at)
    if end < 2 or end + 2 * _AROUND >= len(lines):  # noqa: PLR2004 - too thin to see
        return _Beside.SCENE
    near = lines[: end + 2 * _AROUND].astype(np.float32)
    if is_made_up(luminance(lines), end):
        return _Beside.STRIP
    paper = np.median(near[: end - 1], axis=(0, 1))
    even, plain = (_share(near, paper, within=it) for it in (_EVEN, _PLAIN))
    outer, inner = near[max(0, end - _AROUND - 1)], near[end + _AROUND]
    jump = float((_apart(outer, inner) > _JUMP).mean())
    ends_on_paper = plain[max(0, end - 3) : end - 1].max() > _MOSTLY
    if even[: end - 1].mean() < _PAPER:
        is_lettered = plain[:_AROUND].min() > _MARGIN and jump > _WHOLLY
        return _Beside.STRIP if is_lettered and ends_on_paper else _Beside.SCENE
    is_bar = even[: end - 1].min() > _BARE
    ends = np.flatnonzero(plain < _BARE)
    reach = int(ends[0]) if is_bar and ends.size else len(near)
    if is_bar and reach < at - _EXACT:  # a photo may have bars of its own
        return _Beside.SCENE
    if plain[end + _AROUND] > _BARE or (is_bar and reach > at + _EXACT):
        shade = np.median(luminance(lines[: end - 1]))
        shared = (np.abs(other[end:reach] - shade) < _PLAIN).mean()
        return _Beside.BAR if shared > _PAPER else _Beside.STRIP
    is_strip = is_bar or (jump > _LONG and ends_on_paper)
    return _Beside.STRIP if is_strip else _Beside.SCENE


def _share(lines: NDArray[np.float32], paper: Colour, *, within: float) -> Shares:
    """Return how much of each line is paper, varying by so many grey levels."""
    shares: Shares = (_apart(lines, paper) < within).mean(axis=1)
    return shares


def _apart(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return by how many levels colours differ at most."""
    far: NDArray[np.float32] = np.abs(a - b).max(axis=-1)
    return far
