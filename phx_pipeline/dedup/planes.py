"""What is measured on grey levels: edges, means, blur, sharpness."""

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float32]
Mask = NDArray[np.bool_]

BLOCK: Final = 16  # px
_FEW: Final = 8  # blocks below which nothing is said of sharpness
_RADII: Final = (0.0, 0.5, 0.8, 1.1, 1.5, 2.0)  # px
_FAINT: Final = 1.0  # grey levels per pixel below which a block has no edges
_WHOLE: Final = 0.95  # share of a block's pixels that both pictures must show


def edges(plane: Plane) -> Plane:
    """Return how steep the plane is at each pixel."""
    down, across = np.gradient(plane)
    steep: Plane = np.hypot(down, across)
    return steep


def block_means(plane: Plane) -> Plane:
    """Return the means of the whole blocks."""
    rows, columns = (side // BLOCK for side in plane.shape)
    whole = plane[: rows * BLOCK, : columns * BLOCK]
    means: Plane = whole.reshape(rows, BLOCK, columns, BLOCK).mean(
        axis=(1, 3), dtype=np.float32
    )
    return means


def local_mean(plane: Plane | Mask, reach: int) -> Plane:
    """Return the mean of the square of 2 *reach* + 1 pixels around each."""
    side = 2 * reach + 1
    padded = np.pad(plane.astype(np.float64), reach, mode="edge")
    padded = np.pad(padded, ((1, 0), (1, 0)))
    sums = padded.cumsum(axis=0).cumsum(axis=1)
    rows = sums[side:] - sums[:-side]
    mean: Plane = ((rows[:, side:] - rows[:, :-side]) / side**2).astype(np.float32)
    return mean


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


def sharpness(a: Plane, b: Plane, inside: Mask) -> float:
    """Return how many times steeper the edges of a are, in the median block."""
    ours, theirs = (block_means(edges(it) * inside) for it in (a, b))
    counts = block_means(inside.astype(np.float32)) > _WHOLE
    counts &= np.maximum(ours, theirs) > _FAINT
    if counts.sum() < _FEW:
        return 1.0
    return float(np.median((ours[counts] + 0.1) / (theirs[counts] + 0.1)))


def equally_sharp(a: Plane, b: Plane, inside: Mask) -> tuple[Plane, Plane]:
    """Blur the sharper one until the edges of most blocks are as steep in both."""
    ratio = sharpness(a, b, inside)
    if ratio >= 1:
        return _as_soft(a, lambda it: sharpness(it, b, inside)), b
    return a, _as_soft(b, lambda it: sharpness(it, a, inside))


def _as_soft(plane: Plane, excess: Callable[[Plane], float]) -> Plane:
    best, least = plane, abs(np.log(excess(plane)))
    for radius in _RADII[1:]:
        softer = blurred(plane, radius)
        off = abs(np.log(excess(softer)))
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
