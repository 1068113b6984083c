"""What is measured on grey levels: edges, means, blur."""

from collections.abc import Callable, Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float32]
Mask = NDArray[np.bool_]

BLOCK: Final = 16  # px
_FEW: Final = 8  # blocks below which nothing is said of sharpness
_RADII: Final = (0.5, 0.8, 1.1, 1.5, 2.0)  # px
_FAINT: Final = 1.0  # grey levels per pixel below which a block has no edges
_WHOLE: Final = 0.95  # share of a block's pixels that both pictures must show


def edges(plane: Plane) -> Plane:
    """Return how steep the plane is at each pixel."""
    down, across = slopes(plane)
    steep: Plane = np.sqrt(down * down + across * across)
    return steep


def slopes(plane: Plane) -> tuple[Plane, Plane]:
    """Return by how much the plane rises downwards and to the right, as numpy does."""
    down, across = np.empty_like(plane), np.empty_like(plane)
    for lines, there in ((plane, down), (plane.T, across.T)):
        np.subtract(lines[2:], lines[:-2], out=there[1:-1])
        there[1:-1] *= np.float32(0.5)
        there[0], there[-1] = lines[1] - lines[0], lines[-1] - lines[-2]
    return down, across


def block_means(plane: Plane | Mask, side: int = BLOCK) -> Plane:
    """Return the means of the whole blocks of *side* px."""
    rows, columns = (it // side for it in plane.shape)
    whole = plane[: rows * side, : columns * side]
    means: Plane = whole.reshape(rows, side, columns, side).mean(
        axis=(1, 3), dtype=np.float32
    )
    return means


def parts(cells: Mask) -> list[list[tuple[int, int]]]:
    """Return the places of what lies together; a gap of one cell parts nothing."""
    left = {(int(row), int(column)) for row, column in np.argwhere(cells)}
    found = []
    while left:
        part = [left.pop()]
        for place in part:  # it grows meanwhile
            near = left.intersection(_around(place))
            left -= near
            part += near
        found.append(part)
    return found


def _around(place: tuple[int, int]) -> Iterator[tuple[int, int]]:
    row, column = place
    reach = range(-2, 3)
    return ((row + down, column + across) for down in reach for across in reach)


def local_mean(plane: Plane | Mask, reach: int) -> Plane:
    """Return the mean of the square of 2 *reach* + 1 pixels around each."""
    padded: NDArray[Any] = np.pad(plane, reach, mode="edge")
    side = 2 * reach + 1
    sums = _counts(padded, side) if padded.dtype == bool else _sums(padded, side)
    mean: Plane = (sums / side**2).astype(np.float32, copy=False)
    return mean


def _sums(padded: Plane, side: int) -> NDArray[Any]:
    """Return the sum of each square of *side* pixels."""
    padded = np.pad(padded.astype(np.float64), ((1, 0), (1, 0)))
    sums = padded.cumsum(axis=0).cumsum(axis=1)
    rows = sums[side:] - sums[:-side]
    boxes: NDArray[Any] = rows[:, side:] - rows[:, :-side]
    return boxes


def _counts(padded: Mask, side: int) -> NDArray[Any]:
    """Return the same of a mask, many times faster: sums of small whole numbers."""
    counts: NDArray[Any] = padded.astype(np.uint16)
    for _ in range(2):  # along rows, then turned
        width = counts.shape[1] - side + 1
        total = counts[:, :width].copy()
        for at in range(1, side):
            total += counts[:, at : at + width]
        counts = total.T
    return counts.astype(np.float32)


def blurred(plane: Plane, radius: float) -> Plane:
    """Blur by a Gaussian, *radius* in pixels."""
    if not radius:
        return plane
    reach = int(np.ceil(2.5 * radius))
    taps = np.exp(-0.5 * (np.arange(-reach, reach + 1) / radius) ** 2)
    taps = (taps / taps.sum()).astype(np.float32)
    for axis in (0, 1):
        margins = [(0, 0), (0, 0)]
        margins[axis] = (reach, reach)
        padded = np.pad(plane, margins, mode="edge")
        spans = np.lib.stride_tricks.sliding_window_view(padded, len(taps), axis=axis)
        plane = np.ascontiguousarray(spans @ taps)
    return plane


def equally_sharp(a: Plane, b: Plane, inside: Mask) -> tuple[Plane, Plane]:
    """Blur the sharper one until the edges of most blocks are as steep in both."""
    whole = _whole(inside)
    ours, theirs = (_steepness(it, inside) for it in (a, b))

    def excess(plane: Plane, other: Plane) -> float:
        return _ratio(_steepness(plane, inside), other, whole)

    if (more := _ratio(ours, theirs, whole)) >= 1:
        return _as_soft(a, more, lambda it: excess(it, theirs)), b
    more = _ratio(theirs, ours, whole)
    return a, _as_soft(b, more, lambda it: excess(it, ours))


def _steepness(plane: Plane, inside: Mask) -> Plane:
    return block_means(edges(plane) * inside)


def _whole(inside: Mask) -> Mask:
    """Return the blocks that both pictures show."""
    return block_means(inside.astype(np.float32)) > _WHOLE


def _ratio(ours: Plane, theirs: Plane, whole: Mask) -> float:
    counts = whole & (np.maximum(ours, theirs) > _FAINT)
    if counts.sum() < _FEW:
        return 1.0
    return float(np.median((ours[counts] + 0.1) / (theirs[counts] + 0.1)))


def _as_soft(plane: Plane, more: float, of: Callable[[Plane], float]) -> Plane:
    """Blur *plane*, so many times steeper, until the least is left *of* that."""
    best, least = plane, abs(np.log(more))
    for radius in _RADII:
        softer = blurred(plane, radius)
        off = abs(np.log(of(softer)))
        if off >= least:
            break
        best, least = softer, off
    return best


def halved(planes: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the means of two by two pixels."""
    rows, columns = (side // 2 * 2 for side in planes.shape[:2])
    first, second = planes[0:rows:2], planes[1:rows:2]
    both = (first + second) / np.float32(2)
    halves: NDArray[np.float32] = both[:, 0:columns:2] + both[:, 1:columns:2]
    return halves / np.float32(2)
