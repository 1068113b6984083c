"""Asset `categorized_images`: name what each kept picture shows."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from phx_pipeline.categorize.base import Categorizer, Evidence, Vote
from phx_pipeline.categorize.fusion import fuse
from phx_pipeline.model.outcome import Verdict
from phx_pipeline.model.photo import Photo
from phx_pipeline.model.source import Source
from phx_pipeline.model.taxonomy import Category, Subject
from phx_pipeline.stages.context import StageContext

PhotoKey = tuple[Source, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class CategorizeReport:
    """Kept pictures, and how many of them nobody could name."""

    pictures: int
    unknown: int
    changed: int


def categorize(context: StageContext, slug: str) -> CategorizeReport:
    """Categorize all kept pictures of *slug* from the evidence of their clusters."""
    context.house(slug)
    with context.holding(slug) as lease:
        photos = context.catalog.photos(slug)
        votes = votes_by_kept(photos, context.categorizers)
        knows = {backend.name: backend.knows for backend in context.categorizers}
        categories = {key: fuse(cast, knows=knows) for key, cast in votes.items()}
        before = context.catalog.categories(slug)
        if categories != before:
            shown = {
                key: [_shown(vote) for vote in cast] for key, cast in votes.items()
            }
            context.catalog.record_categories(lease, slug, categories, votes=shown)
    return _report(categories, before)


def votes_by_kept(
    photos: Sequence[Photo], categorizers: Sequence[Categorizer]
) -> dict[PhotoKey, list[Vote]]:
    """Return, per kept photo, each backend's strongest vote within its cluster.

    Two photos of one cluster are one picture, so a backend that votes on both has not
    given two independent opinions. One that names the picture is stronger than one that
    only tells the place.
    """
    strongest: dict[str, dict[str, Vote]] = defaultdict(dict)
    for photo, vote in _cast(photos, categorizers):
        held = strongest[str(photo.cluster_id)].get(vote.backend)
        if held is None or _strength(vote) > _strength(held):
            strongest[str(photo.cluster_id)][vote.backend] = vote
    return {
        photo.key: list(strongest[str(photo.cluster_id)].values())
        for photo in photos
        if photo.verdict is Verdict.KEPT
    }


def _strength(vote: Vote) -> tuple[bool, float]:
    return vote.subject is not Subject.UNKNOWN, vote.confidence


def _cast(
    photos: Sequence[Photo], categorizers: Sequence[Categorizer]
) -> list[tuple[Photo, Vote]]:
    by_source: dict[Source, list[Photo]] = defaultdict(list)
    for photo in photos:
        if photo.cluster_id is not None:
            by_source[photo.ref.source].append(photo)
    return [
        (photo, vote)
        for listed in by_source.values()
        for backend in categorizers
        for photo, vote in zip(
            listed, backend.categorize([_evidence(p) for p in listed]), strict=True
        )
        if isinstance(vote, Vote)
    ]


def _evidence(photo: Photo) -> Evidence:
    return Evidence(
        source=photo.ref.source,
        photo_key=photo.ref.photo_key,
        position=photo.ref.position,
        caption=photo.ref.caption,
        tags=photo.ref.tags,
        sha256=str(photo.sha256),
    )


def _shown(vote: Vote) -> dict[str, object]:
    return {
        "backend": vote.backend,
        "location": vote.location.value,
        "subject": vote.subject.value,
        "confidence": vote.confidence,
    }


def _report(
    categories: Mapping[PhotoKey, Category], before: Mapping[PhotoKey, Category]
) -> CategorizeReport:
    unknown = sum(c.subject is Subject.UNKNOWN for c in categories.values())
    changed = sum(before.get(key) != category for key, category in categories.items())
    return CategorizeReport(pictures=len(categories), unknown=unknown, changed=changed)
