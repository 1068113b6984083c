"""What came out of judging a rule on the corpus, as counts that add up."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from phx_pipeline.dedup.evaluate import NOTHING, Score


@dataclass(slots=True, kw_only=True)
class Chosen:
    """How often the clean copy of a pair was kept; pairs left apart count as neither.

    A damaged file that is refused leaves the clean one, which is right. A photo whose
    clean copy is refused, as it is too small, makes no pair.
    """

    right: int = 0
    wrong: int = 0
    apart: int = 0

    def __add__(self, other: "Chosen") -> "Chosen":
        """Return the counts of both."""
        return Chosen(
            right=self.right + other.right,
            wrong=self.wrong + other.wrong,
            apart=self.apart + other.apart,
        )


@dataclass(slots=True, kw_only=True)
class Judged:
    """What came out: copies as sites make them, then by operation, look-alike, choice.

    In `marked` those of `site` lie beside branded copies and tiles. Each score but that
    of `choices` is a sum over properties of a few houses and over seeds. In `others`
    nothing is a copy, except the two forms of each drawn page.
    """

    site: Score = NOTHING
    marked: Score = NOTHING
    operations: dict[str, Score] = field(default_factory=dict)
    others: dict[str, Score] = field(default_factory=dict)
    choices: dict[str, Chosen] = field(default_factory=dict)

    def plain(self) -> dict[str, Any]:
        """Return it as JSON holds it."""
        return asdict(self)


def judged_of(plain: Mapping[str, Any]) -> Judged:
    """Return what `Judged.plain` gave."""
    return Judged(
        site=Score(**plain["site"]),
        marked=Score(**plain["marked"]),
        operations={kind: Score(**it) for kind, it in plain["operations"].items()},
        others={kind: Score(**it) for kind, it in plain["others"].items()},
        choices={kind: Chosen(**it) for kind, it in plain["choices"].items()},
    )


def summed(each: Iterable[Judged]) -> Judged:
    """Return the counts of all."""
    total = Judged()
    for it in each:
        total.site += it.site
        total.marked += it.marked
        for sums, scores in (
            (total.operations, it.operations),
            (total.others, it.others),
        ):
            for kind, score in scores.items():
                sums[kind] = sums.get(kind, NOTHING) + score
        for kind, chosen in it.choices.items():
            total.choices[kind] = total.choices.get(kind, Chosen()) + chosen
    return total
