"""Proving that catalogue, blobs, folders and views agree; changes nothing."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from pathlib import Path

from phx_pipeline.errors import DiskError, StorageError
from phx_pipeline.model.counted import counted
from phx_pipeline.model.naming import is_own_name
from phx_pipeline.model.outcome import Verdict, VerdictKind
from phx_pipeline.model.photo import Photo
from phx_pipeline.model.property import Property
from phx_pipeline.model.publication import Publication
from phx_pipeline.model.published import PublishedImage
from phx_pipeline.stages.context import StageContext, in_one
from phx_pipeline.stages.folder_views import dangling, missing
from phx_pipeline.stages.partners import has_originals
from phx_pipeline.stages.sidecars import sidecars
from phx_pipeline.stages.views import holds_view, render_views
from phx_pipeline.storage.atomic import NO_FILE

_CLUSTERED = frozenset({VerdictKind.KEPT, VerdictKind.DUPLICATE})


class Rule(StrEnum):
    """What must hold for every property, at any moment between two runs."""

    CONSERVATION = "conservation"
    FILES = "files_match_rows"
    MANIFEST = "manifest_equals_folder"
    DATABASE = "database_is_sound"

    @property
    def meaning(self) -> str:
        """The rule in one sentence."""
        return _MEANINGS[self]


RULES_OF_HOUSES = (Rule.CONSERVATION, Rule.FILES, Rule.MANIFEST)
"""The rules that are judged property by property."""

_MEANINGS = {
    Rule.CONSERVATION: (
        "discovered = kept + duplicate + rejected + failed + pending, and each cluster "
        "has exactly one kept photo, which has a file."
    ),
    Rule.FILES: "Every kept row has its file, and the file its hash.",
    Rule.MANIFEST: (
        "The manifest lists exactly the files of the folder, each has its sidecar, and "
        "no link is missing or leads nowhere."
    ),
    Rule.DATABASE: "The database finds no fault in itself.",
}


class Fault(StrEnum):
    """What is wrong, as far as the remedy differs."""

    COUNTS = "counts"
    CLUSTER = "cluster"
    UNPUBLISHED = "unpublished"
    ORIGINAL = "original"
    WITHDRAWN = "withdrawn"
    REMOVED = "removed"
    FACTS = "facts"
    PNG = "png"
    FILE = "file"
    FOLDER = "folder"
    STRANGER = "stranger"
    SIDECAR = "sidecar"
    LINK = "link"
    VIEW = "view"
    DATABASE = "database"

    @property
    def rule(self) -> Rule:
        """The rule that is broken."""
        return _RULES[self]


_RULES = {
    Fault.COUNTS: Rule.CONSERVATION,
    Fault.CLUSTER: Rule.CONSERVATION,
    Fault.UNPUBLISHED: Rule.CONSERVATION,
    Fault.ORIGINAL: Rule.FILES,
    Fault.WITHDRAWN: Rule.FILES,
    Fault.REMOVED: Rule.FILES,
    Fault.FACTS: Rule.FILES,
    Fault.PNG: Rule.FILES,
    Fault.FILE: Rule.FILES,
    Fault.FOLDER: Rule.MANIFEST,
    Fault.STRANGER: Rule.MANIFEST,
    Fault.SIDECAR: Rule.MANIFEST,
    Fault.LINK: Rule.MANIFEST,
    Fault.VIEW: Rule.MANIFEST,
    Fault.DATABASE: Rule.DATABASE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One violation, with the row or file it is about.

    `sha256` is that of the original concerned, where one is.
    """

    fault: Fault
    text: str
    sha256: str | None = None

    @property
    def rule(self) -> Rule:
        """The rule that is broken."""
        return self.fault.rule


def verify_property(context: StageContext, slug: str) -> list[Problem]:
    """Return every violation of one property; empty when all is well."""
    house = context.house(slug)
    photos = context.catalog.photos(slug)
    images = list(context.catalog.published_images(slug))
    shown = [row for row in context.catalog.publications(slug) if row.active]
    originals = {row.file_name: row.sha256 for row in shown}
    return [
        *_conservation(house, photos, images),
        *_counters(context, slug),
        *_categories(context, house, shown),
        *_files(context, images, originals),
        *_pngs(context, house, shown),
        *_blobs(context, photos),
        *_folder(context, house, images, originals),
        *_sidecars(context, house, shown, photos),
    ]


