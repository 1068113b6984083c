"""What is held or looks alike across properties, and what a person decides about it."""

import logging
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from uuid import uuid4

from phx_pipeline.catalog.quarantine import (
    Held,
    Likeness,
    Lookalike,
    PhotoAt,
    SeenLookalike,
)
from phx_pipeline.errors import ImageError, InputError, StorageError
from phx_pipeline.imaging.contact_sheet import contact_sheet
from phx_pipeline.imaging.decode import decode
from phx_pipeline.imaging.standardize import standardize
from phx_pipeline.model.photo import Photo
from phx_pipeline.model.ruling import About, PhotoRuling, Ruling
from phx_pipeline.stages.context import StageContext
from phx_pipeline.stages.guard import guard
from phx_pipeline.stages.partners import call_on_partners, converge
from phx_pipeline.stages.report import inert, table_line

logger = logging.getLogger(__name__)

_ID_LENGTH = 10
_LEAST_ID = 4  # digits of an id that are enough where they are unambiguous
_THUMBNAIL_SIDE = 96
_THUMBNAILS_BYTES = 2_500  # of one case; base64 makes 3,300 of them


class CaseKind(StrEnum):
    """How a case affects its photo."""

    HELD = "held"
    ALIKE = "alike"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One photo somebody should look at.

    A held photo is not published; a photo that only looks alike is. `others` are the
    photos of other properties it agrees with.
    """

    id: str
    kind: CaseKind
    photo: PhotoAt
    why: str
    others: tuple[PhotoAt, ...]
    ruling: PhotoRuling
    first_seen_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruled:
    """What came of a ruling; `changed` is False when it had been given before.

    `waits` tells that the photo has no bytes yet: the next collect fetches them.
    """

    photo: PhotoAt
    changed: bool
    waits: bool


def case_id(photo: PhotoAt) -> str:
    """Return a photo's id in the quarantine: the same on every machine."""
    text = f"{photo.slug}\n{photo.source.value}\n{photo.photo_key}"
    return sha256(text.encode()).hexdigest()[:_ID_LENGTH]


def cases(
    context: StageContext, slug: str | None = None, *, settled: bool = False
) -> list[Case]:
    """Return the cases of one property or of all, held photos first.

    Args:
        context: of any run; nothing is changed.
        slug: one property, or None for all.
        settled: also those a person has decided.
    """
    book = context.catalog.quarantine
    held, seen = book.held(), book.lookalikes(slug)
    rulings = {row.photo: row.ruling for row in held}
    found = [
        *(
            _held_case(row, seen)
            for row in held
            if settled or row.ruling is PhotoRuling.OPEN
        ),
        *_alike_cases(seen, rulings),
    ]
    of_slug = [case for case in found if slug in {None, case.photo.slug}]
    return sorted(of_slug, key=lambda case: (case.kind is CaseKind.ALIKE, case.photo))


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


def _held_case(row: Held, seen: Iterable[SeenLookalike]) -> Case:
    others = [
        other for it in seen for mine, other in _both_ways(it.pair) if mine == row.photo
    ]
    return Case(
        id=case_id(row.photo),
        kind=CaseKind.HELD,
        photo=row.photo,
        why=row.suspicion.detail or row.suspicion.reason.value,
        others=tuple(others),
        ruling=row.ruling,
        first_seen_at=row.first_seen_at,
    )


def _alike_cases(
    seen: Iterable[SeenLookalike], rulings: Mapping[PhotoAt, PhotoRuling]
) -> list[Case]:
    """Cases of photos that are published on both sides, with no ruling on their own.

    Photos with the same key are held: their cases are those of held photos.
    """
    found: dict[PhotoAt, Case] = {}
    for it in seen:
        if it.pair.likeness is Likeness.PHOTO_KEY or _is_settled(it.pair, rulings):
            continue
        for mine, other in _both_ways(it.pair):
            if mine in rulings:
                continue
            case = found.setdefault(mine, _alike_case(mine, it))
            found[mine] = replace(case, others=(*case.others, other))
    return list(found.values())


def _alike_case(mine: PhotoAt, seen: SeenLookalike) -> Case:
    pair = seen.pair
    told = pair.likeness.value.replace("_", " ")
    return Case(
        id=case_id(mine),
        kind=CaseKind.ALIKE,
        photo=mine,
        why=f"{told} (pHash {pair.phash_distance}, dHash {pair.dhash_distance})",
        others=(),
        ruling=PhotoRuling.OPEN,
        first_seen_at=seen.first_seen_at,
    )


def _is_settled(pair: Lookalike, rulings: Mapping[PhotoAt, PhotoRuling]) -> bool:
    given = [rulings.get(pair.one), rulings.get(pair.other)]
    return PhotoRuling.DROPPED in given or set(given) == {PhotoRuling.RELEASED}


def _both_ways(pair: Lookalike) -> tuple[tuple[PhotoAt, PhotoAt], ...]:
    return ((pair.one, pair.other), (pair.other, pair.one))


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
        for case in cases(context, settled=True)
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
