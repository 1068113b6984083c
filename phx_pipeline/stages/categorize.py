"""Asset `categorized_images`: name what each kept picture shows.

Answers of backends are stored before they are fused, so that nobody is asked twice: not
after a kill, and not for other copies of a picture. Which name they amount to is
decided in `categorize.fusion`.
"""

import logging
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from phx_pipeline.categorize.base import Evidence
from phx_pipeline.categorize.fusion import fuse
from phx_pipeline.categorize.registry import gap_lines
from phx_pipeline.model.photo import Photo, PhotoKey
from phx_pipeline.model.ruling import About
from phx_pipeline.model.taxonomy import Subject
from phx_pipeline.model.vote import Named
from phx_pipeline.stages.context import StageContext
from phx_pipeline.stages.evidence import Originals, evidence_of
from phx_pipeline.stages.polling import Poll, ask, read_polls, votes_on
from phx_pipeline.stages.ruled_categories import with_rulings

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class CategorizeReport:
    """Kept pictures: how many were named, by how many backends' votes, and how surely.

    `disputed` counts those that backends call by different names, `changed` those whose
    category is another than before. `voted` tells of each backend on how many pictures
    it had an opinion, and of `manual` on how many a person had one.
    """

    pictures: int
    named: int
    unknown: int
    disputed: int
    changed: int
    voted: Mapping[str, int] = field(default_factory=dict)


def categorize(context: StageContext, slug: str) -> CategorizeReport:
    """Categorize all kept pictures of *slug* from the evidence of their clusters."""
    context.house(slug)
    for line in missing_lines(context):
        _tell_once(context.run_id, line)
    with context.holding(slug) as lease:
        originals = Originals(context)
        house = _House.read(context, slug, originals)
        for poll in house.polls:
            ask(context, lease, poll, originals)
        originals.tell()
        decided = _decide(context, house)
        before = context.catalog.votes.named(slug)
        if decided.named != before:
            context.catalog.record_categories(lease, slug, decided.named)
    return _report(decided, before)


def standing_report(context: StageContext, slug: str) -> CategorizeReport | None:
    """Return how the pictures of *slug* are named, if naming them anew changes nothing.

    None if a backend is to be asked, or what was said amounts to other names by now.
    """
    house = _House.read(context, slug, Originals(context))
    if any(poll.open for poll in house.polls):
        return None
    decided = _decide(context, house)
    before = context.catalog.votes.named(slug)
    return _report(decided, before) if decided.named == before else None


def missing_lines(context: StageContext) -> Iterator[str]:
    """Yield a line for each chosen backend that cannot be asked here."""
    away = [it.name for it in context.away_categorizers]
    yield from gap_lines(context.lacks_categorizers, away=away)


@lru_cache
def _tell_once(run_id: str, line: str) -> None:
    del run_id
    logger.warning(line)


@dataclass(frozen=True, slots=True, kw_only=True)
class _House:
    """What is known of a house's pictures before they are named."""

    slug: str
    photos: Sequence[Photo]
    evidence: Mapping[PhotoKey, Evidence]
    polls: Sequence[Poll]

    @classmethod
    def read(cls, context: StageContext, slug: str, originals: Originals) -> "_House":
        photos = context.catalog.photos(slug)
        evidence = evidence_of(photos, originals)
        polls = read_polls(context, list(evidence.values()))
        return cls(slug=slug, photos=photos, evidence=evidence, polls=polls)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Decided:
    """What pictures are named; `disputed` are those whose votes contradict it."""

    named: Mapping[PhotoKey, Named]
    disputed: frozenset[PhotoKey]


def _decide(context: StageContext, house: _House) -> _Decided:
    """Fuse the votes; what people said stands above them, and settles disputes."""
    knows = {poll.backend.name: poll.backend.knows for poll in house.polls}
    trained = context.calibration
    votes = votes_on(list(house.evidence.values()), house.polls)
    fused = [fuse(cast, knows=knows, calibration=trained) for cast in votes]
    voted = {
        key: Named(category=it.category, probability=it.probability, votes=cast)
        for key, it, cast in zip(house.evidence, fused, votes, strict=True)
    }
    rulings = context.catalog.rulings.newest(house.slug, About.CATEGORY)
    named = with_rulings(voted, house.photos, rulings)
    contradicted = (key for key, it in zip(voted, fused, strict=True) if it.disputed)
    return _Decided(
        named=named,
        disputed=frozenset(it for it in contradicted if named[it] == voted[it]),
    )


def _report(decided: _Decided, before: Mapping[PhotoKey, Named]) -> CategorizeReport:
    names = {key: it.category for key, it in decided.named.items()}
    were = {key: it.category for key, it in before.items()}
    unknown = sum(it.subject is Subject.UNKNOWN for it in names.values())
    return CategorizeReport(
        pictures=len(names),
        named=len(names) - unknown,
        unknown=unknown,
        disputed=len(decided.disputed),
        changed=sum(were.get(key) != category for key, category in names.items()),
        voted=Counter(
            vote.backend for it in decided.named.values() for vote in it.votes
        ),
    )
