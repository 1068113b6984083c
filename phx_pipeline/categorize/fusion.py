"""Makes one name of the votes of several backends. Pure, order-independent.

Votes are pooled as independent evidence: what two backends both find likely is
likelier, and a subject that one of them does not know has a share of its rest, not
nothing. A vote that is sure of nothing excludes nothing. Subjects are pooled in
families, a coarser word with the finer ones it may stand for (bedroom with master): to
be coarse is no contradiction.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from types import MappingProxyType
from typing import Final, Protocol

from phx_pipeline.categorize.base import Vote
from phx_pipeline.categorize.subjects import REFINES, are_akin
from phx_pipeline.model.naming import confidence_percent
from phx_pipeline.model.taxonomy import UNCATEGORIZED, Category, Location, Subject

NAMED_AT = 0.5
DISPUTED_AT = 0.60
DISPUTED_CAP = 0.84
SURELY_OUTSIDE = 0.95
SURELY_INSIDE = 0.05

_OPPOSITE: Mapping[Location, Location] = MappingProxyType(
    {
        Location.INTERIOR: Location.EXTERIOR,
        Location.EXTERIOR: Location.INTERIOR,
    }
)
_ALL_KNOWING: Mapping[str, frozenset[Subject]] = MappingProxyType({})
_LEFT_OPEN = 1 / 3  # of an equal share: not to see what one knows is some evidence
_LEAST = 1e-6  # nobody excludes anything: one vote for nothing would silence the others

FUSED: Final = "fused"  # what a calibration calls all backends together


class Calibration(Protocol):
    """What stated probabilities have turned out to be."""

    def calibrated(
        self, name: str, before: Mapping[Subject, float]
    ) -> dict[Subject, float]:
        """Return the probabilities of a backend, or of `FUSED`, as often right as said.

        They are in the order they had, and not above 1 together.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Fused:
    """The name, how probable it is (0 to 1), and whether a backend objects.

    Below `NAMED_AT` the category is `unknown`, and `probability` still that of the
    likeliest subject.
    """

    category: Category
    probability: float
    disputed: bool


def fuse(
    votes: Iterable[Vote],
    *,
    knows: Mapping[str, frozenset[Subject]] = _ALL_KNOWING,
    calibration: Calibration | None = None,
) -> Fused:
    """Return what the votes on one picture amount to.

    A finer word that is sure enough stands for a coarser one, and is as sure as those
    who use it. Two that contradict each other, both at 60 % or more, make the name
    disputed, unless one could not have named the other's subject: a model of four
    classes calls every room one of them.

    Args:
        votes: the opinions on one picture, one of each backend.
        knows: the subjects each backend can name; one not listed knows all.
        calibration: what stated probabilities are worth; None takes them as stated.
    """
    cast = sorted((_worth(it, calibration) for it in votes), key=_rank)
    chances = _chances(cast)
    if not chances:
        return Fused(category=_unnamed(cast), probability=0.0, disputed=False)
    best = _chosen(chances)
    disputed = _is_disputed(best, cast, knows=knows)
    p = chances[best]
    p = calibration.calibrated(FUSED, {best: p})[best] if calibration else p
    p = min(p, DISPUTED_CAP) if disputed else p
    category = _named(best, p, votes=cast) if p >= NAMED_AT else _unnamed(cast)
    return Fused(category=category, probability=p, disputed=disputed)


def _named(subject: Subject, p: float, *, votes: Sequence[Vote]) -> Category:
    surest = max(votes, key=lambda vote: vote.probabilities.get(subject, 0.0))
    return Category(
        location=surest.places.get(subject, subject.location),
        subject=subject,
        confidence=confidence_percent(p),
    )


def _unnamed(votes: Iterable[Vote]) -> Category:
    """Return `unknown`, outside or inside only if all who are sure say the same."""
    told = [vote.outside for vote in votes if vote.outside is not None]
    places = {Location.EXTERIOR for p in told if p >= SURELY_OUTSIDE}
    places |= {Location.INTERIOR for p in told if p <= SURELY_INSIDE}
    if len(places) != 1:
        return UNCATEGORIZED
    return replace(UNCATEGORIZED, location=places.pop())


def _worth(vote: Vote, calibration: Calibration | None) -> Vote:
    """The vote with what its probabilities have turned out to be."""
    if calibration is None:
        return vote
    worth = calibration.calibrated(vote.backend, vote.probabilities)
    return replace(vote, probabilities=worth)


