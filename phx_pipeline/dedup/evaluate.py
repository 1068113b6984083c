"""How good a de-duplication is, measured on pictures whose identity is known."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, fields
from itertools import combinations
from typing import Final

from phx_pipeline.dedup.cluster import Cluster

Pair = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """Counts of one run over labelled pictures.

    A pair is two pictures of one photo. `merged` are the pairs the rule calls copies,
    `right` those of them that are. A photo is lost when no picture of it is kept, a
    copy is left in when another picture of its photo is kept too, which shows the photo
    twice. Scores of separate properties add up.
    """

    pictures: int
    photos: int
    pairs: int
    merged: int
    right: int
    lost: int
    left_in: int
    twice: int

    def __add__(self, other: "Score") -> "Score":
        """Return the counts of both."""
        names = [it.name for it in fields(self)]
        sums = {name: getattr(self, name) + getattr(other, name) for name in names}
        return Score(**sums)

    @property
    def wrong(self) -> int:
        """The merged pairs that are of two photos."""
        return self.merged - self.right

    @property
    def shown_twice(self) -> float:
        """Share of the photos of which more than one picture is kept."""
        return self.twice / self.photos if self.photos else 0.0

    @property
    def precision(self) -> float:
        """Share of the merged pairs that are copies; 1 when nothing was merged."""
        return self.right / self.merged if self.merged else 1.0

    @property
    def recall(self) -> float:
        """Share of the pairs of copies that were merged; 1 when there are none."""
        return self.right / self.pairs if self.pairs else 1.0


NOTHING: Final = Score(
    pictures=0, photos=0, pairs=0, merged=0, right=0, lost=0, left_in=0, twice=0
)


def score_clusters(labels: Sequence[str], clusters: Iterable[Cluster]) -> Score:
    """Score clusters whose members are named by their index in *labels*."""
    groups = [[int(member) for member in found.members] for found in clusters]
    kept = [int(found.best) for found in clusters]
    pairs = [pair for group in groups for pair in combinations(group, 2)]
    return score(labels, pairs=pairs, kept=kept)


def score_pairs(labels: Sequence[str], pairs: Collection[Pair]) -> Score:
    """Score a rule for pairs that drops each picture with a copy kept before it."""
    return score(labels, pairs=pairs, kept=kept_in_order(len(labels), pairs=pairs))


def score(
    labels: Sequence[str], *, pairs: Collection[Pair], kept: Collection[int]
) -> Score:
    """Score pairs of indexes called copies, and the pictures that stay."""
    sizes = Counter(labels)
    kept_photos = Counter(labels[index] for index in kept)
    return Score(
        pictures=len(labels),
        photos=len(sizes),
        pairs=sum(size * (size - 1) // 2 for size in sizes.values()),
        merged=len(pairs),
        right=sum(labels[a] == labels[b] for a, b in pairs),
        lost=len(sizes) - len(kept_photos),
        left_in=len(kept) - len(kept_photos),
        twice=sum(count > 1 for count in kept_photos.values()),
    )


def kept_in_order(count: int, *, pairs: Iterable[Pair]) -> list[int]:
    """Keep each of 0..count-1 that is no copy of one kept before."""
    earlier: dict[int, list[int]] = {}
    for a, b in pairs:
        earlier.setdefault(max(a, b), []).append(min(a, b))
    kept: set[int] = set()
    for index in range(count):
        if kept.isdisjoint(earlier.get(index, ())):
            kept.add(index)
    return sorted(kept)
