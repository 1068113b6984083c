"""Photos of a property that are not shown: why, and when they are asked for again."""

from dataclasses import dataclass
from datetime import date

from phx_pipeline.model.due import is_due_anyway, is_photo_due, next_day
from phx_pipeline.model.outcome import Verdict
from phx_pipeline.model.photo import Photo
from phx_pipeline.model.source import Source
from phx_pipeline.reads.base import Reads


@dataclass(frozen=True, slots=True, kw_only=True)
class NotKept:
    """One photo that is not among the kept ones.

    `detail` may be empty. `copy_of` is the published file of the picture that a
    duplicate shows too. `next_asked_on` is None where asking could tell no more.
    """

    source: Source
    photo_key: str
    url: str
    verdict: Verdict
    detail: str
    copy_of: str | None
    next_asked_on: date | None


def not_kept(reads: Reads, slug: str) -> list[NotKept]:
    """Return the photos of a property that are not kept, in gallery order."""
    published = reads.catalog.published_images(slug)
    files = {image.image_id: image.local_path.rpartition("/")[2] for image in published}
    details = {
        state.key: state.detail for state in reads.catalog.runs.photo_states(slug)
    }
    return [
        NotKept(
            source=photo.ref.source,
            photo_key=photo.ref.photo_key,
            url=photo.ref.url,
            verdict=photo.verdict,
            detail=details.get(photo.key, ""),
            copy_of=_copy_of(photo, files),
            next_asked_on=_next_asked_on(reads, photo),
        )
        for photo in reads.catalog.photos(slug)
        if photo.verdict is not Verdict.KEPT
    ]


def _copy_of(photo: Photo, files: dict[str, str]) -> str | None:
    is_copy = photo.verdict is Verdict.DUPLICATE
    return files.get(photo.cluster_id or "") if is_copy else None


def _next_asked_on(reads: Reads, photo: Photo) -> date | None:
    if not is_photo_due(photo, final_after_days=reads.final_after_days):
        return None
    faulted_on = None if is_due_anyway(photo) else photo.faulted_on
    return next_day(faulted_on, today=reads.today)
