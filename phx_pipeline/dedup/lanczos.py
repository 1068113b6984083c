"""Shrinking a luminance plane to a few pixels, to the bit as Pillow's LANCZOS does.

Pillow sums 8-bit pixels times weights of 22 fractional bits, along rows, rounds to 8
bits, then does the same along columns. Such sums stay below 2**53, so a product of
float64 matrices has them exactly, whatever the order of additions, several times
faster.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

_SUPPORT: Final = 3.0  # lobes of the kernel
_ONE: Final = float(1 << 22)  # Pillow's unit of weight
_GROUP: Final = 4  # target pixels that share one stretch of the source
_MULTIPLICATIONS: Final = 1 << 18  # per product; for more, OpenBLAS wakes its threads

Plane = NDArray[np.uint8]
Size = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stretch:
    """Target pixels from `target` on, and the weights of source pixels for them."""

    source: slice
    target: slice
    weights: NDArray[np.float64]


def shrunk(plane: Plane, *, sizes: Sequence[Size]) -> list[Plane]:
    """Return *plane* (height x width) at each of *sizes* (width, height).

    None of them may be wider or higher than the plane.
    """
    upright = [size for size in sizes if not _columns_first(plane, size=size)]
    lying = [size for size in sizes if size not in upright]
    found = dict(zip(upright, _rows_first(plane, sizes=upright), strict=True))
    turned = _rows_first(plane.T, sizes=[(rows, columns) for columns, rows in lying])
    found |= {size: small.T for size, small in zip(lying, turned, strict=True)}
    return [found[size] for size in sizes]


def _columns_first(plane: Plane, *, size: Size) -> bool:
    """Whether Pillow (as of 13) takes the columns first, which rounds differently."""
    height, width = plane.shape
    return bool(height - size[1] > 2 * (width - size[0]))


def _rows_first(plane: Plane, *, sizes: Sequence[Size]) -> list[Plane]:
    narrow = [_narrowed(plane, columns=columns) for columns, _ in sizes]
    return [
        _along_rows(target.T.astype(np.float64), columns=rows).T
        for target, (_, rows) in zip(narrow, sizes, strict=True)
    ]


def _narrowed(plane: Plane, *, columns: int) -> Plane:
    height, width = plane.shape
    found = np.empty((height, columns), np.uint8)
    step = max(1, _MULTIPLICATIONS // _widest(width, columns))
    for top in range(0, height, step):
        band = plane[top : top + step].astype(np.float64)
        found[top : top + step] = _along_rows(band, columns=columns)
    return found


def _widest(width: int, columns: int) -> int:
    """Return the multiplications that the widest stretch takes for a row."""
    return max(it.weights.size for it in _stretches(width, columns))


def _along_rows(rows: NDArray[np.float64], *, columns: int) -> Plane:
    """Return *rows*, shortened to *columns* pixels each."""
    sums = np.empty((len(rows), columns))
    for stretch in _stretches(rows.shape[1], columns):
        sums[:, stretch.target] = rows[:, stretch.source] @ stretch.weights
    return np.clip(np.floor(sums / _ONE + 0.5), 0, 255).astype(np.uint8)


@lru_cache(maxsize=64)  # a gallery has few sizes
def _stretches(length: int, columns: int) -> tuple[_Stretch, ...]:
    sources, weights = _kernels(length, columns)
    groups = [slice(at, at + _GROUP) for at in range(0, columns, _GROUP)]
    return tuple(
        _stretch(sources[group], weights=weights[group], target=group)
        for group in groups
    )


def _stretch(
    sources: NDArray[np.int64], *, weights: NDArray[np.float64], target: slice
) -> _Stretch:
    first, last = sources.min(), sources.max()
    table = np.zeros((len(sources), last - first + 1))
    # Past the end of the source the last pixel is named once more, with no weight.
    np.add.at(table, (np.arange(len(sources))[:, None], sources - first), weights)
    return _Stretch(
        source=slice(first, last + 1),
        target=target,
        weights=np.ascontiguousarray(table.T),
    )


def _kernels(
    length: int, columns: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return which source pixels make each target pixel, and with what weights.

    Both are columns x taps.
    """
    scale = length / columns
    stretch = max(scale, 1.0)
    reach = _SUPPORT * stretch
    centres = (np.arange(columns)[:, None] + 0.5) * scale
    starts = np.maximum((centres - reach + 0.5).astype(np.int64), 0)
    ends = np.minimum((centres + reach + 0.5).astype(np.int64), length)
    sources = starts + np.arange((ends - starts).max())
    at = (sources - centres + 0.5) / stretch
    inside = (np.abs(at) < _SUPPORT) & (sources < ends)
    weights = np.where(inside, np.sinc(at) * np.sinc(at / _SUPPORT), 0.0)
    weights /= np.add.accumulate(weights, axis=1)[:, -1:]  # in Pillow's order
    whole = np.trunc(weights * _ONE + np.copysign(0.5, weights))
    return np.minimum(sources, length - 1), np.where(inside, whole, 0.0)
