"""Which of many stored hashes are near to a few wanted ones: exact, any distance."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

_BLOCK: Final = 131_072  # hashes at a time: they stay in a core's cache

_Hashes = NDArray[np.uint64]
_Indexes = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Near:
    """Pairs within the distance, one per entry, by wanted and then stored index."""

    wanted: _Indexes
    stored: _Indexes
    distances: NDArray[np.uint8]


def near(wanted: _Hashes, stored: _Hashes, *, max_distance: int) -> Near:
    """Compare each wanted hash with each stored one, a cache-sized block at a time."""
    owners, places = [], [np.empty(0, dtype=np.int64)]
    for start in range(0, len(stored), _BLOCK):
        block = stored[start : start + _BLOCK]
        differing = np.empty_like(block)
        distances = np.empty(len(block), dtype=np.uint8)
        for index, value in enumerate(wanted):
            np.bitwise_xor(block, value, out=differing)
            np.bitwise_count(differing, out=distances)
            found = np.flatnonzero(distances <= max_distance)
            if found.size:
                owners += [index] * found.size
                places.append(found + start)
    return _sorted(wanted, stored, np.array(owners, np.int64), np.concatenate(places))


def _sorted(
    wanted: _Hashes, stored: _Hashes, owners: _Indexes, places: _Indexes
) -> Near:
    order = np.lexsort((places, owners))
    owners, places = owners[order], places[order]
    distances = np.bitwise_count(wanted[owners] ^ stored[places])
    return Near(wanted=owners, stored=places, distances=distances)
