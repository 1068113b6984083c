"""Which pictures of a property are copies of one another, and the best of each.

Nothing is compared here: `judge` judges the pairs that `Grouping` asks for.
"""

from collections.abc import Collection, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, product
from typing import Final

from phx_pipeline.dedup.best import best_of
from phx_pipeline.dedup.confirm import MIN_AGREEING
from phx_pipeline.dedup.proposals import Candidate, proposed
from phx_pipeline.model.judgement import (
    Alike,
    Judgement,
    Method,
    Pair,
    Ruled,
    Why,
    pair_of,
)

_NOTHING_RULED = Ruled()
_ALL: Final = 12  # members of a group, the largest, that are compared with all others
_BEST: Final = 6  # pictures of a larger group that are compared with all of it
MOST_LOOKS: Final = 2_000
"""Pairs of a property that pixels or features are looked at closely for.

More make about a minute of CPU; what is not looked at is no copy.
"""

_Pair = tuple[int, int]
_Asking = Generator[list[Pair], None, None]


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
    """Group all candidates by what is known; see `Grouping`."""
    grouping = Grouping(candidates, judgements, ruled=ruled)
    for _ in grouping.rounds():
        pass
    return grouping.clusters()


class Grouping:
    """Groups candidates; the result does not depend on their order.

    Copies are the pairs judged to be; of pictures nobody has looked at, those that
    hashes alone would take. The largest picture not yet grouped gathers its copies,
    then the next. A group joins an earlier one when more than half of the pairs between
    them are copies: one failed comparison does not part copies, and one that succeeded
    does not chain slowly changing pictures together. Clusters are sorted by their
    members.

    Pictures that lie onto each other and are other ones nevertheless, by their colours,
    share no cluster. A picture that lacks what tells such pictures apart is a copy of
    both: where a copy is better as it is whole, the one that is not gathers nothing
    before all others have, and does not count where groups are compared.

    What is *ruled* comes first: pictures that people parted share no cluster, and those
    they joined do, unless that would join what they parted.

    Only pairs that are asked for count (`rounds`), whatever else *judgements* hold, so
    that it does not matter which pictures came earlier. Those of two copies of one
    picture are asked for only to find the best, of up to `_ALL` copies of one picture
    all. Of more the largest is compared with all others, then the best of those that
    are better, and so on. A larger group stands with its `_ALL` largest members when it
    is compared with another.
    """

    def __init__(
        self,
        candidates: Sequence[Candidate],
        judgements: Mapping[Pair, Judgement],
        *,
        ruled: Ruled = _NOTHING_RULED,
    ) -> None:
        unique = {candidate.sha256: candidate for candidate in candidates}
        self._pictures = sorted(unique.values(), key=lambda it: it.by_size)
        self._judgements = judgements
        self._apart = _places(self._pictures, ruled.apart)
        self._together = _places(self._pictures, ruled.together)
        self._same = set(copies(self._pictures, judgements={}) - self._apart)
        self._asked: set[_Pair] = set()
        self._counting: dict[Pair, Judgement] = {}
        self._denied: set[_Pair] = set()  # told apart though they lie onto each other
        self._lacking: set[int] = set()  # of which a copy shows more
        self._looks = 0
        self._groups: list[list[int]] = []
        self.left_out: list[Pair] = []
        """Pairs that are not asked for, as `MOST_LOOKS` others were looked at."""

    def rounds(self, *, choosing: bool = True) -> Iterator[list[Pair]]:
        """Yield pairs that are to be known before it goes on, again and again.

        The judgements may grow meanwhile; a pair that has none then is none of copies.
        Unless *choosing* nothing is asked for to find the best ones.
        """
        yield from self._gather()
        yield from self._join()
        if choosing:
            yield from self._ask_within_small()
        self._groups = [it for group in self._groups for it in self._divided(group)]
        _join_ruled(self._groups, together=self._together, apart=self._apart)
        if choosing:
            yield from self._ask_within_small()
            for group in self._groups:
                if len(group) > _ALL:
                    yield from self._find_best(group)

    def clusters(self) -> list[Cluster]:
        """Return the groups, once all rounds are over."""
        found = [
            _as_cluster([self._pictures[index] for index in group], self._counting)
            for group in self._groups
        ]
        return sorted(found, key=lambda it: it.members)

    def _gather(self) -> _Asking:
        """Let each picture that is free gather its free copies, the largest first.

        Where it turns out to lack something, one that does not takes its place, and it
        does so last.
        """
        free, heirs = list(range(len(self._pictures))), list[int]()
        while free:
            whole = (it for it in (*heirs, *free) if it not in self._lacking)
            first = next(whole, None)
            leader = free[0] if first is None else first
            able = [it for it in free if it != leader and self._may_meet(leader, it)]
            yield from self._ask(_pair(leader, it) for it in able)
            if first in self._lacking:
                heirs = [it for it in able if self._is_better(it, leader)]
                continue
            group = [leader]
            for other in able:
                if self._is_same(leader, other) and not self._parted(group, [other]):
                    group.append(other)
            self._groups.append(sorted(group))
            free, heirs = [it for it in free if it not in group], []

    def _join(self) -> _Asking:
        """Let each group join the first one before it that it mostly agrees with."""
        joined: list[list[int]] = []
        for group in self._groups:
            hosts = [it for it in joined if not self._parted(it, group)]
            yield from self._ask(two for it in hosts for two in _between(it, group))
            host = next((it for it in hosts if self._mostly(it, group)), None)
            if host is None:
                joined.append(list(group))
            else:
                host[:] = sorted([*host, *group])
        self._groups = joined

    def _ask_within_small(self) -> _Asking:
        small = (it for it in self._groups if len(it) <= _ALL)
        yield from self._ask(two for it in small for two in combinations(it, 2))

    def _divided(self, group: Sequence[int]) -> list[list[int]]:
        """Return a group in parts, so that none holds a pair that was told apart.

        The largest comes first, and those that lack something last: they stay with it.
        """
        parts: list[list[int]] = []
        for one in sorted(group, key=lambda it: (it in self._lacking, it)):
            fit = (
                part
                for at, part in enumerate(parts)
                if not _are_parted(part, [one], self._denied)
                and (at == 0 or self._is_same(part[0], one))
            )
            part = next(fit, None)
            if part is None:
                parts.append([one])
            else:
                part.append(one)
        return [sorted(it) for it in parts]

    def _find_best(self, group: Sequence[int]) -> _Asking:
        """Compare one with all others, then the best of those that are better."""
        best, tried = self._telling(group)[0], set[int]()
        while best not in tried and len(tried) < _BEST:
            tried.add(best)
            yield from self._ask(_pair(best, it) for it in group if it != best)
            better = [it for it in group if self._is_better(it, best)]
            if better:
                pictures = [self._pictures[it] for it in better]
                chosen = best_of(pictures, self._counting)
                best = better[pictures.index(chosen)]

    def _ask(self, pairs: Iterable[_Pair]) -> _Asking:
        """Yield the pairs that are new, and note what is known of them then."""
        new = [it for it in dict.fromkeys(pairs) if it not in self._asked]
        self._asked.update(new)
        while new and (left := MOST_LOOKS - self._looks):
            some, new = new[:left], new[left:]
            yield [self._named(it) for it in some]
            for it in some:
                self._note(it, self._judgements.get(self._named(it)))
        self.left_out += [self._named(it) for it in new]

    def _note(self, pair: _Pair, found: Judgement | None) -> None:
        if found is None:
            return
        self._counting[found.pair] = found
        is_same, is_denied = found.verdict is Alike.SAME, _is_denied(found)
        self._looks += is_same or is_denied or found.method is Method.FEATURES
        if is_denied:
            self._denied.add(pair)
        if is_same and pair not in self._apart:
            self._same.add(pair)
            if found.why is Why.WHOLE:
                self._lacking |= {it for it in pair if self._is_worse(it, found)}

    def _named(self, pair: _Pair) -> Pair:
        a, b = (self._pictures[it].sha256 for it in pair)
        return pair_of(a, b)

    def _is_same(self, a: int, b: int) -> bool:
        return _pair(a, b) in self._same

    def _is_better(self, one: int, other: int) -> bool:
        found = self._counting.get(self._named((one, other)))
        return found is not None and found.better == self._pictures[one].sha256

    def _is_worse(self, one: int, found: Judgement) -> bool:
        return found.better not in (None, self._pictures[one].sha256)

    def _may_meet(self, one: int, other: int) -> bool:
        return _pair(one, other) not in self._apart

    def _parted(self, ours: Sequence[int], theirs: Sequence[int]) -> bool:
        return _are_parted(ours, theirs, self._apart)

    def _mostly(self, ours: Sequence[int], theirs: Sequence[int]) -> bool:
        if _are_parted(ours, theirs, self._denied):
            return False
        pairs = _between(self._telling(ours), self._telling(theirs))
        return 2 * sum(it in self._same for it in pairs) > len(pairs)

    def _telling(self, group: Sequence[int]) -> Sequence[int]:
        """Return the members that lack nothing, of those that are compared, if any."""
        some = group[:_ALL]
        return [it for it in some if it not in self._lacking] or some


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


