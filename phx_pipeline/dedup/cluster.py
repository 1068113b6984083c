"""Which pictures of a property are copies of one another, and the best of each.

Nothing is compared here: `judge` has judged the pairs.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from phx_pipeline.dedup.best import best_of
from phx_pipeline.dedup.proposals import Candidate, proposed
from phx_pipeline.model.judgement import Alike, Judgement, Pair, Ruled, pair_of

_NOTHING_RULED = Ruled()

_Pair = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """Copies of one picture: their SHA-256 in rising order, and the one to keep."""

    members: tuple[str, ...]
    best: str


def cluster(
    candidates: Sequence[Candidate],
    *,
    judgements: Mapping[Pair, Judgement],
    ruled: Ruled = _NOTHING_RULED,
) -> list[Cluster]:
    """Group all candidates; the result does not depend on their order.

    Copies are the pairs judged to be; of pictures nobody has looked at, those that
    hashes alone would take. The largest picture not yet grouped gathers its copies,
    then the next. A group joins an earlier one when more than half of the pairs between
    them are copies: one failed comparison does not part copies, and one that succeeded
    does not chain slowly changing pictures together. Clusters are sorted by their
    members.

    What is *ruled* comes first: pictures that people parted share no cluster, and those
    they joined do, unless that would join what they parted.
    """
    unique = {candidate.sha256: candidate for candidate in candidates}
    pictures = sorted(unique.values(), key=lambda it: it.by_size)
    apart = _places(pictures, ruled.apart)
    pairs = copies(pictures, judgements=judgements) - apart
    gathered = _gathered(len(pictures), pairs=pairs, apart=apart)
    groups = _joined(gathered, pairs=pairs, apart=apart)
    _join_ruled(groups, together=_places(pictures, ruled.together), apart=apart)
    found = [
        _as_cluster([pictures[index] for index in group], judgements)
        for group in groups
    ]
    return sorted(found, key=lambda it: it.members)


def copies(
    pictures: Sequence[Candidate], *, judgements: Mapping[Pair, Judgement]
) -> frozenset[_Pair]:
    """Return every pair of copies as indexes (a, b) with a < b."""
    same = [it.pair for it in judgements.values() if it.verdict is Alike.SAME]
    unseen = [it for it in pictures if it.appearance is None]
    if unseen:
        found = proposed(pictures)
        shas = [it.sha256 for it in pictures]
        alone = {it.sha256 for it in unseen}
        named = (pair_of(shas[a], shas[b]) for a, b in found.pairs[found.strict])
        same += [pair for pair in named if not alone.isdisjoint(pair)]
    return _places(pictures, same)


def _places(pictures: Sequence[Candidate], pairs: Collection[Pair]) -> frozenset[_Pair]:
    """Return pairs as places a < b of *pictures*; others are left out."""
    place = {picture.sha256: index for index, picture in enumerate(pictures)}
    there = [it for it in pairs if it[0] in place and it[1] in place]
    return frozenset(_pair(place[a], place[b]) for a, b in there)


def _pair(a: int, b: int) -> _Pair:
    return (a, b) if a < b else (b, a)


def _gathered(
    count: int, *, pairs: frozenset[_Pair], apart: frozenset[_Pair]
) -> list[list[int]]:
    """Let each of 0..count-1 that is free gather its free copies, in this order."""
    copies_of: list[list[int]] = [[] for _ in range(count)]
    for a, b in sorted(pairs):
        copies_of[a].append(b)
    taken = [False] * count
    groups = []
    for index in range(count):
        if not taken[index]:
            group = [index]
            for other in copies_of[index]:
                if not taken[other] and not _cross(group, [other], apart):
                    group.append(other)
            for member in group:
                taken[member] = True
            groups.append(group)
    return groups


def _joined(
    groups: Sequence[list[int]], *, pairs: frozenset[_Pair], apart: frozenset[_Pair]
) -> list[list[int]]:
    """Let each group join the first one before it that it mostly agrees with."""
    joined: list[list[int]] = []
    linked = {index for pair in pairs for index in pair}
    for group in groups:
        host = None
        if linked.intersection(group):
            hosts = (it for it in joined if _mostly(it, group, pairs))
            host = next((it for it in hosts if not _cross(it, group, apart)), None)
        if host is None:
            joined.append(list(group))
        else:
            host += group
    return [sorted(group) for group in joined]


def _join_ruled(
    groups: list[list[int]], *, together: frozenset[_Pair], apart: frozenset[_Pair]
) -> None:
    for a, b in sorted(together):
        ours, theirs = (next(it for it in groups if one in it) for one in (a, b))
        if ours is not theirs and not _cross(ours, theirs, apart):
            groups.remove(theirs)
            ours[:] = sorted([*ours, *theirs])


def _cross(ours: Sequence[int], theirs: Sequence[int], pairs: frozenset[_Pair]) -> int:
    """Count the pairs with one member on each side."""
    if not pairs:
        return 0
    return sum(_pair(a, b) in pairs for a in ours for b in theirs)


def _mostly(
    ours: Sequence[int], theirs: Sequence[int], pairs: frozenset[_Pair]
) -> bool:
    return 2 * _cross(ours, theirs, pairs) > len(ours) * len(theirs)


def _as_cluster(
    group: Sequence[Candidate], judgements: Mapping[Pair, Judgement]
) -> Cluster:
    members = tuple(sorted(it.sha256 for it in group))
    return Cluster(members=members, best=best_of(group, judgements).sha256)
