"""Which of two aligned copies has something laid over it: a mark, a card, a caption.

Where both differ, the marked one breaks off: its inside is unlike its surroundings,
whereas the scene goes on. Strips beside the scene are the concern of `edging`.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from phx_pipeline.dedup.planes import (
    BLOCK,
    Mask,
    Plane,
    block_means,
    blurred,
    edges,
    equally_sharp,
    local_mean,
)
from phx_pipeline.dedup.sights import Move, Sight, luminance, warped
from phx_pipeline.dedup.tones import lit_alike

_ACROSS: Final = np.float32(0.5**0.5)  # a channel's share of what two differ by
_DIFFERENT: Final = 14.0  # grey levels beyond what neighbouring pixels explain
_OVERSHOOT: Final = 2.0  # times the steepness of what both show, where one is steeper
_DENSE: Final = 0.4  # share of the pixels around that differ as well
_LEAST: Final = 0.0016  # share of the overlap; coarse edges are less
_LEAST_STARK: Final = 0.0008  # the same of what is stark, as a date is
_BROAD: Final = 0.24  # of the difference that is left when blurred: edges leave less
_LETTERS: Final = 0.1  # the same of letters and their shadows, which are starker
_STARKEST: Final = 30.0  # grey levels from which it may be letters
_STARK: Final = 17.0  # grey levels by which both differ there
_MARGIN: Final = 3  # px along the rim of the overlap that are not looked at
_SHADE: Final = 0.28  # how much more one breaks off, from -1 to 1; cards do by more
_SHADE_SEEN: Final = 0.4  # the same where contrast tells whether it is one
_FEWER: Final = 0.15  # how much fewer edges an effaced part has, from -1 to 1
_LARGE: Final = 0.08  # share of the overlap from which it may be a shade that fades
_FINE: Final = 2.0  # px; what is finer is compared where both show it
_SMALL: Final = 8  # px, a side of small blocks
_COVERED: Final = 0.7  # share of a block that differs
_PATTERNED: Final = 2.0  # grey levels squared, of what is fine in a block
_SOME_BLOCKS: Final = 6  # that tell; of less nothing is said
_SOME_SMALL: Final = 8  # small ones, the same
_PALER: Final = 0.1  # log of how much less contrast is left under a shade
_INKED: Final = 0.001  # share of the overlap that letters cover
_DRAWN: Final = 0.15  # how much more edges there are where lines are drawn
_PLAINLY: Final = 0.4  # how much more one breaks off where it is as little as edges
_DOUBTFUL: Final = 0.05  # how much more one breaks off, where it is no shade
_BUSIER: Final = 0.04  # how much more edges one has, where neither breaks off
_ONE_INK: Final = 0.97  # share of what differs; marks in white 0.99, captions 0.7
_AROUND: Final = 4  # px on either side of a line where both begin to differ
_MIXED: Final = 0.15  # share of each side near that line

_SMOOTH: Final = 8.0  # px by which faces and number plates are blurred, or more
_FLATTER: Final = 0.5  # times the edges of the other
_ALIKE: Final = 0.7  # correlation of a blurred part with the other, blurred as well
_REST: Final = 0.3  # of the difference that this leaves
_SOFTLY: Final = 0.25  # times how the other breaks off
_PLAIN: Final = 16.0  # grey levels of the finest pattern; letters have more
_SOLID: Final = 0.05  # share of what differs that is no rim; lines are all rim
_DAMAGED: Final = 0.12  # share of the overlap from which a part may be missing
_FILL: Final = 10.0  # grey levels by which what fills it varies
_EMPTY: Final = 0.35  # times the edges of the other, where a part is missing


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlap:
    """Two copies in the frame of the first, lit alike and equally sharp.

    `matched` is the one that was blurred for that, 1 or 2, else 0.
    """

    ours: Plane
    theirs: Plane
    inside: Mask
    differing: Mask
    matched: int = 0

    @property
    def share(self) -> float:
        """How much of what both show differs."""
        return float(self.differing.sum() / max(1, self.inside.sum()))


def overlap(a: Sight, b: Sight, move: Move, *, steeper: bool = False) -> Overlap:
    """Lay b onto a by *move*, and find where they differ in brightness.

    Where one is *steeper* all over, lines both show may differ by that.
    """
    return _overlap(luminance(a), luminance(b), move, steeper=steeper)


def overlap_in_blue(
    a: Sight, b: Sight, move: Move, *, steeper: bool = False
) -> Overlap:
    """The same in blue: dates are orange, and as bright as a wall may be."""
    ours, theirs = (
        np.ascontiguousarray(it[:, :, 2], dtype=np.float32) for it in (a, b)
    )
    return _overlap(ours, theirs, move, steeper=steeper)


def overlap_in_warmth(
    a: Sight, b: Sight, move: Move, *, steeper: bool = False
) -> Overlap:
    """The same in how much redder than blue it is: few scenes have such lines."""
    ours, theirs = (
        (it[:, :, 0].astype(np.float32) - it[:, :, 2]) * _ACROSS for it in (a, b)
    )
    return _overlap(ours, theirs, move, steeper=steeper)


def _overlap(ours: Plane, other: Plane, move: Move, *, steeper: bool) -> Overlap:
    size = (ours.shape[1], ours.shape[0])
    moved, inside = warped(other, move, size=size)
    lit = lit_alike(ours, moved, inside)
    ours, theirs = equally_sharp(*lit, inside)
    matched = 1 if ours is not lit[0] else 2 if theirs is not lit[1] else 0
    unlike = np.maximum(_beyond(ours, theirs), _beyond(theirs, ours))
    if steeper:
        shown = np.minimum(edges(ours), edges(theirs))
        unlike = unlike - _OVERSHOOT * local_mean(shown, 2)
    dense = local_mean((unlike > _DIFFERENT) & inside, 1) > _DENSE
    inner = local_mean(inside, _MARGIN) > 1 - 1e-6
    return Overlap(
        ours=ours,
        theirs=theirs,
        inside=inside,
        differing=dense & inner,
        matched=matched,
    )


def marked(both: Overlap) -> int:
    """Return 1 where the first has something laid over it, 2 the second, else 0."""
    if both.share < _LEAST_STARK:
        return 0
    if not _is_broad(both):
        return _effaced(both)
    return hidden(both) or _broken_off(both, _more(*jumps(both)))


def inked(both: Overlap) -> int:
    """Return which one has letters on it, as seen in blue."""
    if both.share < _INKED or not _is_broad(both) or not _is_thin(both):
        return 0
    stark = np.abs(both.ours - both.theirs)[both.differing].mean()
    return _drawn(both) if stark > _STARKEST else 0


def _drawn(both: Overlap) -> int:
    """Return which one has the lines."""
    near = (local_mean(both.differing, 2) > 0) & both.inside
    more = _more(*_steepness(both, near))
    return _sided(more) if abs(more) > _DRAWN else 0


def _washed(both: Overlap) -> int:
    """Return the lighter one where all that differs is lighter in it, as in white ink.

    Letters with shadows, and lines that are sharper in one, are lighter and darker.
    """
    lighter = float((both.ours > both.theirs)[both.differing].mean())
    return 1 if lighter > _ONE_INK else 2 if lighter < 1 - _ONE_INK else 0


def _is_thin(both: Overlap) -> bool:
    solid = local_mean(both.differing, 2) > 1 - 1e-6
    return bool(solid.sum() < _SOLID * both.differing.sum())


def _broken_off(both: Overlap, more: float) -> int:
    """Return which one breaks off, the first by *more*."""
    if _is_thin(both) and (drawn := _lettered(both, more)):
        return drawn
    if both.share < _LEAST and abs(more) < _PLAINLY:
        return 0
    if shaded := _shaded(both, more):
        return shaded
    if abs(more) < _DOUBTFUL:
        near = (local_mean(both.differing, 2) > 0) & both.inside
        more = _more(*_steepness(both, near))
        return 0 if abs(more) < _BUSIER else _sided(more)
    return _sided(more)


def _lettered(both: Overlap, more: float) -> int:
    """Return which one has thin lines on it, where the first breaks off by *more*."""
    washed = _washed(both) if abs(more) < _SHADE_SEEN else 0
    return washed or _drawn(both)


def _shaded(both: Overlap, more: float) -> int:
    """Return which one lies under a shade; the scene itself may break off in it."""
    if both.share > _LARGE and (paler := _paler(both, side=BLOCK, least=_SOME_BLOCKS)):
        return paler
    if abs(more) < _SHADE_SEEN and (paler := pale(both)):
        return paler
    if abs(more) < _SHADE and both.share > _LARGE:
        gap = (both.ours - both.theirs)[both.differing].mean()
        return 1 if gap < 0 else 2  # more darken than lighten
    return 0


def pale(both: Overlap) -> int:
    """Return which one lies under a shade, a haze or a glare: all take contrast.

    Large blocks tell it the more surely; a small shade has none of those.
    """
    return _paler(both, side=BLOCK, least=_SOME_BLOCKS) or _paler(
        both, side=_SMALL, least=_SOME_SMALL
    )


def _paler(both: Overlap, *, side: int, least: int) -> int:
    """Return the same by blocks of one size.

    Those that do not show the same, as there are letters on one, do not count.
    """
    fine = tuple(it - blurred(it, _FINE) for it in (both.ours, both.theirs))
    ours, theirs = fine
    squares = [block_means(it * it, side) for it in fine]
    alike = np.sqrt(squares[0] * squares[1] + 1e-3) * _ALIKE
    counts = (block_means(both.differing, side) > _COVERED) & (
        block_means(ours * theirs, side) > alike
    )
    counts &= np.maximum(*squares) > _PATTERNED
    if counts.sum() < least:
        return 0
    more = float(np.median(np.log(squares[0][counts] / squares[1][counts]))) / 2
    return 0 if abs(more) < _PALER else 3 - _sided(more)


def _effaced(both: Overlap) -> int:
    """Return which one has fewer edges in a part than there should be."""
    if both.share < _LEAST or _is_thin(both):  # lines that are drawn unlike
        return 0
    more = _more(*_steepness(both, both.differing))
    return 0 if abs(more) < _FEWER else 3 - _sided(more)


def damaged(both: Overlap) -> int:
    """Return 1 where the first lacks a large part, 2 the second, else 0."""
    solid = local_mean(both.differing, 2) > 1 - 1e-6
    if not solid.any() or solid.sum() < _DAMAGED * both.inside.sum():
        return 0
    ours, theirs = _steepness(both, solid)
    if ours < _EMPTY * theirs and both.ours[solid].std() < _FILL:
        return 1
    return 2 if theirs < _EMPTY * ours and both.theirs[solid].std() < _FILL else 0


def _is_broad(both: Overlap) -> bool:
    """Whether the difference is more than edges drawn unlike."""
    gap, where = both.ours - both.theirs, both.differing
    left = np.abs(local_mean(gap, 6))[where].mean()
    stark = np.abs(gap)[where].mean()
    if stark > _STARKEST:
        return bool(left > _LETTERS * stark)
    return bool(both.share > _LEAST and stark > _STARK and left > _BROAD * stark)


def _steepness(both: Overlap, part: Mask) -> tuple[float, float]:
    ours, theirs = (edges(it)[part].mean() for it in (both.ours, both.theirs))
    return float(ours), float(theirs)


def _sided(more: float) -> int:
    return 1 if more > 0 else 2


def _more(ours: float, theirs: float) -> float:
    return (ours - theirs) / (ours + theirs + 1e-6)


def jumps(both: Overlap) -> tuple[float, float]:
    """Return by how many grey levels each breaks off where they begin to differ."""
    within, without = both.differing, ~both.differing & both.inside
    share_in, share_out = (local_mean(it, _AROUND) for it in (within, without))
    near = (local_mean(within, 2) > 0) & (share_in > _MIXED) & (share_out > _MIXED)
    if not near.any():
        return 0.0, 0.0

    def jump(plane: Plane) -> float:
        means_in = local_mean(plane * within, _AROUND)[near] / share_in[near]
        means_out = local_mean(plane * without, _AROUND)[near] / share_out[near]
        return float(np.abs(means_in - means_out).mean()) + 2

    return jump(both.ours), jump(both.theirs)


def hidden(both: Overlap) -> int:
    """Return which one is blurred where they differ, as faces are, or 0."""
    if both.share < _LEAST_STARK or not _is_broad(both):
        return 0
    breaks = jumps(both)
    part = (local_mean(both.differing, 6) > _MIXED) & both.inside
    if not part.any():
        return 0
    steep, planes = _steepness(both, part), (both.ours, both.theirs)
    for which, flat, other in ((1, 0, 1), (2, 1, 0)):
        if steep[flat] < _FLATTER * steep[other]:
            soft = breaks[flat] > _SOFTLY * breaks[other]
            blur = _is_blur(planes[flat], planes[other], both.differing, part)
            return which if soft and blur else 0
    return 0


def _is_blur(flat: Plane, other: Plane, differing: Mask, part: Mask) -> bool:
    smooth = blurred(other, _SMOOTH)
    rest = np.abs(flat - smooth)[part].mean() / np.abs(flat - other)[differing].mean()
    finest = np.abs(other - blurred(other, 1.5))[part].mean()
    solid = (local_mean(differing, 2) > 1 - 1e-6).sum() / differing.sum()
    alike = _correlation(flat[part], smooth[part])
    return bool(alike > _ALIKE and rest < _REST and finest < _PLAIN and solid > _SOLID)


def _correlation(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    ours, theirs = a - a.mean(), b - b.mean()
    return float((ours * theirs).mean() / (ours.std() * theirs.std() + 1))


def _beyond(a: Plane, b: Plane) -> Plane:
    """Return how far a lies outside of what b shows within a pixel of the place."""
    high, low = b, b
    for axis in (0, 1):
        high, low = _spread(high, axis, np.maximum), _spread(low, axis, np.minimum)
    far: Plane = np.maximum(a - high, low - a)
    return far


def _spread(plane: Plane, axis: int, pick: np.ufunc) -> Plane:
    before, behind = np.roll(plane, 1, axis), np.roll(plane, -1, axis)
    found: Plane = pick(pick(plane, before), behind)
    return found
