"""Asset `categorized_images`: name what each kept picture shows.

Answers of backends are stored before they are fused, so that nobody is asked twice: not
after a kill, and not for other copies of a picture. Which name they amount to is
decided in `categorize.fusion`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from phx_pipeline.catalog.leases import Lease
from phx_pipeline.catalog.votes import EvidenceKey
from phx_pipeline.categorize.base import Abstention, Categorizer, Evidence, Vote
from phx_pipeline.categorize.fusion import Fused, fuse
from phx_pipeline.model.ruling import About
from phx_pipeline.model.taxonomy import Subject
from phx_pipeline.model.vote import Named
from phx_pipeline.stages.context import StageContext
from phx_pipeline.stages.evidence import Originals, PhotoKey, evidence_of
from phx_pipeline.stages.ruled_categories import with_rulings

Answer: TypeAlias = Vote | Abstention


@dataclass(frozen=True, slots=True, kw_only=True)
class CategorizeReport:
    """Kept pictures: how many nobody could name, and whose category changed."""

    pictures: int
    unknown: int
    changed: int


def categorize(context: StageContext, slug: str) -> CategorizeReport:
    """Categorize all kept pictures of *slug* from the evidence of their clusters."""
    context.house(slug)
    with context.holding(slug) as lease:
        originals = Originals(context)
        photos = context.catalog.photos(slug)
        evidence = evidence_of(photos, originals)
        polling = Polling(context, lease, originals)
        votes = polling.votes_on(list(evidence.values()))
        originals.tell()
        named = dict(zip(evidence, _named(context, votes), strict=True))
        newest = context.catalog.rulings.newest(slug, About.CATEGORY)
        named = with_rulings(named, photos, newest)
        before = context.catalog.votes.named(slug)
        if named != before:
            context.catalog.record_categories(lease, slug, named)
    return _report(named, before)


class Polling:
    """Asks backends about the pictures of one house, and keeps what they say."""

    def __init__(
        self, context: StageContext, lease: Lease, originals: Originals
    ) -> None:
        self._context, self._lease, self._originals = context, lease, originals

    def votes_on(self, pictures: Sequence[Evidence]) -> list[tuple[Vote, ...]]:
        """Return the votes on each picture, in the order of the backends."""
        answers = [self._answers(it, pictures) for it in self._context.categorizers]
        return [
            tuple(it for it in on_one if isinstance(it, Vote))
            for on_one in zip(*answers, strict=True)
        ] or [() for _ in pictures]

    def _answers(
        self, backend: Categorizer, pictures: Sequence[Evidence]
    ) -> list[Answer]:
        keys = [(it.sha256, backend.reads(it)) for it in pictures]
        shas = {sha for sha, _ in keys}
        book = self._context.catalog.votes
        known = book.given(shas, backend.name, backend.version)
        new = {
            key: it for key, it in zip(keys, pictures, strict=True) if key not in known
        }
        known |= self._asked(backend, new)
        return [known[key] for key in keys]

    def _asked(
        self, backend: Categorizer, new: Mapping[EvidenceKey, Evidence]
    ) -> dict[EvidenceKey, Answer]:
        """Ask about what has no answer; of what could not be read none is kept."""
        if not new:
            return {}
        given = dict(zip(new, backend.categorize(list(new.values())), strict=True))
        lasting = {
            key: answer
            for key, answer in given.items()
            if isinstance(answer, Vote) or not self._originals.is_unreadable(key[0])
        }
        self._context.catalog.votes.record(self._lease, lasting)
        return given


def _named(context: StageContext, votes: Sequence[tuple[Vote, ...]]) -> list[Named]:
    knows = {backend.name: backend.knows for backend in context.categorizers}
    calibration = context.calibration
    return [
        _name(fuse(cast, knows=knows, calibration=calibration), cast) for cast in votes
    ]


def _name(fused: Fused, votes: tuple[Vote, ...]) -> Named:
    return Named(category=fused.category, probability=fused.probability, votes=votes)


def _report(
    named: Mapping[PhotoKey, Named], before: Mapping[PhotoKey, Named]
) -> CategorizeReport:
    names = {key: it.category for key, it in named.items()}
    were = {key: it.category for key, it in before.items()}
    return CategorizeReport(
        pictures=len(names),
        unknown=sum(it.subject is Subject.UNKNOWN for it in names.values()),
        changed=sum(were.get(key) != category for key, category in names.items()),
    )
