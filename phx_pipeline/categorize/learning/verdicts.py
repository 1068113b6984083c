"""Whether a head is good enough: its word on pictures of houses it never saw.

The figures are of reviewed pictures; fitting is `heads`' matter.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import comb
from typing import Any, Final

from phx_pipeline.categorize.learning.scores import (
    NAMED_AT,
    ONE_SIDED,
    SURE_AT,
    Share,
    shows,
)
from phx_pipeline.model.taxonomy import Subject

LEAST_RECALL: Final = 0.5
LEAST_PRECISION: Final = 0.9
MOST_FALSE_ALARMS: Final = 0.02
CHANCE: Final = 0.05
"""How probable it may be that a head that is no better would look as good."""

Probabilities = Mapping[Subject, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadVerdict:
    """What held-back reviews say of a head.

    `recall` is of the pictures that show the subject, `precision` of those that the
    head names so, `sure` of its names of 85 and more; `false_alarms` are among pictures
    nobody reviewed that are surely named otherwise. `better` pictures are named right,
    or by a finer word, and were not before, `worse` the other way round.
    """

    subject: Subject
    houses: int
    recall: Share
    precision: Share
    sure: Share
    false_alarms: Share
    better: int
    worse: int
    refines: bool
    off_before: float
    off_after: float

    @property
    def refused(self) -> str:
        """Why it is not taken; empty if it is."""
        if self.precision.value < LEAST_PRECISION:
            return f"of its names less than {LEAST_PRECISION:.0%} are right"
        if self.recall.value < LEAST_RECALL:
            return f"it finds less than {LEAST_RECALL:.0%} of the pictures"
        if self.false_alarms.value > MOST_FALSE_ALARMS:
            return (
                f"it renames more than {MOST_FALSE_ALARMS:.0%} of the pictures that "
                "have another sure name"
            )
        if self.refines:
            fails = self.better < self.worse or self.off_after >= self.off_before
            return "it is no better than the head in use" if fails else ""
        if by_chance(self.better, self.worse) > CHANCE:
            return "it names no more pictures right than what is in use"
        return ""

    @property
    def judged(self) -> bool:
        """Whether names of 85 and more hold what they promise, for all that was seen.

        Of so many names so many must be right that no less than 85 % are right in the
        long run, by 95 %: 16 of 16, 27 of 28, 36 of 38.
        """
        return self.sure.between(ONE_SIDED)[0] >= SURE_AT

    def plain(self) -> dict[str, Any]:
        """Return it for JSON."""
        return {
            "subject": self.subject.value,
            "pictures": self.recall.of,
            "houses": self.houses,
            "taken": not self.refused,
            "why": self.refused,
            "recall": self.recall.plain(),
            "precision": self.precision.plain(),
            "right_at_85": self.sure.plain(),
            "false_alarms": self.false_alarms.plain(),
            "better": self.better,
            "worse": self.worse,
            "judged": self.judged,
        }


def judge_head(
    subject: Subject,
    *,
    truths: Sequence[Subject],
    houses: Sequence[str],
    before: Sequence[Probabilities],
    after: Sequence[Probabilities],
    unreviewed: Sequence[float],
    refines: bool,
) -> HeadVerdict:
    """Compare what was said of held-back pictures without a head and with it.

    Args:
        subject: what the head tells.
        truths: what the reviewed pictures show.
        houses: of each of them.
        before: what is in use says of each.
        after: what it would say with the head.
        unreviewed: what the head says of pictures that are surely named otherwise.
        refines: whether a head for the subject is in use, fitted to fewer reviews.
    """
    rows = list(zip(truths, before, after, strict=True))
    shown = [shows(subject, truth=truth) for truth in truths]
    found = [named(p) is subject for p in after]
    sure = [p.get(subject, 0.0) >= SURE_AT for p in after]
    was = [_worth(named(p), truth=truth) for truth, p, _ in rows]
    now = [_worth(named(p), truth=truth) for truth, _, p in rows]
    return HeadVerdict(
        subject=subject,
        houses=len({house for house, it in zip(houses, shown, strict=True) if it}),
        recall=_share(found, of=shown),
        precision=_share(shown, of=found),
        sure=_share(shown, of=sure),
        false_alarms=Share(
            count=sum(p >= NAMED_AT for p in unreviewed), of=len(unreviewed)
        ),
        better=sum(a < b for a, b in zip(was, now, strict=True)),
        worse=sum(a > b for a, b in zip(was, now, strict=True)),
        refines=refines,
        off_before=_off(subject, shown, before),
        off_after=_off(subject, shown, after),
    )


def named(probabilities: Probabilities) -> Subject:
    """Return the likeliest subject, `unknown` if it is not likely."""
    best = max(probabilities.items(), key=lambda it: (it[1], it[0].value), default=None)
    return best[0] if best and best[1] >= NAMED_AT else Subject.UNKNOWN


def by_chance(better: int, worse: int) -> float:
    """How probable so many better ones are where better and worse are as likely."""
    n = better + worse
    ways = sum(comb(n, it) for it in range(better, n + 1))
    return float(ways / 2**n)


def _worth(name: Subject, *, truth: Subject) -> int:
    """0 for a wrong name, 1 for a coarser one, 2 for the right one."""
    return shows(name, truth=truth) + (name is truth)


def _share(these: Sequence[bool], *, of: Sequence[bool]) -> Share:
    both = sum(a and b for a, b in zip(these, of, strict=True))
    return Share(count=both, of=sum(of))


def _off(
    subject: Subject, shown: Sequence[bool], said: Sequence[Probabilities]
) -> float:
    """The Brier score of what is said of one subject."""
    pairs = zip(shown, said, strict=True)
    return sum((p.get(subject, 0.0) - it) ** 2 for it, p in pairs) / max(len(shown), 1)
