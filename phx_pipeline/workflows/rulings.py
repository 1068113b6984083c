"""Rulings carried from one catalogue to another, as lines of JSON."""

import json
import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, Final
from uuid import UUID

from phx_pipeline.errors import InputError, LeaseHeldError, UnknownPropertyError
from phx_pipeline.model.address import Address
from phx_pipeline.model.ruling import (
    TAKEN_BACK,
    About,
    Ruling,
    SpellingRuling,
    couple_in,
    couple_key,
)
from phx_pipeline.model.source import Source
from phx_pipeline.model.taxonomy import Location
from phx_pipeline.sources.registry import named_sources
from phx_pipeline.stages.context import StageContext
from phx_pipeline.workflows.lifecycle import refuse_other_house
from phx_pipeline.workflows.quarantine import settle_ruled
from phx_pipeline.workflows.reviews import NAMEABLE, settle_reviews
from phx_pipeline.workflows.split_join import settle_copies

logger = logging.getLogger(__name__)

_LONGEST: Final = {"who": 64, "slug": 200, "key": 1_500, "value": 100, "why": 2_000}
_CLOCKS_DIFFER: Final = timedelta(days=1)  # between machines, at most
_ACTED_ON: Final = frozenset({About.PHOTO, About.COPIES, About.CATEGORY})
_ON_A_PHOTO: Final = frozenset({About.PHOTO, About.CATEGORY})
_OPTIONAL: Final = frozenset({"why", "source"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What came of importing: rulings added and known before, rows left out and why.

    `settled` are the properties they were acted on for, `waiting` those that are being
    worked on: their next run acts on them.
    """

    added: tuple[Ruling, ...]
    known: int
    problems: tuple[str, ...]
    settled: tuple[str, ...]
    waiting: tuple[str, ...]


def ruling_lines(rulings: Iterable[Ruling]) -> Iterator[str]:
    """Yield one JSON object a ruling; `take_rulings` reads them."""
    for ruling in rulings:
        yield json.dumps(plain_ruling(ruling), ensure_ascii=False)


def plain_ruling(ruling: Ruling) -> dict[str, Any]:
    """Return a ruling as JSON has it."""
    return asdict(ruling) | {"at": ruling.at.isoformat()}


def take_rulings(context: StageContext, lines: Iterable[str]) -> Taken:
    """Add the rulings that are not here yet, and act on all but those on spellings.

    A row that cannot be read, or is about a house that is not here, is told and left
    out; so are rows with one id that differ, as nobody knows which is right. A former
    key of a house means the house.
    """
    rows, problems = _read(lines, read=_reader(context))
    found = _agreeing(rows, here=context.catalog.rulings.all(), problems=problems)
    added = context.catalog.rulings.add_missing(found)
    done = {
        slug: _settled(context, slug, {it.about for it in added if it.slug == slug})
        for slug in sorted({it.slug for it in added if it.about in _ACTED_ON})
        if context.catalog.property(slug) is not None  # else when it is taken up again
    }
    return Taken(
        added=tuple(added),
        known=len(found) - len(added),
        problems=tuple(problems[row] for row in sorted(problems)),
        settled=tuple(slug for slug, is_done in done.items() if is_done),
        waiting=tuple(slug for slug, is_done in done.items() if not is_done),
    )


def _settled(context: StageContext, slug: str, about: Collection[About]) -> bool:
    """Act on the new rulings on a house; return whether it need not wait for a run."""
    waits = ""
    try:
        if About.PHOTO in about:
            settle_ruled(context, slug)
        if About.COPIES in about:  # that names the pictures as well
            waits = settle_copies(context, slug)
        elif About.CATEGORY in about:
            waits = settle_reviews(context, slug)
    except LeaseHeldError as error:
        waits = str(error)
    if waits:
        logger.warning("%s is ruled on, but not settled yet: %s", slug, waits)
    return not waits


def _reader(context: StageContext) -> Callable[[str], Ruling]:
    houses, now = context.catalog.houses, context.stamp().at

    @cache
    def meant(key: str) -> str:
        known = houses.find(key)
        if known is None:
            raise UnknownPropertyError(
                f"unknown property {key!r}", "see `phx properties list`"
            )
        return known.house.slug

    def read(line: str) -> Ruling:
        ruling = _ruling_in(line, meant=meant)
        if ruling.at > now + _CLOCKS_DIFFER:
            raise InputError(f"at {ruling.at.isoformat()} is in the future: mend it")
        if ruling.about is About.SPELLING and ruling.value == SpellingRuling.SAME:
            _refuse_other_house(context, ruling)
        return ruling

    return read


def _refuse_other_house(context: StageContext, ruling: Ruling) -> None:
    """Refuse what `phx properties confirm` refuses."""
    try:
        address = Address.parse(ruling.key)
    except InputError:  # of a version that reads more; it means nothing here
        return
    known = context.catalog.houses.find(ruling.slug)
    if known is not None:
        refuse_other_house(context.catalog.houses, known.house, address)


def _read(
    lines: Iterable[str], *, read: Callable[[str], Ruling]
) -> tuple[dict[int, Ruling], dict[int, str]]:
    """Return the rulings and the problems, by number of the row."""
    found, problems = {}, {}
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            found[number] = read(line)
        except InputError as error:
            problems[number] = f"row {number}: {error}"
    return found, problems


def _agreeing(
    rows: Mapping[int, Ruling], *, here: Iterable[Ruling], problems: dict[int, str]
) -> list[Ruling]:
    """Return each ruling once; add to *problems* the ids that stand for several.

    Those *here* are right: a ruling is never changed.
    """
    known = {ruling.id: ruling for ruling in here}
    first: dict[str, int] = {}
    doubtful = set()
    for number, ruling in rows.items():
        before = first.setdefault(ruling.id, number)
        if known.get(ruling.id, ruling) != ruling:
            other = "a ruling that is here already"
        elif rows[before] != ruling:
            other = f"the one of row {before}, and both are left out"
        else:
            continue
        doubtful.add(ruling.id)
        problems[number] = (
            f"row {number}: id {ruling.id} differs from {other}: remove the wrong row,"
            " or give a ruling of its own an id of its own"
        )
    kept = [rows[number] for number in first.values()]
    return [ruling for ruling in kept if ruling.id not in doubtful]


def _ruling_in(line: str, *, meant: Callable[[str], str]) -> Ruling:
    row = _object_in(line)
    about = _about(_text(row, "about"))
    source = _source(_text(row, "source"))
    value = _text(row, "value")
    if value not in about.values:
        raise InputError(
            f"value {value!r} of a ruling about a {about}: give {_allowed(about)}"
        )
    if about in _ON_A_PHOTO and source is None:
        raise InputError(f"a ruling about a {about} needs its source")
    key = _text(row, "key")
    if about is About.COPIES:
        key = _couple(key)
    return Ruling(
        id=_id(_text(row, "id")),
        at=_time(_text(row, "at")),
        who=_text(row, "who"),
        about=about,
        slug=meant(_text(row, "slug")),
        source=source,
        key=key,
        value=value,
        why=_text(row, "why"),
    )


def _allowed(about: About) -> str:
    if about is About.CATEGORY:
        places, subjects = (" or ".join(kinds) for kinds in (Location, NAMEABLE))
        return f"{TAKEN_BACK}, or {places}, a slash, and {subjects}"
    return " or ".join(sorted(about.values))


def _couple(key: str) -> str:
    """Return the key of two photos, whichever is named first."""
    try:
        return couple_key(*couple_in(key))
    except ValueError as error:
        raise InputError(
            f"key {key!r} does not name two photos: give SOURCE/KEY SOURCE/KEY"
        ) from error


def _object_in(line: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise InputError(f"is not JSON ({error})") from error
    if not isinstance(row, dict):
        raise InputError("is not a JSON object")
    return row


def _text(row: dict[str, Any], name: str) -> str:
    text = row.get(name)
    if text is None and name in _OPTIONAL:
        return ""
    if not isinstance(text, str) or not (text or name in _OPTIONAL):
        raise InputError(f"{name} is missing, or is no text")
    longest = _LONGEST.get(name, 100)
    if len(text) > longest:
        raise InputError(f"{name} has more than {longest} characters")
    if not text.isprintable():
        raise InputError(f"{name} holds characters that cannot be printed")
    return text


def _about(text: str) -> About:
    try:
        return About(text)
    except ValueError as error:
        raise InputError(f"about {text!r}: give {' or '.join(About)}") from error


def _source(text: str) -> Source | None:
    named = named_sources()
    if text and text not in named:
        raise InputError(f"source {text!r}: give {', '.join(named)}")
    return Source(text) if text else None


def _id(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError as error:
        raise InputError(f"id {text!r} is no UUID") from error


def _time(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
        if at.tzinfo is not None:
            return at.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise InputError(f"at {text!r} is no time with a zone: 2026-11-27T15:00:00+00:00")
