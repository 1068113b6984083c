"""Which pictures of a property are copies of one another, and the best of each."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from phx_pipeline.dedup.align import Agreement, agreement, moves_of_frames
from phx_pipeline.dedup.strips import has_strip
from phx_pipeline.model.appearance import THUMBNAIL_SIDE, Appearance
from phx_pipeline.model.photo import PictureHashes

MAX_PHASH_DISTANCE: Final = 8
MAX_DHASH_DISTANCE: Final = 10
MAX_WIDE_PHASH_DISTANCE: Final = 16
MIN_AGREEING: Final = 0.8  # share of blocks
MIN_AGREEING_PAGE: Final = 0.9  # plans of one builder agree in outline and title
MAX_STIRRED: Final = 0.11  # share of windows: 5 of 49

_ENOUGH: Final = 0.4  # of the most detail for the same part of the scene
_UNCROPPED: Final = 0.98  # of the largest extent; aligning is no more exact
_UNRELATED: Final = 0.5  # share of blocks below which moves tell nothing
_TRIMMED_ALIKE: Final = 0.02  # moves (of frames) below this are found anyway
_ROWS: Final = 256  # pictures compared with all others at a time

_HashPairs = NDArray[np.uint64]  # shape (pictures, 2): full frame, trimmed frame
_Pairs = NDArray[np.int64]  # shape (pairs, 2): indexes a < b


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A picture to be compared: its raw SHA-256, size in pixels, hashes and looks.

    Without an appearance only the hashes decide whose copy it is.
    """

    sha256: str
    width: int
    height: int
    hashes: PictureHashes
    appearance: Appearance | None = None
    size_bytes: int = 0

    @property
    def content_pixels(self) -> float:
        """The pixels inside flat borders."""
        share = 1.0 if self.appearance is None else self.appearance.content_share
        return self.width * self.height * share


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """Copies of one picture: their SHA-256 in rising order, and the one to keep."""

    members: tuple[str, ...]
    best: str


def cluster(candidates: Sequence[Candidate]) -> list[Cluster]:
    """Group all candidates; the result does not depend on their order.

    The largest picture not yet grouped gathers its copies (`copies`), then the next. A
    group joins an earlier one when more than half of the pairs between them are copies:
    one failed comparison does not part copies, and one that succeeded does not chain
    slowly changing pictures together. Clusters are sorted by their members.
    """
    unique = {candidate.sha256: candidate for candidate in candidates}
    pictures = sorted(unique.values(), key=lambda it: (-it.content_pixels, it.sha256))
    pairs = copies(pictures)
    groups = _joined(_gathered(len(pictures), pairs=pairs), pairs=frozenset(pairs))
    found = [_as_cluster([pictures[index] for index in group]) for group in groups]
    return sorted(found, key=lambda it: it.members)


def copies(pictures: Sequence[Candidate]) -> list[tuple[int, int]]:
    """Return every pair of copies as indexes (a, b) with a < b.

    Hashes choose the pairs: the least pHash distance over full and trimmed frames is
    at most `MAX_WIDE_PHASH_DISTANCE`, or (strict) at most `MAX_PHASH_DISTANCE` with
    the least dHash distance, taken by itself, at most `MAX_DHASH_DISTANCE`. Aligned
    pixels confirm both kinds; plans, documents and blanks have to be strict as well.
    """
    pairs, strict = _near(pictures)
    seen = np.array(
        [picture.appearance is not None for picture in pictures], dtype=bool
    )
    judged = seen[pairs[:, 0]] & seen[pairs[:, 1]]
    accepted = strict & ~judged
    accepted[judged] = _confirmed(pictures, pairs[judged], strict=strict[judged])
    return [(int(a), int(b)) for a, b in pairs[accepted]]


def _near(pictures: Sequence[Candidate]) -> tuple[_Pairs, NDArray[np.bool_]]:
    """Return the pairs that hashes allow, and which of them are strict."""
    all_hashes = [picture.hashes for picture in pictures]
    phashes = _pairs([(it.phash, it.trimmed_phash) for it in all_hashes])
    dhashes = _pairs([(it.dhash, it.trimmed_dhash) for it in all_hashes])
    pairs = [np.empty((0, 2), dtype=np.int64)]
    for start in range(0, len(pictures), _ROWS):
        near = _least_distances(phashes, start=start) <= MAX_WIDE_PHASH_DISTANCE
        found = np.argwhere(np.triu(near, k=1 + start))
        pairs.append(found + np.array((start, 0)))
    both = np.concatenate(pairs)
    strict = _pair_distances(phashes, both) <= MAX_PHASH_DISTANCE
    strict &= _pair_distances(dhashes, both) <= MAX_DHASH_DISTANCE
    return both, strict


