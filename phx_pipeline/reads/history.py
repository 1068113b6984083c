"""What changed at houses, as events: of one house or all, a page at a time."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import islice
from typing import Final

from phx_pipeline.model.change import Scope
from phx_pipeline.model.event import Event, EventKind
from phx_pipeline.model.history import (
    TwoGalleries,
    events_of,
    galleries_of,
    needed,
    newest_first,
)
from phx_pipeline.model.moments import day_start, phoenix_day
from phx_pipeline.model.source import Source
from phx_pipeline.reads.base import Reads
from phx_pipeline.reads.paging import (
    LIMIT,
    Page,
    checked_limit,
    page_of,
    place_at,
    refused,
)

_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldEvent:
    """An event, and of a house relisted the photos of both listings."""

    event: Event
    photos: TwoGalleries | None = None


def find_events(
    reads: Reads,
    *,
    since: date | None = None,
    until: date | None = None,
    slug: str | None = None,
    source: Source | None = None,
    kinds: Collection[EventKind] = (),
) -> Iterator[Event]:
    """Yield what `read_events` returns; of many days only one is in memory."""
    last = min(until or reads.today, reads.today)
    scope = Scope(what=needed(kinds), slug=slug, source=source)
    for event in _events(reads, scope, since=since or date.min, last=last):
        if not kinds or event.kind in kinds:
            yield event


def read_events(  # noqa: PLR0913 - each narrows what is read
    reads: Reads,
    *,
    since: date | None = None,
    until: date | None = None,
    slug: str | None = None,
    source: Source | None = None,
    kinds: Collection[EventKind] = (),
    limit: int = LIMIT,
    cursor: str | None = None,
) -> Page[Event]:
    """Return a page of events, the newest first.

    Sources that say the same have an event each.

    Args:
        reads: the catalogue.
        since: the first day in Phoenix, and
        until: the last one; by default all there are.
        slug: of one house; else of all that are followed.
        source: what one source says; else all.
        kinds: of these kinds; of all, if there are none.
        limit: rows of the page.
        cursor: `next` of the page before.

    Raises:
        InputError: the limit or the cursor is none.
    """
    checked_limit(limit)
    on, place = _place_of(cursor) if cursor else (None, None)
    last = min(filter(None, (until, on)), default=None)
    found = (
        event
        for event in find_events(
            reads, since=since, until=last, slug=slug, source=source, kinds=kinds
        )
        if place is None or newest_first(event) > place
    )
    return page_of(list(islice(found, limit + 1)), limit=limit, ends=_cursor)


def with_photos(reads: Reads, event: Event) -> ToldEvent:
    """Return *event* with the photos of both listings, if it tells of two."""
    if event.kind is not EventKind.RELISTED:
        return ToldEvent(event=event)
    book, whose = reads.catalog.told, (event.slug, event.source)
    rows, present = book.since(event.at, *whose), book.present(*whose)
    return ToldEvent(event=event, photos=galleries_of(event, rows, present=present))


def _events(reads: Reads, scope: Scope, *, since: date, last: date) -> Iterator[Event]:
    """Yield events from the day *last* back to *since*; days without any cost nothing.

    Of one house all is read at once.
    """
    book = reads.catalog.told
    end = _end_of(last)
    if scope.slug is not None:
        yield from events_of(book.between(_start_of(since), end, scope))
        return
    while (newest := book.newest_before(end, scope)) and phoenix_day(newest) >= since:
        start = day_start(phoenix_day(newest))
        yield from events_of(book.between(start, end, scope))
        end = start


def _start_of(day: date) -> datetime:
    return day_start(max(day, date(1970, 1, 1)))


def _end_of(day: date) -> datetime:
    return day_start(day + _DAY)


def _cursor(event: Event) -> tuple[str, str, str]:
    return event.on.isoformat(), event.at.isoformat(), event.key


def _place_of(cursor: str) -> tuple[date, tuple[int, float, str]]:
    on_text, at_text, key = place_at(cursor, parts=3) or ("", "", "")
    try:
        on, at = date.fromisoformat(on_text), datetime.fromisoformat(at_text)
        return on, (-on.toordinal(), -at.timestamp(), key)
    except (ValueError, OverflowError) as error:
        raise refused(cursor) from error
