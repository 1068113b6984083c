"""The frequencies of the JPEG blocks of two copies of one frame, side by side.

What they tell of grain is the concern of `rounding`, of sharpening that of `carried`.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from phx_pipeline.dedup.planes import Plane
from phx_pipeline.dedup.tiles import UNIT, Tiles, blocks

Spectra = NDArray[np.float32]  # shape (blocks, frequencies), grey levels

SUMS: Final = np.add.outer(np.arange(UNIT), np.arange(UNIT)).ravel()
"""The sum of both numbers of each frequency of a block: 0 is its mean."""

FEW: Final = 60  # blocks below which nothing is said

_DARK, _BRIGHT = 2, 253  # grey levels where tones end, and blocks are not as rounded


def cosines(side: int) -> Plane:
    """Return the DCT-II of so many pixels."""
    frequency, position = np.arange(side)[:, None], np.arange(side) + 0.5
    basis = np.cos(np.pi / side * frequency * position) * np.sqrt(2 / side)
    basis[0] /= np.sqrt(2)
    found: Plane = basis.astype(np.float32)
    return found


_EIGHT: Final = cosines(UNIT)


def side_by_side(a: Tiles, b: Tiles) -> tuple[Spectra, Spectra] | None:
    """Return all frequencies of all blocks that are clipped in neither.

    None of copies of two sizes, or where such blocks are too few.
    """
    return shared(blocks(a), blocks(b)) if a.size == b.size else None


def shared(a: Plane, b: Plane) -> tuple[Spectra, Spectra] | None:
    """Return the same of blocks, shape (blocks, UNIT, UNIT)."""
    whole = np.ones(len(a), dtype=bool)
    for it in (a, b):
        whole &= (it.min(axis=(1, 2), initial=255) > _DARK) & (
            it.max(axis=(1, 2), initial=0) < _BRIGHT
        )
    if whole.sum() < FEW:
        return None
    return _frequencies(a[whole]), _frequencies(b[whole])


def _frequencies(units: Plane) -> Spectra:
    spectra = _EIGHT @ units @ _EIGHT.T
    return spectra.reshape(len(units), UNIT * UNIT).astype(np.float32, copy=False)