def _between(ours: Sequence[int], theirs: Sequence[int]) -> list[_Pair]:
    """Return the pairs between the largest members of two groups."""
    return [_pair(a, b) for a, b in product(ours[:_ALL], theirs[:_ALL])]


def _join_ruled(
    groups: list[list[int]], *, together: frozenset[_Pair], apart: frozenset[_Pair]
) -> None:
    for a, b in sorted(together):
        ours, theirs = (next(it for it in groups if one in it) for one in (a, b))
        if ours is not theirs and not _are_parted(ours, theirs, apart):
            groups.remove(theirs)
            ours[:] = sorted([*ours, *theirs])


def _are_parted(
    ours: Sequence[int], theirs: Sequence[int], apart: Collection[_Pair]
) -> bool:
    return bool(apart) and any(_pair(*two) in apart for two in product(ours, theirs))


def _is_denied(found: Judgement) -> bool:
    """Whether two lie onto each other, and were looked at closely and told apart."""
    return found.verdict is Alike.OTHER and (found.share or 0) >= MIN_AGREEING


def _as_cluster(
    group: Sequence[Candidate], judgements: Mapping[Pair, Judgement]
) -> Cluster:
    members = tuple(sorted(it.sha256 for it in group))
    return Cluster(members=members, best=best_of(group, judgements).sha256)
