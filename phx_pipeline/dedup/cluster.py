"""Which pictures of a property are copies of one another, and the best of each."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from phx_pipeline.model.photo import PictureHashes

MAX_PHASH_DISTANCE: Final = 8
MAX_DHASH_DISTANCE: Final = 10

_HashPairs = NDArray[np.uint64]  # shape (pictures, 2): full frame, trimmed frame


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A picture to be compared: its raw SHA-256, size in pixels and hashes."""

    sha256: str
    width: int
    height: int
    hashes: PictureHashes


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """Copies of one picture: their SHA-256 in rising order, and the one to keep."""

    members: tuple[str, ...]
    best: str


def cluster(candidates: Sequence[Candidate]) -> list[Cluster]:
    """Group all candidates; the result does not depend on their order.

    Two pictures are copies when the least pHash distance over full and trimmed frames
    is at most `MAX_PHASH_DISTANCE`, and the least dHash distance (over the same
    four combinations, taken by itself) at most `MAX_DHASH_DISTANCE`. Clusters are the
    connected components of that relation, sorted by their members; the best copy is
    the one with the most pixels, then the smallest SHA-256.
    """
    unique = {candidate.sha256: candidate for candidate in candidates}
    pictures = [unique[sha256] for sha256 in sorted(unique)]
    groups = _components(len(pictures), pairs=_copies(pictures))
    return [_as_cluster([pictures[index] for index in group]) for group in groups]


def _as_cluster(group: Sequence[Candidate]) -> Cluster:
    best = min(group, key=lambda it: (-it.width * it.height, it.sha256))
    return Cluster(members=tuple(it.sha256 for it in group), best=best.sha256)


def _copies(pictures: Sequence[Candidate]) -> Iterable[tuple[int, int]]:
    """Yield every pair of copies as indexes (a, b) with a < b."""
    all_hashes = [picture.hashes for picture in pictures]
    phashes = _pairs((hashes.phash, hashes.trimmed_phash) for hashes in all_hashes)
    dhashes = _pairs((hashes.dhash, hashes.trimmed_dhash) for hashes in all_hashes)
    for index in range(len(pictures)):
        near = _least_distances(phashes, index=index) <= MAX_PHASH_DISTANCE
        near &= _least_distances(dhashes, index=index) <= MAX_DHASH_DISTANCE
        for offset in np.flatnonzero(near):
            yield index, index + 1 + int(offset)


def _pairs(values: Iterable[tuple[int, int]]) -> _HashPairs:
    return np.array(list(values), dtype=np.uint64).reshape(-1, 2)


def _least_distances(hashes: _HashPairs, *, index: int) -> NDArray[np.uint8]:
    """Return the distances of picture *index* to all later ones, least of four each."""
    rest = hashes[index + 1 :, :, None] ^ hashes[index]
    least: NDArray[np.uint8] = np.bitwise_count(rest).min(axis=(1, 2))
    return least


def _components(count: int, *, pairs: Iterable[tuple[int, int]]) -> list[list[int]]:
    """Return the connected components of 0..count-1, each and all in rising order."""
    parents = list(range(count))
    for a, b in pairs:
        low, high = sorted((_root(parents, a), _root(parents, b)))
        parents[high] = low
    groups: dict[int, list[int]] = {}
    for index in range(count):
        groups.setdefault(_root(parents, index), []).append(index)
    return list(groups.values())


def _root(parents: list[int], index: int) -> int:
    while parents[index] != index:
        parents[index] = parents[parents[index]]
        index = parents[index]
    return index
