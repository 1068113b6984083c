"""Which of two aligned copies has a part made unreadable: a face, a screen, a plate.

Such a part is compact, has next to none of the other's detail, and is what the other
becomes by blurring just that part. What is filled or written over is the concern of
`overlays`.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np

from phx_pipeline.dedup.planes import Mask, Plane, block_means, blurred, edges, parts

_CELL: Final = 8  # px, a side of the cells that are compared
_STEEP: Final = 0.7  # grey levels a pixel from which a cell has detail to lose
_FLAT: Final = 0.45  # times the edges of the other
_LEAST: Final = 8  # cells that lost theirs; fewer may be chance
_DENSE: Final = 0.3  # share of the cells of their frame that did, where some could
_LARGEST: Final = 0.2  # share of what both show
_RADII: Final = (1.5, 4.0, 7.0, 11.0)  # px; by the first nothing is hidden
_REST: Final = 0.2  # of the difference that blurring the other leaves, or:
_SLIGHT: Final = (
    0.45  # times what slight blurring leaves; of letters that leaves little
)
_MOST: Final = 2.25  # times as much is left of lines that run out of the part
_LEFT: Final = 8.0  # grey levels that are left at most; of signs more is
_NEARLY: Final = 0.25  # of the difference, blurred with what lies around the part
_NEARLY_LEFT: Final = 6.0  # grey levels, the same
_REACH: Final = 28  # px around a part that are blurred into it
_HARDLY: Final = 0.5  # log by which the other may be odder there
_AROUND: Final = 16  # px around a part that say what is usual there
_RIM: Final = 4  # px next to it that do not
_ODD: Final = 0.3  # log of how many times fewer edges than usual
_VERY_ODD: Final = 1.0  # the same
_ODDER: Final = 1.5  # times as far off as the other
_FAINT: Final = 0.3  # grey levels a pixel, of no moment

_ELSEWHERE: Final = 0.5  # share of what differs that lies in no such part
_LEAST_ELSEWHERE: Final = 0.0016  # share of what both show, from which that counts

Box = tuple[slice, slice]


def effaced(ours: Plane, theirs: Plane, inside: Mask, differing: Mask) -> int:
    """Return 1 where a part of the first is blurred, 2 the second, else 0.

    Both lie in one frame, lit alike and equally sharp; *inside* is what both show. What
    is *differing* elsewhere as well is no such part: rows of letters are all over.
    """
    whole = block_means(inside, _CELL) == 1
    steep_1, steep_2 = (block_means(edges(it), _CELL) for it in (ours, theirs))
    first = _blurred(ours, theirs, _lost(steep_1, steep_2) & whole, steep_2)
    second = _blurred(theirs, ours, _lost(steep_2, steep_1) & whole, steep_1)
    if bool(first) == bool(second) or _is_elsewhere(differing, first or second):
        return 0
    return 1 if first else 2


def _lost(flat: Plane, other: Plane) -> Mask:
    return (other > _STEEP) & (flat < _FLAT * other)


def _blurred(flat: Plane, other: Plane, lost: Mask, steep: Plane) -> list[Box]:
    boxes = _boxes(lost, (steep > _STEEP) | lost)
    return [it for it in boxes if _is_blur(flat, other, it)]


def _is_elsewhere(differing: Mask, boxes: list[Box]) -> bool:
    """Whether most of what differs lies in none of these parts."""
    rest = differing.copy()
    for it in boxes:
        rest[_grown(it, _CELL)] = False
    far = rest.sum()
    is_much = far > _LEAST_ELSEWHERE * rest.size
    return bool(is_much and far > _ELSEWHERE * differing.sum())


def _oddness(flat: Plane, other: Plane, box: Box) -> tuple[float, float]:
    """Return the logs of how much flatter the one, and steeper the other is than usual.

    A wall behind letters is as flat as usual.
    """
    odd = []
    for steep in (edges(flat), edges(other)):
        around = steep[_grown(box, _AROUND)].sum() - steep[_grown(box, _RIM)].sum()
        pixels = steep[_grown(box, _AROUND)].size - steep[_grown(box, _RIM)].size
        usual, there = around / max(1, pixels) + _FAINT, steep[box].mean() + _FAINT
        odd.append(float(np.log(there / usual)))
    return -odd[0], odd[1]


def _grown(box: Box, by: int) -> Box:
    down, across = (slice(max(0, it.start - by), it.stop + by) for it in box)
    return down, across


def _boxes(lost: Mask, could: Mask) -> Iterator[Box]:
    """Yield the frames of what was lost together, in pixels."""
    for part in parts(lost):
        rows, columns = np.array(part).T
        if len(part) < _LEAST or min(np.ptp(rows), np.ptp(columns)) < 1:
            continue
        frame = (
            slice(rows.min(), rows.max() + 1),
            slice(columns.min(), columns.max() + 1),
        )
        area = lost[frame].size
        if area > _LARGEST * lost.size or len(part) < _DENSE * could[frame].sum():
            continue
        down, across = (slice(it.start * _CELL, it.stop * _CELL) for it in frame)
        yield down, across


def _is_blur(flat: Plane, other: Plane, box: Box) -> bool:
    """Whether the part is the other's, blurred by so much that it hides something.

    The odder it is, the less exactly that has to be so; where the other is the odd one,
    it has to be so very exactly, or it is none.
    """
    odd = _oddness(flat, other, box)
    gap = float(np.abs(flat - other)[box].mean()) + 1e-6
    if odd[1] < odd[0]:
        slight, *rests = _rests(flat, other, box, reach=0)
        is_odd = odd[0] > max(_VERY_ODD, _ODDER * abs(odd[1]) + _ODD)
        most = min(_REST, _SLIGHT * slight / gap) * (_MOST if is_odd else 1)
        if min(rests) < min(most * gap, _LEFT):
            return True
    nearly = min(_rests(flat, other, box, reach=_REACH)[1:])
    return odd[1] < odd[0] + _HARDLY and nearly < min(_NEARLY * gap, _NEARLY_LEFT)


def _rests(flat: Plane, other: Plane, box: Box, *, reach: int) -> list[float]:
    """Return by how much a part is off the other's, blurred by each of `_RADII`.

    What lies around it within *reach* is blurred into it.
    """
    near = _grown(box, reach)
    down, across = (
        slice(inner.start - outer.start, inner.stop - outer.start)
        for inner, outer in zip(box, near, strict=True)
    )
    soft = (blurred(other[near], it)[down, across] for it in _RADII)
    return [float(np.abs(flat[box] - it).mean()) for it in soft]