def verify_removed(context: StageContext) -> list[Problem]:
    """Return the removed properties whose files are gone in part: half a purge."""
    return [
        Problem(
            fault=Fault.REMOVED,
            text=f"{house.slug} is removed, and of its files some are gone, as when a "
            f"purge was killed: `phx properties remove {house.slug} --purge` deletes "
            "the rest",
        )
        for house in (known.house for known in context.catalog.houses.removed())
        if not (has_originals(context, house.slug) and _has_folder(context, house))
    ]


def _has_folder(context: StageContext, house: Property) -> bool:
    """Whether the folder is there, or nothing was published into it."""
    shown = any(row.active for row in context.catalog.publications(house.slug))
    return not shown or context.layout.folder(house.folder).is_dir()


def verify_database(context: StageContext, *, deep: bool = False) -> list[Problem]:
    """Return what the database finds wrong with itself; *deep* looks at all of it."""
    return [
        Problem(fault=Fault.DATABASE, text=told)
        for told in context.catalog.integrity.faults(deep=deep)
    ]


def verify_views(context: StageContext) -> list[Problem]:
    """Return the views whose file is not what the rows render to.

    Before the first publication there are no views, and nothing is missing.
    """
    folder = context.layout.metadata
    if not folder.is_dir() and next(context.catalog.published_images(), None) is None:
        return []
    behind = context.catalog.views.is_stale()
    told = "shows rows as they were" if behind else "differs from the catalogue"
    stale = [
        Problem(
            fault=Fault.VIEW,
            text=f"{view.name} {told}: `phx rebuild --views` renders it",
        )
        for view in render_views(context)
        if not holds_view(context, view)
    ]
    return [*stale, *_links(context)]


def content_digest(context: StageContext) -> str:
    """Hash all content rows: equal for any two ways to the same result."""
    digest = sha256()
    for table, values in context.catalog.content_rows():
        digest.update(json.dumps([table, *values], sort_keys=True).encode() + b"\n")
    return digest.hexdigest()


def _conservation(
    house: Property, photos: list[Photo], images: list[PublishedImage]
) -> Iterator[Problem]:
    kept = Counter(p.cluster_id for p in photos if p.verdict is Verdict.KEPT)
    for photo in photos:
        count = kept[photo.cluster_id]
        if photo.verdict.kind in _CLUSTERED and count != 1:
            told = f"{_name(photo)}: its cluster has {counted(count, 'kept photo')}"
            yield Problem(fault=Fault.CLUSTER, text=told)
    if len(images) != kept.total():
        told = f"{house.slug}: {kept.total()} kept, {len(images)} published"
        yield Problem(fault=Fault.UNPUBLISHED, text=told)


def _counters(context: StageContext, slug: str) -> Iterator[Problem]:
    for wrong in context.catalog.door.miscounts(slug):
        there = f"{counted(wrong.there, 'photo')} {wrong.kind}"
        told = f"{slug} {wrong.source.value}: {there}, {wrong.counted} counted"
        yield Problem(fault=Fault.COUNTS, text=told)


def _categories(
    context: StageContext, house: Property, shown: list[Publication]
) -> Iterator[Problem]:
    """Published files whose name tells another kind than their category."""
    categories = context.catalog.categories(house.slug)
    for row in shown:
        category = categories.get((row.source, row.photo_key))
        kind = category and (category.location, category.subject)
        if kind != (row.location, row.subject):
            told = f"{row.file_name} is not named as its category says"
            yield Problem(fault=Fault.UNPUBLISHED, text=told, sha256=row.sha256)


def _files(
    context: StageContext, images: list[PublishedImage], originals: Mapping[str, str]
) -> Iterator[Problem]:
    for image in images:
        path = context.layout.images / image.local_path
        body = _read(path)
        if body is None or sha256(body).hexdigest() != image.content_hash:
            told = f"{image.local_path} {_how(body)}"
            sha = originals.get(path.name)
            yield Problem(fault=Fault.FILE, text=told, sha256=sha)


