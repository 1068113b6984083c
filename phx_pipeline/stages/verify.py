"""Proving that catalogue, blobs, folders and views agree."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from pathlib import Path

from phx_pipeline.errors import StorageError
from phx_pipeline.model.outcome import Verdict, VerdictKind
from phx_pipeline.model.photo import Photo
from phx_pipeline.model.property import Property
from phx_pipeline.model.published import PublishedImage
from phx_pipeline.stages.context import StageContext
from phx_pipeline.stages.views import render_views

_CLUSTERED = frozenset({VerdictKind.KEPT, VerdictKind.DUPLICATE})


class Rule(StrEnum):
    """What must hold for every property, at any moment between two runs."""

    CONSERVATION = "conservation"
    FILES = "files_match_rows"
    MANIFEST = "manifest_equals_folder"

    @property
    def meaning(self) -> str:
        """The rule in one sentence."""
        return _MEANINGS[self]


_MEANINGS = {
    Rule.CONSERVATION: (
        "discovered = kept + duplicate + rejected + failed + pending, and each cluster "
        "has exactly one kept photo, which has a file."
    ),
    Rule.FILES: "Every kept row has its file, and the file its hash.",
    Rule.MANIFEST: "The manifest lists exactly the files of the folder.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One violation, with the row or file it is about."""

    rule: Rule
    text: str


def verify_property(context: StageContext, slug: str) -> list[Problem]:
    """Return every violation of one property; empty when all is well."""
    house = context.house(slug)
    photos = context.catalog.photos(slug)
    images = list(context.catalog.published_images(slug))
    return [
        *_conservation(context, house, photos, images),
        *_files(context, images),
        *_blobs(context, photos),
        *_folder(context, house, images),
    ]


def verify_views(context: StageContext) -> list[Problem]:
    """Return the views whose file is not what the rows render to.

    Before the first publication there are no views, and nothing is missing.
    """
    folder = context.layout.metadata
    if not folder.is_dir() and next(context.catalog.published_images(), None) is None:
        return []
    behind = context.catalog.views.state().is_stale
    told = "shows rows as they were" if behind else "differs from the catalogue"
    return [
        Problem(
            rule=Rule.MANIFEST, text=f"{name} {told}: `phx rebuild --views` renders it"
        )
        for name, text in render_views(context).items()
        if _read(folder / name) != text.encode()
    ]


def content_digest(context: StageContext) -> str:
    """Hash all content rows: equal for any two ways to the same result."""
    digest = sha256()
    for table, values in context.catalog.content_rows():
        digest.update(json.dumps([table, *values], sort_keys=True).encode() + b"\n")
    return digest.hexdigest()


def _conservation(
    context: StageContext,
    house: Property,
    photos: list[Photo],
    images: list[PublishedImage],
) -> Iterator[Problem]:
    tally = context.tally(house.slug)
    if tally.discovered != len(photos):
        yield _broken(f"{house.slug}: {len(photos)} photos, {tally.discovered} counted")
    kept = Counter(p.cluster_id for p in photos if p.verdict is Verdict.KEPT)
    for photo in photos:
        count = kept[photo.cluster_id]
        if photo.verdict.kind in _CLUSTERED and count != 1:
            yield _broken(f"{_name(photo)}: its cluster has {count} kept photos")
    if len(images) != kept.total():
        yield _broken(f"{house.slug}: {kept.total()} kept, {len(images)} published")


def _files(context: StageContext, images: list[PublishedImage]) -> Iterator[Problem]:
    for image in images:
        body = _read(context.layout.images / image.local_path)
        if body is None:
            yield Problem(rule=Rule.FILES, text=f"{image.local_path} is missing")
        elif sha256(body).hexdigest() != image.content_hash:
            yield Problem(rule=Rule.FILES, text=f"{image.local_path} has other bytes")


def _blobs(context: StageContext, photos: list[Photo]) -> Iterator[Problem]:
    for sha in sorted({photo.sha256 for photo in photos if photo.sha256}):
        try:
            context.blobs.read_raw(sha)
        except StorageError as error:
            yield Problem(rule=Rule.FILES, text=str(error))


def _folder(
    context: StageContext, house: Property, images: list[PublishedImage]
) -> Iterator[Problem]:
    folder = context.layout.folder(house.folder)
    there = {path.name for path in folder.glob("*.png")} if folder.is_dir() else set()
    listed = {Path(image.local_path).name for image in images}
    for name in sorted(there ^ listed):
        where = "listed but not in" if name in listed else "not listed but in"
        text = f"{name} is {where} processed/{house.folder}"
        yield Problem(rule=Rule.MANIFEST, text=text)


def _broken(text: str) -> Problem:
    return Problem(rule=Rule.CONSERVATION, text=text)


def _name(photo: Photo) -> str:
    return f"{photo.property_slug} {photo.ref.source.value} {photo.ref.photo_key}"


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
