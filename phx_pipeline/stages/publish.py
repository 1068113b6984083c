"""Asset `manifest`: give kept pictures their names, converge the folder."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from phx_pipeline.catalog.leases import Lease
from phx_pipeline.model.counted import counted
from phx_pipeline.model.naming import (
    ImageName,
    is_own_name,
    is_published_kind,
    is_sidecar,
    sidecar_of,
)
from phx_pipeline.model.outcome import Verdict
from phx_pipeline.model.photo import Photo, PhotoKey
from phx_pipeline.model.picture import StandardPicture
from phx_pipeline.model.property import Property
from phx_pipeline.model.publication import Publication
from phx_pipeline.model.taxonomy import Category, Location, Subject
from phx_pipeline.stages.context import StageContext, in_one
from phx_pipeline.stages.folder_views import drop_links, names_given, put_links
from phx_pipeline.stages.guard import note_lookalikes
from phx_pipeline.stages.runs import end_run
from phx_pipeline.stages.sidecars import write_sidecars
from phx_pipeline.stages.withdrawn import drop_withdrawn
from phx_pipeline.storage.atomic import move_aside, set_aside

logger = logging.getLogger(__name__)

Kind = tuple[Location, Subject]


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishReport:
    """Files in the folder, and what this run changed of it."""

    files: int
    changed: int
    linked: int
    removed: int
    sidecars: int


def publish(
    context: StageContext, slug: str, *, ends_run: bool = False
) -> PublishReport:
    """Bring names and folder of *slug* in line with its rows; the views are stale then.

    *ends_run* tells that this is the last stage of the run, whose record ends here.
    """
    house = context.house(slug)
    context.require_disk()
    with context.holding(slug) as lease:
        before = context.catalog.publications(slug)
        photos = context.catalog.photos(slug)
        after = name_pictures(_plan(context, house, photos, before), before)
        known = {publication.number: publication for publication in before}
        changed = [p for p in after if known.get(p.number) != p]
        if changed:
            context.catalog.record_publications(lease, slug, changed)
        active = [publication for publication in after if publication.active]
        shown = {publication.file_name for publication in active}
        given = names_given(context, house.folder, [*before, *after])
        drop_links(context, given - shown)
        linked, removed = converge_folder(context, house, active)
        sidecars = write_sidecars(context, house, active, photos)
        put_links(context, house.folder, shown)
        drop_withdrawn(context, lease, slug)
        _drop_former(context, lease, slug)
        note_lookalikes(context, lease, slug)
        if ends_run:
            end_run(context, lease, slug)
        context.catalog.record_published(lease, slug)
    return PublishReport(
        files=len(active),
        changed=len(changed),
        linked=linked,
        removed=removed,
        sidecars=sidecars,
    )


def _drop_former(context: StageContext, lease: Lease, slug: str) -> None:
    """Delete the PNGs of former recipes once the folder shows those of this one."""
    former = context.catalog.files.former(slug, recipe=context.recipe)
    for sha, recipe in former:
        context.blobs.drop_standardized(sha, recipe)
    if former:
        context.catalog.files.record_dropped(lease, former)
        logger.info("%s: %s deleted", slug, counted(len(former), "PNG of old recipes"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One kept picture that is ready to be named.

    `members` are the keys of all photos of its cluster: a number given to any of them
    stays with the cluster. `unnumbered` is the publication but for its sequence.
    """

    category: Category
    name: ImageName
    members: frozenset[PhotoKey]
    unnumbered: Publication


def name_pictures(
    plans: Sequence[Plan], before: Sequence[Publication]
) -> list[Publication]:
    """Return all publication rows: old numbers kept, new ones counted on.

    A picture keeps its number while its kind (location and subject) stays. Numbers are
    never reused: rows nobody holds any more stay as inactive.
    """
    taken = {publication.number: publication for publication in before}
    rows = {number: replace(row, active=False) for number, row in taken.items()}
    waiting = []
    for plan in plans:
        held = _held_number(plan, before, rows)
        if held is None:
            waiting.append(plan)
        else:
            rows[held.number] = _numbered(plan, held.sequence, before=held)
    for plan in waiting:
        number = _next_number(
            rows, kind=(plan.category.location, plan.category.subject)
        )
        row = _numbered(plan, number, before=None)
        rows[row.number] = row
    return sorted(rows.values(), key=lambda row: row.number)


def _held_number(
    plan: Plan,
    before: Sequence[Publication],
    rows: Mapping[tuple[Location, Subject, int], Publication],
) -> Publication | None:
    kind = (plan.category.location, plan.category.subject)
    holder = plan.unnumbered.holder
    held = [
        row
        for row in before
        if not rows[row.number].active
        and row.holder in plan.members
        and (row.location, row.subject) == kind
    ]
    # When clusters merge, the picture that goes on being shown keeps its own number.
    return min(
        held,
        key=lambda row: (not row.active, row.holder != holder, row.number),
        default=None,
    )