def _chances(votes: Sequence[Vote]) -> dict[Subject, float]:
    """How probable each subject is that may be the name; the most promising first."""
    claimed = {it for vote in votes for it, p in vote.probabilities.items() if p}
    at_most = {subject: _not_all_wrong(subject, votes) for subject in claimed}
    chances: dict[Subject, float] = {}
    for subject in sorted(claimed, key=lambda it: (-at_most[it], it.value)):
        if at_most[subject] < min(DISPUTED_AT, max(chances.values(), default=0.0)):
            break  # neither the likeliest nor a finer word that is sure enough
        pooled = _chance(subject, votes)
        chances[subject] = min(pooled, at_most[subject])
    return chances


def _not_all_wrong(subject: Subject, votes: Sequence[Vote]) -> float:
    return 1 - math.prod(1 - vote.probabilities.get(subject, 0.0) for vote in votes)


def _chance(subject: Subject, votes: Sequence[Vote]) -> float:
    """How probable a subject is: as its family is to all, and it to those who name it.

    Who only knows the coarser word helps to tell the family, and says nothing of what
    is told apart within it.
    """
    naming = [vote for vote in votes if subject in vote.probabilities]
    alone = frozenset({subject})
    return min(_pooled(_family(subject), votes), _pooled(alone, naming))


def _pooled(subjects: frozenset[Subject], votes: Sequence[Vote]) -> float:
    """The probability of *subjects* taken together, against all other families."""
    least = _LEAST if len(votes) > 1 else 0.0
    # What one says alone is taken at its word.
    spread = list(map(_doubtful if len(votes) > 1 else _spread, votes))

    def together(group: frozenset[Subject]) -> float:
        # Relative to a flat guess: many words are no evidence for what they share.
        shares = [sum(it[one] for one in group) / len(group) for it in spread]
        return len(group) * math.prod(max(share, least) for share in shares)

    own = together(subjects)
    return own / (own + math.fsum(map(together, _others(subjects))))


def _spread(vote: Vote) -> dict[Subject, float]:
    """What a vote gives each subject: the rest in equal shares to those it leaves out.

    `unknown` is one of them: what a picture shows may be none of our subjects.
    """
    stated = vote.probabilities
    rest = max(0.0, 1 - math.fsum(stated.values()))
    share = rest / (len(Subject) - len(stated))
    return {it: stated.get(it, share) for it in Subject}


def _doubtful(vote: Vote) -> dict[Subject, float]:
    """What a vote gives each subject beside others: one sure of nothing excludes none.

    That a picture shows something unknown does not tell that it shows none of what is
    known: that too may be what was not recognized. Only a place that is sure excludes.
    With `_LEFT_OPEN` a caption of 95 % stays a name, and no more wrong ones are sure.
    """
    surest = max(vote.probabilities.values(), default=0.0)
    share = 0.0 if surest >= DISPUTED_AT else _LEFT_OPEN * (1 - surest) / len(Subject)
    return {
        it: p if _is_elsewhere(it, vote) else max(p, share)
        for it, p in _spread(vote).items()
    }


def _is_elsewhere(subject: Subject, vote: Vote) -> bool:
    """Whether the vote is sure that the picture was taken where no such subject is."""
    usual = subject.location
    if vote.outside is None or usual not in _OPPOSITE:
        return False
    place = _OPPOSITE[usual]
    is_outside = place is Location.EXTERIOR
    is_sure = (
        vote.outside >= SURELY_OUTSIDE if is_outside else vote.outside <= SURELY_INSIDE
    )
    return is_sure and not subject.may_be(place)


@cache
def _others(subjects: frozenset[Subject]) -> tuple[frozenset[Subject], ...]:
    groups = {_family(it) - subjects for it in Subject}
    return tuple(sorted((it for it in groups if it), key=sorted))


@cache
def _family(subject: Subject) -> frozenset[Subject]:
    coarse = REFINES.get(subject, subject)
    finer = (it for it, under in REFINES.items() if under is coarse)
    return frozenset({coarse, *finer})


def _chosen(chances: Mapping[Subject, float]) -> Subject:
    """The likeliest, or one that only words it more exactly and is sure enough."""
    ranked = sorted(chances, key=lambda it: (chances[it], it.value), reverse=True)
    best = ranked[0]
    for subject in ranked[1:]:
        if REFINES.get(subject) is best and chances[subject] >= DISPUTED_AT:
            return subject
    return best


def _is_disputed(
    best: Subject, votes: Sequence[Vote], *, knows: Mapping[str, frozenset[Subject]]
) -> bool:
    if max(vote.probabilities.get(best, 0.0) for vote in votes) < DISPUTED_AT:
        return False
    return any(
        p >= DISPUTED_AT
        and not are_akin(subject, best)
        and best in knows.get(vote.backend, {best})
        for vote in votes
        for subject, p in vote.probabilities.items()
    )


def _rank(vote: Vote) -> tuple[str, str, str]:
    return (vote.backend, vote.version, repr(sorted(vote.probabilities.items())))
