"""Shrinking a luminance plane to a few pixels, to the bit as Pillow's LANCZOS does.

Pillow sums 8-bit pixels times weights of 22 fractional bits, along rows, rounds to 8
bits, then does the same along columns. Such sums stay below 2**53, so a product of
float64 matrices has them exactly, whatever the order of additions, several times
faster. Weights in two parts, a coarse and a fine one, keep the sums of each below 2**24
unless the plane is very wide: then float32 has them exactly too, faster again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

_SUPPORT: Final = 3.0  # lobes of the kernel
_ONE: Final = float(1 << 22)  # Pillow's unit of weight
_GROUP: Final = 4  # target pixels that share one stretch of the source
_MULTIPLICATIONS: Final = 1 << 18  # per product; for more, OpenBLAS wakes its threads
_COARSE: Final = 128.0  # units of weight; what is left of a weight is its fine part
_WHITE: Final = 255.0
_EXACT_BELOW: Final = 1 << 24  # whole numbers that float32 has

Plane = NDArray[np.uint8]
Size = tuple[int, int]
_Weights = NDArray[np.floating[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stretch:
    """Target pixels from `target` on, and the weights of source pixels for them."""

    source: slice
    target: slice
    weights: _Weights  # one part beside the other


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kernels:
    """What takes a row to its target pixels; parts of weights count `units` each."""

    units: NDArray[np.float64]
    stretches: tuple[_Stretch, ...]
    rows: int  # taken at once


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
    narrow = [_along_rows(plane, columns=columns) for columns, _ in sizes]
    return [
        _along_rows(target.T, columns=rows).T
        for target, (_, rows) in zip(narrow, sizes, strict=True)
    ]


def _along_rows(plane: Plane, *, columns: int) -> Plane:
    """Return *plane* with its rows shortened to *columns* pixels each."""
    height, width = plane.shape
    kernels = _kernels(width, columns)
    kind = kernels.stretches[0].weights.dtype
    sums = np.empty((height, len(kernels.units), columns), dtype=kind)
    for top in range(0, height, kernels.rows):
        band: _Weights = plane[top : top + kernels.rows].astype(kind)
        found = sums[top : top + kernels.rows]
        for it in kernels.stretches:
            parts = band[:, it.source] @ it.weights
            found[:, :, it.target] = parts.reshape(len(band), len(kernels.units), -1)
    whole = (sums * kernels.units[:, None]).sum(axis=1)
    short: Plane = np.clip(np.floor(whole / _ONE + 0.5), 0, _WHITE).astype(np.uint8)
    return short


@lru_cache(maxsize=64)  # a gallery has few sizes
def _kernels(length: int, columns: int) -> _Kernels:
    sources, weights = _taps(length, columns)
    units, parts = _parts(weights)
    groups = [slice(at, at + _GROUP) for at in range(0, columns, _GROUP)]
    stretches = tuple(
        _stretch(sources[group], parts=parts[:, group], target=group)
        for group in groups
    )
    widest = max(it.weights.size for it in stretches)
    return _Kernels(
        units=units, stretches=stretches, rows=max(1, _MULTIPLICATIONS // widest)
    )


def _parts(weights: NDArray[np.float64]) -> tuple[NDArray[np.float64], _Weights]:
    """Return *weights* as parts x columns x taps, and what each part counts."""
    coarse = np.rint(weights / _COARSE)
    parts = np.stack((coarse, weights - coarse * _COARSE))
    if (np.abs(parts).sum(axis=2) * _WHITE).max() < _EXACT_BELOW:
        return np.array((_COARSE, 1.0)), parts.astype(np.float32)
    return np.ones(1), weights[None]


def _stretch(sources: NDArray[np.int64], *, parts: _Weights, target: slice) -> _Stretch:
    first, last = sources.min(), sources.max()
    table = np.zeros((*parts.shape[:2], last - first + 1), dtype=parts.dtype)
    at = np.arange(len(sources))[:, None]
    for part, weights in zip(table, parts, strict=True):
        # Past the end of the source the last pixel is named once more, with no weight.
        np.add.at(part, (at, sources - first), weights)
    return _Stretch(
        source=slice(first, last + 1),
        target=target,
        weights=np.ascontiguousarray(table.reshape(-1, table.shape[2]).T),
    )


def _taps(length: int, columns: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
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
