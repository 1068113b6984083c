"""Makes one category of the votes of several backends. Pure, order-independent."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from phx_pipeline.categorize.base import Vote
from phx_pipeline.categorize.subjects import REFINES
from phx_pipeline.model.naming import confidence_percent
from phx_pipeline.model.taxonomy import UNCATEGORIZED, Category, Location, Subject

AGREEMENT_BONUS = 0.10
AGREEMENT_CAP = 0.97
DISPUTED_AT = 0.60
DISPUTED_CAP = 0.49
SURE_OF_PLACE = 0.95

_ALL_KNOWING: Mapping[str, frozenset[Subject]] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Claim:
    """A subject and what its voters together make of it (0..1)."""

    subject: Subject
    location: Location
    strongest: float
    confidence: float


def fuse(
    votes: Sequence[Vote], *, knows: Mapping[str, frozenset[Subject]] = _ALL_KNOWING
) -> Category:
    """Return the category the votes amount to; `unknown` where none names a subject.

    Such a picture claims no place, unless a vote for `unknown` is sure of it.

    Backends that agree raise the confidence; two that contradict each other, both at
    60 % or more, send the photo to review. No contradiction is a coarser word for the
    same thing (bedroom for master), nor a vote of a backend that could not have
    named the other subject: a model of four classes calls every room one of them.

    Args:
        votes: the opinions on one photo; of one backend only the strongest counts.
        knows: the subjects each backend can name; one not listed knows all.
    """
    claims = sorted(_claims(_one_each(votes)), key=_strength, reverse=True)
    if not claims:
        return _unnamed(votes)
    best = _special_case(claims)
    confidence = best.confidence
    if _is_disputed(best, votes=_one_each(votes), knows=knows):
        confidence = min(confidence, DISPUTED_CAP)
    return Category(
        location=best.location,
        subject=best.subject,
        confidence=confidence_percent(confidence),
    )


def _unnamed(votes: Iterable[Vote]) -> Category:
    """Return `unknown`, outside or inside only if all who are sure say the same."""
    sure = {vote.location for vote in votes if vote.confidence >= SURE_OF_PLACE}
    places = sure & {Location.EXTERIOR, Location.INTERIOR}
    if len(places) != 1:
        return UNCATEGORIZED
    return replace(UNCATEGORIZED, location=places.pop())


def _one_each(votes: Iterable[Vote]) -> list[Vote]:
    """Return the strongest vote of each backend that names a subject."""
    strongest: dict[str, Vote] = {}
    for vote in sorted(votes, key=_rank):
        if vote.subject is not Subject.UNKNOWN:
            strongest[vote.backend] = vote
    return list(strongest.values())


def _claims(votes: Iterable[Vote]) -> list[_Claim]:
    by_subject: dict[Subject, list[Vote]] = {}
    for vote in votes:
        by_subject.setdefault(vote.subject, []).append(vote)
    return [_claim(sorted(group, key=_rank)) for group in by_subject.values()]


def _claim(group: Sequence[Vote]) -> _Claim:
    strongest = group[-1]
    confidence = strongest.confidence
    if len(group) > 1:
        raised = min(AGREEMENT_CAP, round(confidence + AGREEMENT_BONUS, 6))
        confidence = max(confidence, raised)
    return _Claim(
        subject=strongest.subject,
        location=strongest.location,
        strongest=strongest.confidence,
        confidence=confidence,
    )


def _special_case(claims: Sequence[_Claim]) -> _Claim:
    """Return the best claim, or one that only words it more exactly and is as sure."""
    best = claims[0]
    for claim in claims[1:]:
        if (
            REFINES.get(claim.subject) is best.subject
            and claim.strongest >= DISPUTED_AT
        ):
            return claim
    return best


def _is_disputed(
    best: _Claim, *, votes: Iterable[Vote], knows: Mapping[str, frozenset[Subject]]
) -> bool:
    if best.strongest < DISPUTED_AT:
        return False
    return any(
        vote.confidence >= DISPUTED_AT
        and not _same_thing(vote.subject, best.subject)
        and best.subject in knows.get(vote.backend, {best.subject})
        for vote in votes
    )


def _same_thing(one: Subject, other: Subject) -> bool:
    return one is other or REFINES.get(one) is other or REFINES.get(other) is one


def _rank(vote: Vote) -> tuple[float, str, str]:
    return (vote.confidence, vote.subject.value, vote.location.value)


def _strength(claim: _Claim) -> tuple[float, str]:
    return (claim.confidence, claim.subject.value)
