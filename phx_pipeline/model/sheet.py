"""Which pictures of a house the sheet of a step shows, in order, and their captions."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from phx_pipeline.model.outcome import Verdict
from phx_pipeline.model.photo import Photo, PhotoKey
from phx_pipeline.model.property import Property
from phx_pipeline.model.published import PublishedImage
from phx_pipeline.model.taxonomy import UNCATEGORIZED, Category

SHEETS = "/sheets"
"""The path below which the service shows them."""

_FOLDER_PART = len("686067a4_")  # of a file name; all of a house begin with it


class Step(StrEnum):
    """The steps with pictures to show, by the names of their assets."""

    RAW = "raw_images"
    DEDUPED = "deduped_images"
    CATEGORIZED = "categorized_images"
    MANIFEST = "manifest"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """One picture of a sheet: an original by its SHA-256, or a published file.

    `file` is a POSIX path below `data/property_images`; None means the original.
    """

    caption: str
    sha256: str
    file: str | None = None


def path_of_sheet(house: Property, step: Step) -> str:
    """The path of a sheet, without host and port: both are those of the page.

    It is that of the house's folder, which stays when the house gets another key.
    """
    return f"{SHEETS}/{house.folder}/{step.value}.jpg"


def shown_photos(step: Step, photos: Iterable[Photo]) -> list[Photo]:
    """The photos of a house that *step* has a picture of, in gallery order."""
    return [
        photo
        for photo in photos
        if photo.sha256 and (step is Step.RAW or photo.verdict is Verdict.KEPT)
    ]


def raw_tiles(photos: Sequence[Photo]) -> list[Tile]:
    """Every downloaded photo, with its place in the gallery and what became of it."""
    return [
        _original(photo, f"{_place(photo)}: {photo.verdict.value}")
        for photo in shown_photos(Step.RAW, photos)
    ]


def deduped_tiles(photos: Sequence[Photo]) -> list[Tile]:
    """The best copy of each picture, with the number of the others."""
    copies = Counter(
        photo.cluster_id for photo in photos if photo.verdict is Verdict.DUPLICATE
    )
    return [
        _original(photo, f"{_place(photo)}, copies: {copies[photo.cluster_id]}")
        for photo in shown_photos(Step.DEDUPED, photos)
    ]


def categorized_tiles(
    photos: Sequence[Photo], categories: Mapping[PhotoKey, Category]
) -> list[Tile]:
    """The kept pictures by what they show, the surest of a kind first."""
    seen = [
        (categories.get(photo.key, UNCATEGORIZED), photo)
        for photo in shown_photos(Step.CATEGORIZED, photos)
    ]
    seen.sort(key=lambda it: (it[0].location, it[0].subject, -it[0].confidence))
    return [
        _original(photo, f"{what.location} {what.subject} {what.confidence} %")
        for what, photo in seen
    ]


def manifest_tiles(images: Iterable[PublishedImage]) -> list[Tile]:
    """The published files, with their names."""
    return [
        Tile(
            caption=image.local_path.rpartition("/")[2][_FOLDER_PART:],
            sha256=image.content_hash,
            file=image.local_path,
        )
        for image in images
    ]


def _original(photo: Photo, caption: str) -> Tile:
    return Tile(caption=caption, sha256=photo.sha256 or "")


def _place(photo: Photo) -> str:
    return f"{photo.ref.source.value} {photo.ref.position + 1}"
