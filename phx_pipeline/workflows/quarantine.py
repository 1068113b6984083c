"""What is held or looks alike across properties, and what a person decides about it."""

import logging
from base64 import b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import uuid4

from phx_pipeline.errors import ImageError, InputError, StorageError
from phx_pipeline.imaging.contact_sheet import contact_sheet
from phx_pipeline.imaging.decode import decode
from phx_pipeline.imaging.standardize import standardize
from phx_pipeline.model.photo import Photo
from phx_pipeline.model.quarantine import PhotoAt
from phx_pipeline.model.ruling import About, PhotoRuling, Ruling
from phx_pipeline.reads.quarantine import Case, cases
from phx_pipeline.stages.context import StageContext
from phx_pipeline.stages.guard import guard
from phx_pipeline.stages.partners import call_on_partners, converge
from phx_pipeline.stages.report import inert, table_line

logger = logging.getLogger(__name__)

_LEAST_ID = 4  # digits of an id that are enough where they are unambiguous
_THUMBNAIL_SIDE = 96
_THUMBNAILS_BYTES = 2_500  # of one case; base64 makes 3,300 of them


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruled:
    """What came of a ruling; `changed` is False when it had been given before.

    `waits` tells that the photo has no bytes yet: the next collect fetches them.
    """

    photo: PhotoAt
    changed: bool
    waits: bool


def release(context: StageContext, wanted_id: str, *, why: str = "") -> Ruled:
    """Let a photo be kept for its property, and never hold it again.

    Raises:
        InputError: no photo, or more than one, has this id.
    """
    return _rule(context, wanted_id, PhotoRuling.RELEASED, why=why)


def drop(context: StageContext, wanted_id: str, *, why: str = "") -> Ruled:
    """Reject a photo of its property for ever.

    Raises:
        InputError: no photo, or more than one, has this id.
    """
    return _rule(context, wanted_id, PhotoRuling.DROPPED, why=why)


def settle_ruled(context: StageContext, slug: str) -> None:
    """Hold, free, decide and publish what the rulings on *slug* ask for.

    A run is asked for of each house on which that changes what is held.

    Raises:
        LeaseHeldError: a stage still works on it; the next run does it.
    """
    with context.holding(slug) as lease:
        guard(context, lease, slug)
    converge(context, slug)
    call_on_partners(context, slug)


def photos_of(context: StageContext, found: Iterable[Case]) -> dict[PhotoAt, Photo]:
    """Return the photos of cases; one that is no longer there is left out."""
    wanted = {case.photo for case in found}
    return {
        at: photo
        for slug in {at.slug for at in wanted}
        for photo in context.catalog.photos(slug)
        if (at := _at(slug, photo)) in wanted
    }


def thumbnails(context: StageContext, case: Case) -> str:
    """Return a case's pictures side by side as a Markdown image; empty without any."""
    pngs = [
        png
        for at in (case.photo, *case.others[:1])
        if (png := _small(context, at)) is not None
    ]
    if not pngs:
        return ""
    try:
        sheet = contact_sheet(pngs, max_bytes=_THUMBNAILS_BYTES)
    except ValueError:  # noise does not get small enough
        return ""
    return f"![pictures](data:image/jpeg;base64,{b64encode(sheet).decode()})"


def case_table(
    context: StageContext, found: Sequence[Case], *, max_bytes: int = 12_000
) -> str:
    """Return cases as a Markdown table with addresses and as many pictures as fit.

    Cases beyond the budget are counted in a last line.
    """
    lines = [
        "| id | this house | other house | why | pictures |",
        "|---|---|---|---|---|",
    ]
    tail = 200  # for the last line
    left = max_bytes - tail - sum(len(line) + 1 for line in lines)
    for number, case in enumerate(found):
        with_pictures = _line(context, case, pictures=thumbnails(context, case))
        plain = _line(context, case, pictures="")
        line = with_pictures if len(with_pictures) < left else plain
        if len(line.encode()) >= left:
            lines.append(f"\n{len(found) - number} more: `phx quarantine list`")
            break
        lines.append(line)
        left -= len(line.encode()) + 1
    return "\n".join(lines)


def _rule(
    context: StageContext, wanted_id: str, value: PhotoRuling, *, why: str
) -> Ruled:
    case = _case_with(context, wanted_id)
    if case.ruling is not value:
        ruling = Ruling(
            id=str(uuid4()),
            at=context.stamp().at,
            who=context.who,
            about=About.PHOTO,
            slug=case.photo.slug,
            source=case.photo.source,
            key=case.photo.photo_key,
            value=value.value,
            why=why,
        )
        with context.holding(case.photo.slug) as lease:
            context.catalog.rulings.record(lease, ruling)
    settle_ruled(context, case.photo.slug)
    photo = _photo(context, case.photo)
    return Ruled(
        photo=case.photo,
        changed=case.ruling is not value,
        waits=photo is not None and photo.sha256 is None,
    )


def _case_with(context: StageContext, wanted_id: str) -> Case:
    wanted = wanted_id.strip().lower()
    found = [
        case
        for case in cases(context.catalog, settled=True)
        if case.id == wanted
        or (len(wanted) >= _LEAST_ID and case.id.startswith(wanted))
    ]
    if not found:
        raise InputError(
            f"no photo in quarantine has the id {wanted_id!r}: "
            "see `phx quarantine list`"
        )
    if len(found) > 1:
        ids = ", ".join(case.id for case in found)
        raise InputError(f"{wanted_id!r} may be any of {ids}: give the whole id")
    return found[0]


def _at(slug: str, photo: Photo) -> PhotoAt:
    return PhotoAt(slug=slug, source=photo.ref.source, photo_key=photo.ref.photo_key)


def _photo(context: StageContext, at: PhotoAt) -> Photo | None:
    for photo in context.catalog.photos(at.slug):
        if photo.key == (at.source, at.photo_key):
            return photo
    return None


def _small(context: StageContext, at: PhotoAt) -> bytes | None:
    photo = _photo(context, at)
    if photo is None or photo.sha256 is None:
        return None
    try:
        picture = decode(context.blobs.read_raw(photo.sha256))
    except (ImageError, StorageError):
        return None
    return standardize(picture, max_side=_THUMBNAIL_SIDE).png


def _line(context: StageContext, case: Case, *, pictures: str) -> str:
    houses = dict.fromkeys(other.slug for other in case.others)
    others = "; ".join(str(context.house(slug).address) for slug in houses)
    mine = str(context.house(case.photo.slug).address)
    told = map(inert, (f"{case.kind.value} {case.id}", mine, others or "-", case.why))
    return table_line((*told, pictures))