def _pngs(
    context: StageContext, house: Property, shown: list[Publication]
) -> Iterator[Problem]:
    """The PNGs the published files are names of, if they are not those very files."""
    pictures = context.catalog.pictures([row.sha256 for row in shown])
    folder = context.layout.folder(house.folder)
    for row in shown:
        png = context.layout.standardized(row.sha256, row.recipe)
        picture = pictures.get((row.sha256, row.recipe))
        if picture is None or _is_same_file(png, folder / row.file_name):
            continue  # told of by other rules
        body = _read(png)
        if body is None or sha256(body).hexdigest() != picture.png_sha256:
            told = f"{context.layout.relative(png)} {_how(body)}"
            yield Problem(fault=Fault.PNG, text=told, sha256=row.sha256)


def _blobs(context: StageContext, photos: list[Photo]) -> Iterator[Problem]:
    there = [photo for photo in photos if photo.sha256]
    gone = [photo for photo in there if photo.verdict is Verdict.WITHDRAWN]
    for photo in gone:
        told = f"{_name(photo)}: its licence was withdrawn, its bytes have to go"
        yield Problem(fault=Fault.WITHDRAWN, text=told)
    for sha in sorted({str(photo.sha256) for photo in there if photo not in gone}):
        try:
            context.blobs.read_raw(sha)
        except (StorageError, DiskError) as error:
            if error.stops_all:
                raise
            yield Problem(fault=Fault.ORIGINAL, text=str(error), sha256=sha)


def _folder(
    context: StageContext,
    house: Property,
    images: list[PublishedImage],
    originals: Mapping[str, str],
) -> Iterator[Problem]:
    folder = context.layout.folder(house.folder)
    there = {path.name for path in folder.glob("*.png")} if folder.is_dir() else set()
    listed = {Path(image.local_path).name for image in images}
    for name in sorted(there ^ listed):
        where = "listed but not in" if name in listed else "not listed but in"
        text = f"{name} is {where} processed/{house.folder}"
        is_ours = name in listed or is_own_name(name, folder=house.folder)
        fault = Fault.FOLDER if is_ours else Fault.STRANGER
        yield Problem(fault=fault, text=text, sha256=originals.get(name))


def _sidecars(
    context: StageContext,
    house: Property,
    shown: list[Publication],
    photos: list[Photo],
) -> Iterator[Problem]:
    """Sidecars that are not what the rows say, and others: of a house few lines.

    While a house waits for its publication, that one writes them: of a house whose rows
    have changed, or that an older version published, nothing is told.
    """
    if not context.tally(house.slug).is_published:
        return
    folder = context.layout.folder(house.folder)
    bad: dict[str, list[str]] = {"is missing": [], "has other bytes": []}
    wanted = set()
    for name, text in sidecars(context, house, shown, photos):
        wanted.add(name)
        body = _read(folder / name)
        if body != text.encode():
            bad[_how(body)].append(name)
    for told, names in bad.items():
        if names:
            text = in_one([f"processed/{house.folder}/{it} {told}" for it in names])
            yield Problem(fault=Fault.SIDECAR, text=text)
    there = {path.name for path in folder.glob("*.json")} if folder.is_dir() else set()
    for name in sorted(there - wanted):
        is_ours = is_own_name(name, folder=house.folder)
        yield Problem(
            fault=Fault.SIDECAR if is_ours else Fault.STRANGER,
            text=f"{name} belongs to no picture in processed/{house.folder}",
        )


def _links(context: StageContext) -> Iterator[Problem]:
    """The links of the folder views that lead nowhere or are missing, a line each."""
    kinds = (
        (dangling(context), ("leads nowhere", "lead nowhere"), "removes"),
        (missing(context), ("is missing", "are missing"), "makes"),
    )
    for found, (one, several), remedy in kinds:
        first = next(found, None)
        if first is None:
            continue
        count = 1 + sum(1 for _ in found)
        text = (
            f"{counted(count, 'link')} of the folder views "
            f"{one if count == 1 else several}, such as "
            f"{context.layout.relative(first)}: `phx rebuild --views` {remedy} them"
        )
        yield Problem(fault=Fault.LINK, text=text)


def _how(body: bytes | None) -> str:
    return "is missing" if body is None else "has other bytes"


def _name(photo: Photo) -> str:
    return f"{photo.property_slug} {photo.ref.source.value} {photo.ref.photo_key}"


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except NO_FILE:
        return None


def _is_same_file(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except NO_FILE:
        return False
