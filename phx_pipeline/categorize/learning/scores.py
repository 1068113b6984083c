"""How good names are where people said what pictures show. Pure counting."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from phx_pipeline.categorize.subjects import REFINES
from phx_pipeline.model.taxonomy import Subject

NAMED_AT: Final = 0.5
SURE_AT: Final = 0.85
TARGETS: Final = (0.95, 0.98, 0.99)
"""Accuracies for which the coverage is told."""

TWO_SIDED: Final = 1.96  # 95 of 100 intervals hold the true share
ONE_SIDED: Final = 1.645  # 95 of 100 true shares are above the lower end

_BINS: Final = 10


def shows(name: Subject, *, truth: Subject) -> bool:
    """Whether a name is right; a coarser word (bedroom for master) is no wrong one."""
    return name is truth or REFINES.get(truth) is name


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What was said of one picture: the likeliest subject, and how likely it is."""

    truth: Subject
    subject: Subject
    probability: float

    @property
    def named(self) -> Subject:
        """The name it gets: `unknown` below `NAMED_AT`."""
        return self.subject if self.probability >= NAMED_AT else Subject.UNKNOWN

    @property
    def right(self) -> bool:
        """Whether the picture shows the likeliest subject, however unlikely."""
        return shows(self.subject, truth=self.truth)


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """A share of *of* pictures, and the interval it lies in for sure by 95 %."""

    count: int
    of: int

    @property
    def value(self) -> float:
        """The share; 0 of nothing."""
        return self.count / self.of if self.of else 0.0

    def between(self, z: float = TWO_SIDED) -> tuple[float, float]:
        """Return Wilson's interval; all there is for nothing counted."""
        if not self.of:
            return 0.0, 1.0
        n, p = self.of, self.value
        middle = (p + z * z / (2 * n)) / (1 + z * z / n)
        around = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
        return max(0.0, middle - around), min(1.0, middle + around)

    def plain(self) -> dict[str, Any]:
        """Return it for JSON."""
        low, high = self.between()
        return {
            "count": self.count,
            "of": self.of,
            "share": round(self.value, 4),
            "low": round(low, 4),
            "high": round(high, 4),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """How well one backend, or all together, named `pictures` reviewed ones.

    `right` are names that are right, of all pictures; `named` those that got any name;
    `sure` how many of the names of 85 and more are right. `ece` is the expected
    calibration error of the likeliest subjects. `coverage` is the largest share of the
    pictures, the surest first, of which as many are right as its key says.
    """

    pictures: int
    right: Share
    named: Share
    right_of_named: Share
    sure: Share
    ece: float
    coverage: dict[float, float]
    confusion: dict[tuple[Subject, Subject], int]

    def plain(self) -> dict[str, Any]:
        """Return it for JSON; the confusion counts pictures by truth and name."""
        matrix: dict[str, dict[str, int]] = {}
        for (truth, name), count in sorted(self.confusion.items()):
            matrix.setdefault(truth.value, {})[name.value] = count
        return {
            "pictures": self.pictures,
            "right": self.right.plain(),
            "named": self.named.plain(),
            "right_of_named": self.right_of_named.plain(),
            "right_at_85": self.sure.plain(),
            "ece": round(self.ece, 4),
            "coverage": {f"{at:g}": round(it, 4) for at, it in self.coverage.items()},
            "confusion": matrix,
        }


def scored(told: Iterable[Told]) -> Scores:
    """Count how good *told* is."""
    pictures = list(told)
    n = len(pictures)
    named = [it for it in pictures if it.named is not Subject.UNKNOWN]
    sure = [it for it in pictures if it.probability >= SURE_AT]
    right = sum(it.right for it in named)
    return Scores(
        pictures=n,
        right=Share(count=right, of=n),
        named=Share(count=len(named), of=n),
        right_of_named=Share(count=right, of=len(named)),
        sure=Share(count=sum(it.right for it in sure), of=len(sure)),
        ece=_ece(pictures),
        coverage={target: _coverage(pictures, target) for target in TARGETS},
        confusion=dict(Counter((it.truth, it.named) for it in pictures)),
    )


def _ece(told: Sequence[Told]) -> float:
    """How far stated and true probability are apart, on average over the pictures."""
    off = [0.0] * _BINS
    for it in told:
        place = min(_BINS - 1, int(it.probability * _BINS))
        off[place] += it.right - it.probability
    return sum(map(abs, off)) / len(told) if told else 0.0


def _coverage(told: Sequence[Told], target: float) -> float:
    """The share that can be named at this accuracy; equals stand or fall together."""
    ranked = sorted(told, key=lambda it: -it.probability)
    right, most = 0, 0
    for place, it in enumerate(ranked, start=1):
        right += it.right
        ends = place == len(ranked) or ranked[place].probability < it.probability
        if ends and right >= target * place:
            most = place
    return most / len(ranked) if ranked else 0.0