def _pairs(values: Sequence[tuple[int, int]]) -> _HashPairs:
    return np.array(values, dtype=np.uint64).reshape(-1, 2)


def _least_distances(hashes: _HashPairs, *, start: int) -> NDArray[np.uint8]:
    """Return the distances of some rows to all pictures, least of four each."""
    rows = hashes[start : start + _ROWS]
    least = np.full((len(rows), len(hashes)), 64, dtype=np.uint8)
    for ours in rows.T:
        for theirs in hashes.T:
            differing = ours[:, None] ^ theirs
            np.minimum(least, np.bitwise_count(differing), out=least)
    return least


def _pair_distances(hashes: _HashPairs, pairs: _Pairs) -> NDArray[np.uint8]:
    ours, theirs = hashes[pairs[:, 0]], hashes[pairs[:, 1]]
    differing = ours[:, :, None] ^ theirs[:, None, :]
    least: NDArray[np.uint8] = np.bitwise_count(differing).min(axis=(1, 2))
    return least


def _confirmed(
    pictures: Sequence[Candidate], pairs: _Pairs, *, strict: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    looks = [picture.appearance for picture in pictures]
    pages = np.array(
        [look is not None and look.low_information for look in looks], dtype=bool
    )
    page = pages[pairs[:, 0]] | pages[pairs[:, 1]]
    asked = strict | ~page
    confirmed = np.zeros(len(pairs), dtype=bool)
    least = np.where(page, MIN_AGREEING_PAGE, MIN_AGREEING)
    found = _agreement(pictures, pairs[asked])
    # Too little to compare: the strict tier has to do.
    confirmed[asked] = _same(found, least[asked]) | (
        np.isnan(found.shares) & strict[asked]
    )
    # A flat sky may be trimmed off one copy and not the other; what is then compared is
    # only a part, so the hashes have to be strict.
    starts = _moves_of_frames(pictures, pairs)
    again = strict & ~confirmed & (np.abs(starts).max(axis=1) > _TRIMMED_ALIKE)
    found = _agreement(pictures, pairs[again], starts=starts[again])
    confirmed[again] = _same(found, least[again])
    return confirmed


def _same(found: Agreement, least: NDArray[np.float64]) -> NDArray[np.bool_]:
    return (found.shares >= least) & (found.stirred <= MAX_STIRRED)


def _moves_of_frames(
    pictures: Sequence[Candidate], pairs: _Pairs
) -> NDArray[np.float32]:
    looks = [picture.appearance for picture in pictures]
    moves = [
        moves_of_frames(ours, theirs)
        for a, b in pairs
        if (ours := looks[a]) is not None and (theirs := looks[b]) is not None
    ]
    return np.array(moves, dtype=np.float32).reshape(-1, 4)


def _agreement(
    pictures: Sequence[Candidate],
    pairs: _Pairs,
    *,
    starts: NDArray[np.float32] | None = None,
) -> Agreement:
    used, places = np.unique(pairs, return_inverse=True)
    planes = np.zeros((len(used), THUMBNAIL_SIDE, THUMBNAIL_SIDE), dtype=np.uint8)
    for place, index in enumerate(used):
        look = pictures[index].appearance
        if look is not None:
            planes[place].flat = np.frombuffer(look.thumbnail, dtype=np.uint8)
    ours, theirs = places.reshape(-1, 2).T
    return agreement(planes[ours], planes[theirs], starts=starts)


def _gathered(count: int, *, pairs: Sequence[tuple[int, int]]) -> list[list[int]]:
    """Let each of 0..count-1 that is free gather its free copies, in this order."""
    copies_of: list[list[int]] = [[] for _ in range(count)]
    for a, b in pairs:
        copies_of[a].append(b)
    taken = [False] * count
    groups = []
    for index in range(count):
        if not taken[index]:
            group = [index, *(b for b in copies_of[index] if not taken[b])]
            for member in group:
                taken[member] = True
            groups.append(group)
    return groups


def _joined(
    groups: Sequence[list[int]], *, pairs: frozenset[tuple[int, int]]
) -> list[list[int]]:
    """Let each group join the first one before it that it mostly agrees with."""
    joined: list[list[int]] = []
    linked = {index for pair in pairs for index in pair}
    for group in groups:
        host = None
        if linked.intersection(group):
            host = next((it for it in joined if _mostly(it, group, pairs)), None)
        if host is None:
            joined.append(list(group))
        else:
            host += group
    return [sorted(group) for group in joined]


def _mostly(
    ours: Sequence[int], theirs: Sequence[int], pairs: frozenset[tuple[int, int]]
) -> bool:
    links = sum((min(a, b), max(a, b)) in pairs for a in ours for b in theirs)
    return 2 * links > len(ours) * len(theirs)


def _as_cluster(group: Sequence[Candidate]) -> Cluster:
    members = tuple(sorted(it.sha256 for it in group))
    return Cluster(members=members, best=_best(group).sha256)


def _best(group: Sequence[Candidate]) -> Candidate:
    """Return the copy a person would choose; *group* has the largest first.

    Out go those with far less detail than another has of the same part of the scene,
    of the rest those with a strip of text, then the cropped ones. Then the most detail
    counts, pixels, bytes.
    """
    if len(group) == 1:
        return group[0]
    details, views = _details(group), _views(group)
    densities = details / views.extents
    left = densities >= _ENOUGH * densities.max()
    if (left & ~views.stripped).any():
        left &= ~views.stripped
    left &= views.extents >= _UNCROPPED * views.extents[left].max()
    rivals = [index for index in range(len(group)) if left[index]]
    return group[min(rivals, key=lambda it: (-details[it], *_rank(group[it])))]


def _rank(picture: Candidate) -> tuple[float, int, str]:
    return (-picture.content_pixels, -picture.size_bytes, picture.sha256)


def _details(group: Sequence[Candidate]) -> NDArray[np.float64]:
    """Return the detail of each, at least 1; pixels stand in where one is unknown."""
    found = [None if it.appearance is None else it.appearance.detail for it in group]
    known = [it for it in found if it is not None]
    if len(known) < len(group):
        return np.array([it.content_pixels for it in group])
    return np.maximum(known, 1).astype(np.float64)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Views:
    """How much of the scene each copy shows, the first one 1, and who adds a strip."""

    extents: NDArray[np.float64]
    stripped: NDArray[np.bool_]


def _views(group: Sequence[Candidate]) -> _Views:
    extents, stripped = np.ones(len(group)), np.zeros(len(group), dtype=bool)
    looks = [it.appearance for it in group if it.appearance is not None]
    if len(looks) == len(group):
        pairs = np.array([(0, index) for index in range(1, len(group))])
        found = _agreement(group, pairs)
        related = found.shares >= _UNRELATED
        aside = np.abs(found.moves - _moves_of_frames(group, pairs)) > _TRIMMED_ALIKE
        _measure_extents(extents, found.moves, told=aside & related[:, None])
        _find_strips(stripped, looks, found.moves * related[:, None])
    return _Views(extents=extents, stripped=stripped)


def _measure_extents(
    extents: NDArray[np.float64],
    moves: NDArray[np.float32],
    *,
    told: NDArray[np.bool_],
) -> None:
    # What was trimmed off one copy only may be its ceiling or sky: where the frames
    # explain how the contents lie, both copies show the same, in that direction.
    for first in (0, 2):
        counts = told[:, first] | told[:, first + 1]
        extents[1:][counts] /= 1 + moves[counts, first]


def _find_strips(
    stripped: NDArray[np.bool_],
    looks: Sequence[Appearance],
    moves: NDArray[np.float32],
) -> None:
    for index, (_, _, scale, shift) in enumerate(moves.astype(float), start=1):
        grown = 1 + scale
        ours = has_strip(looks[0], top=(-1 - shift) / grown, bottom=(1 - shift) / grown)
        stripped[0] |= ours
        stripped[index] = has_strip(
            looks[index], top=shift - grown, bottom=shift + grown
        )
