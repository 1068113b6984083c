"""Rulings of people on what is one picture, and all that follows from them at once."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import uuid4

from phx_pipeline.errors import InputError
from phx_pipeline.model.outcome import Verdict
from phx_pipeline.model.photo import Photo, PhotoKey
from phx_pipeline.model.ruling import About, CopyRuling, Ruling, couple_key
from phx_pipeline.stages.categorize import categorize
from phx_pipeline.stages.context import StageContext
from phx_pipeline.stages.dedupe import dedupe
from phx_pipeline.stages.partners import at_once, call_on
from phx_pipeline.stages.publish import publish
from phx_pipeline.stages.ruled_copies import photos_ruled_on
from phx_pipeline.workflows.duplicates import (
    Copies,
    copies_of,
    copies_with,
    photo_name,
    require_bytes,
)

_DECIDABLE = frozenset({Verdict.PENDING, Verdict.KEPT, Verdict.DUPLICATE})


@dataclass(frozen=True, slots=True, kw_only=True)
class CopiesRuled:
    """What came of a command: the rulings that are new.

    `already` tells that the photos were so before; a new ruling keeps them so.
    `overruled` are older rulings that counted and count no more. `waits` tells why a
    run of the house is to act on the rulings: somebody works on it, or it lacks
    originals. It is empty where they have been acted on.
    """

    rulings: tuple[Ruling, ...]
    already: bool
    overruled: tuple[Ruling, ...] = ()
    waits: str = ""


def split(
    context: StageContext, slug: str, photos: Sequence[Photo], *, why: str = ""
) -> CopiesRuled:
    """Part two photos, or one photo from all other copies of its picture.

    Raises:
        InputError: a photo has no picture, or those to be parted have the same bytes.
    """
    _require_pictures(photos)
    first, *rest = photos
    copies = _others_of(context, slug, first)
    others = rest or copies
    parted = [it for it in others if it.sha256 != first.sha256]
    if others and not parted:
        raise InputError(
            f"{_told(first)} and {_told(others[0])} have the same bytes, so they are "
            "one picture whatever is said: name a copy with other bytes, or drop the "
            "photo if it is of another house (`phx quarantine drop`)"
        )
    together = {it.key for it in copies}
    already = together.isdisjoint(it.key for it in others)
    values = {couple_key(first.key, it.key): CopyRuling.OTHER for it in parted}
    return _ruled(context, slug, values, why=why, already=already)


def join(
    context: StageContext, slug: str, photos: Sequence[Photo], *, why: str = ""
) -> CopiesRuled:
    """Make two photos copies of one picture, with all copies that each has.

    What parted a copy of one from a copy of the other is taken back.

    Raises:
        InputError: a photo has no picture, or it is one photo twice.
    """
    _require_pictures(photos)
    one, other = photos
    found = copies_of(context, slug)
    sides = [{it.key, *_members(found, it)} for it in (one, other)]
    newest = context.catalog.rulings.newest(slug, About.COPIES)
    values = {
        ruling.key: CopyRuling.OPEN
        for ruling in newest.values()
        if ruling.value == CopyRuling.OTHER and _is_across(ruling, sides)
    }
    values[couple_key(one.key, other.key)] = CopyRuling.SAME
    return _ruled(context, slug, values, why=why, already=other.key in sides[0])


def undo(
    context: StageContext, slug: str, photos: Sequence[Photo], *, why: str = ""
) -> CopiesRuled:
    """Take back what was ruled on a photo, or on two: the pixels decide again."""
    names = {it.key for it in photos}
    newest = context.catalog.rulings.newest(slug, About.COPIES)
    values = {
        ruling.key: CopyRuling.OPEN
        for ruling in newest.values()
        if ruling.value != CopyRuling.OPEN and names.issubset(photos_ruled_on(ruling))
    }
    return _ruled(context, slug, values, why=why, already=not values)


def settle_copies(context: StageContext, slug: str) -> str:
    """Decide, name and publish a house by its rulings; no source is asked.

    Returns:
        Why a run of its own is asked for instead: somebody works on the house, or it
        lacks originals. Empty where it is done.
    """

    def settle(patient: StageContext) -> None:
        call_on(patient, dedupe(patient, slug).to_settle)
        categorize(patient, slug)
        publish(patient, slug)

    return at_once(context, slug, settle)


def _ruled(
    context: StageContext,
    slug: str,
    values: dict[str, CopyRuling],
    *,
    why: str,
    already: bool,
) -> CopiesRuled:
    """Record what is new, and act on it."""
    context.house(slug)
    before = context.catalog.rulings.newest(slug, About.COPIES)
    known = {ruling.key: ruling.value for ruling in before.values()}
    new = {key: value for key, value in values.items() if known.get(key) != value}
    if already and not new:
        return CopiesRuled(rulings=(), already=already)
    obeyed = _obeyed(context, slug, before.values())
    wanted = _rulings(context, slug, new, why=why)
    given = context.catalog.rulings.record_unheld(wanted)
    if len(given) < len(wanted):
        context.house(slug)  # raises: it was renamed just now
    waits = settle_copies(context, slug)
    still = _obeyed(context, slug, obeyed)
    overruled = [
        it
        for it in before.values()
        if (it.key in new and it.value != CopyRuling.OPEN)
        or (it in obeyed and it not in still)
    ]
    return CopiesRuled(
        rulings=tuple(given),
        already=already,
        overruled=tuple(sorted(overruled, key=lambda it: it.order)),
        waits=waits,
    )


def _obeyed(
    context: StageContext, slug: str, rulings: Iterable[Ruling]
) -> list[Ruling]:
    """Return those that join photos which are copies of one picture.

    A joined photo goes elsewhere where a newer ruling parts what would come along.
    """
    pictures = [{it.name for it in found.members} for found in copies_of(context, slug)]
    return [
        ruling
        for ruling in rulings
        if ruling.value == CopyRuling.SAME
        and any(names.issuperset(photos_ruled_on(ruling)) for names in pictures)
    ]


def _rulings(
    context: StageContext, slug: str, values: dict[str, CopyRuling], *, why: str
) -> list[Ruling]:
    return [
        Ruling(
            id=str(uuid4()),
            at=context.stamp().at,
            who=context.who,
            about=About.COPIES,
            slug=slug,
            source=None,
            key=key,
            value=value.value,
            why=why,
        )
        for key, value in sorted(values.items())
    ]


def _require_pictures(photos: Iterable[Photo]) -> None:
    seen: set[PhotoKey] = set()
    for photo in photos:
        if photo.key in seen:
            raise InputError(f"{_told(photo)} is named twice: name two photos")
        seen.add(photo.key)
        require_bytes(photo)
        if photo.verdict not in _DECIDABLE:
            raise InputError(
                f"{_told(photo)} is {photo.verdict.value}: it is no copy of a picture"
            )


def _others_of(context: StageContext, slug: str, photo: Photo) -> list[Photo]:
    copies = copies_with(copies_of(context, slug), photo)
    members = copies.members if copies else ()
    return [it.photo for it in members if it.name != photo.key]


def _members(found: Iterable[Copies], photo: Photo) -> set[PhotoKey]:
    copies = copies_with(found, photo)
    return {it.name for it in copies.members} if copies else set()


def _is_across(ruling: Ruling, sides: Sequence[set[PhotoKey]]) -> bool:
    """Whether a ruling is on a photo of either side."""
    match photos_ruled_on(ruling):
        case (a, b):
            one, other = sides
            return (a in one and b in other) or (a in other and b in one)
    return False


def _told(photo: Photo) -> str:
    return photo_name(photo.key)