def _next_number(rows: Iterable[tuple[Location, Subject, int]], *, kind: Kind) -> int:
    used = [sequence for *own, sequence in rows if tuple(own) == kind]
    return max(used, default=0) + 1


def _numbered(plan: Plan, sequence: int, *, before: Publication | None) -> Publication:
    row = replace(
        plan.unnumbered,
        sequence=sequence,
        file_name=str(replace(plan.name, sequence=sequence)),
    )
    if before is None:
        return row
    # The same file as before keeps its time: a view changes only when its rows do.
    kept = replace(row, processed_at=before.processed_at, run_id=before.run_id)
    return kept if kept == replace(before, active=True) else row


def _plan(
    context: StageContext,
    house: Property,
    photos: Sequence[Photo],
    before: Sequence[Publication],
) -> list[Plan]:
    categories = context.catalog.categories(house.slug)
    kept = [photo for photo in photos if photo.verdict is Verdict.KEPT]
    pictures = _pictures(context, kept, before)
    members: dict[str | None, set[PhotoKey]] = {}
    for photo in photos:
        members.setdefault(photo.cluster_id, set()).add(photo.key)
    return [
        _plan_photo(
            context,
            house,
            photo,
            category=category,
            picture=picture,
            members=frozenset(members[photo.cluster_id]),
        )
        for photo in kept
        if (category := categories.get(photo.key)) is not None
        and (picture := pictures.get(str(photo.sha256))) is not None
    ]


def _pictures(
    context: StageContext, kept: Sequence[Photo], before: Sequence[Publication]
) -> dict[str, StandardPicture]:
    """Return the picture to show of each original that has one.

    That is the one of the context's recipe. While it is not made yet (the settings
    changed, or the original cannot be read) the one shown so far stays.
    """
    known = context.catalog.pictures([str(photo.sha256) for photo in kept])
    shown = {(row.sha256, row.recipe) for row in before if row.active}
    standing = {
        sha: picture
        for (sha, recipe), picture in known.items()
        if (sha, recipe) in shown and context.blobs.has_standardized(sha, recipe)
    }
    wanted = {
        sha: picture
        for (sha, recipe), picture in known.items()
        if recipe == context.recipe
    }
    return standing | wanted


def _plan_photo(
    context: StageContext,
    house: Property,
    photo: Photo,
    *,
    category: Category,
    picture: StandardPicture,
    members: frozenset[PhotoKey],
) -> Plan:
    name = ImageName(
        folder=house.folder,
        location=category.location,
        subject=category.subject,
        confidence=category.confidence,
        source=photo.ref.source,
        date=photo.listed_on or photo.first_seen_on,
    )
    unnumbered = Publication(
        slug=house.slug,
        location=category.location,
        subject=category.subject,
        sequence=1,
        active=True,
        source=photo.ref.source,
        photo_key=photo.ref.photo_key,
        file_name=str(name),
        sha256=picture.sha256,
        recipe=picture.recipe,
        processed_at=context.stamp().at,
        run_id=context.run_id,
    )
    return Plan(category=category, name=name, members=members, unnumbered=unnumbered)


def converge_folder(
    context: StageContext, house: Property, active: Sequence[Publication]
) -> tuple[int, int]:
    """Make the folder hold exactly the active files; return (linked, removed).

    A file whose PNG is missing, because nothing it can be made of is there, waits. The
    sidecars of files that go are removed with them, and not counted.
    """
    folder = context.layout.folder(house.folder)
    wanted = {publication.file_name: publication for publication in active}
    linked = 0
    lacking = []
    for file_name, publication in wanted.items():
        sha, recipe = publication.sha256, publication.recipe
        if context.blobs.has_standardized(sha, recipe):
            linked += context.blobs.name_file(sha, recipe, folder / file_name)
        else:
            lacking.append(file_name)
    if lacking:
        logger.warning("%s: there is no PNG to show", in_one(lacking))
    listed = {*wanted, *map(sidecar_of, wanted)}
    strays = [
        path
        for path in (folder.iterdir() if folder.is_dir() else ())
        if path.name not in listed and (is_published_kind(path.name) or _is_left(path))
    ]
    for path in strays:
        if not _is_left(path) and not is_own_name(path.name, folder=house.folder):
            logger.warning("%s is none of ours: it is moved aside", in_one([str(path)]))
            move_aside(path)
            continue
        set_aside(path)  # a folder of such a name may hold anything
        path.unlink(missing_ok=True)
    return linked, sum(not is_sidecar(path.name) for path in strays)


def _is_left(path: Path) -> bool:
    """Whether it is a temporary file, of a writer that was killed."""
    return path.suffix == ".tmp" and path.name.startswith(".")
