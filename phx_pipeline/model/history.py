"""Events from rows of `change`: rows in, events out, whatever their order.

Rows of one house, source and day in Phoenix amount to what differs between its first
and its last moment. No database, and no words of a command.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import chain
from typing import Final

from phx_pipeline.model.change import NotedChange, What
from phx_pipeline.model.counted import counted
from phx_pipeline.model.event import Event, EventKind
from phx_pipeline.model.fact_words import shown_value
from phx_pipeline.model.market import market_event
from phx_pipeline.model.moments import phoenix_day
from phx_pipeline.model.source import Source

FEWEST_CUT: Final = 5
"""Photos of a gallery that must leave it at once, for it to be cut."""

_MARKET = frozenset(
    {EventKind.STATUS, EventKind.BACK_ON_MARKET, EventKind.OFF_MARKET},
)
_GALLERY = frozenset(
    {EventKind.PHOTOS_ADDED, EventKind.PHOTOS_GONE, EventKind.GALLERY_CUT}
)
_NEEDED: Mapping[EventKind, Collection[What]] = {
    EventKind.PRICE_CUT: (What.PRICE,),
    EventKind.PRICE_RAISED: (What.PRICE,),
    EventKind.FACTS: (What.FACT,),
    EventKind.RELISTED: (What.NUMBER, What.GALLERY, What.ADDED, What.PRESENT),
    EventKind.PHOTOS_REPLACED: (What.PICTURE,),
    **dict.fromkeys(_MARKET, (What.MARKET,)),
    **dict.fromkeys(_GALLERY, (What.NUMBER, What.GALLERY, What.ADDED, What.PRESENT)),
}
TOLD: Final = frozenset(chain.from_iterable(_NEEDED.values()))
"""What rows are looked at: all others tell nothing to people."""

Group = Sequence[NotedChange]  # of one house, source and day, in order of time


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    slug: str
    source: Source
    on: date


def needed(kinds: Collection[EventKind]) -> frozenset[What]:
    """What rows must be known to tell events of *kinds*; of all, if there are none."""
    return frozenset(chain.from_iterable(_NEEDED[kind] for kind in kinds)) or TOLD


def events_of(rows: Iterable[NotedChange]) -> list[Event]:
    """Return what *rows* amount to, the newest first.

    Args:
        rows: all rows that are told (`TOLD`, or `needed`) of the days they are of.
    """
    groups: dict[_Place, list[NotedChange]] = defaultdict(list)
    for row in {row.id: row for row in rows if row.what in TOLD}.values():
        place = _Place(slug=row.slug, source=row.source, on=phoenix_day(row.at))
        groups[place].append(row)
    found = [
        event
        for place, group in groups.items()
        for event in _events(place, sorted(group, key=lambda row: (row.at, row.id)))
    ]
    return sorted(found, key=newest_first)


def newest_first(event: Event) -> tuple[int, float, str]:
    """The order of events: by day, then by the moment that they were first noted."""
    return -event.on.toordinal(), -event.at.timestamp(), event.key


def _events(place: _Place, group: Group) -> Iterator[Event]:
    by_what: dict[str, list[NotedChange]] = defaultdict(list)
    for row in group:
        by_what[row.what].append(row)
    for what, tell in _TELLERS.items():
        if rows := by_what.get(what):
            yield from tell(place, rows)
    yield from _gallery(place, by_what)


def _prices(place: _Place, rows: Group) -> Iterator[Event]:
    before, after = int(rows[0].before), int(rows[-1].after)
    if before != after:
        kind = EventKind.PRICE_CUT if after < before else EventKind.PRICE_RAISED
        told = (shown_value("list_price", price) for price in (before, after))
        yield _event(place, kind, rows, *told)


def _market(place: _Place, rows: Group) -> Iterator[Event]:
    before, after = rows[0].before, rows[-1].after
    if kind := market_event(before, after):
        yield _event(place, kind, rows, before, after)


def _facts(place: _Place, rows: Group) -> Iterator[Event]:
    of_fact: dict[str, list[NotedChange]] = defaultdict(list)
    for row in rows:
        of_fact[row.photo_key].append(row)
    for fact, own in of_fact.items():
        before, after = own[0].before, own[-1].after
        if before != after:
            yield _event(place, EventKind.FACTS, own, before, after, fact=fact)


def _replaced(place: _Place, rows: Group) -> Iterator[Event]:
    if keys := _net(rows):
        yield _event(place, EventKind.PHOTOS_REPLACED, rows, keys=keys)


_TELLERS: Mapping[str, Callable[[_Place, Group], Iterator[Event]]] = {
    What.PRICE: _prices,
    What.MARKET: _market,
    What.FACT: _facts,
    What.PICTURE: _replaced,
}


def _gallery(place: _Place, by_what: Mapping[str, Group]) -> Iterator[Event]:
    """Tell of photos that came and went; of a house relisted that is one event.

    Presence alone proves nothing: it changes too where two houses are merged. What a
    gallery said has a row of its own.
    """
    galleries, numbers = by_what.get(What.GALLERY, ()), by_what.get(What.NUMBER, ())
    added, gone = _came_and_went(by_what) if galleries else ((), ())
    if numbers and numbers[0].before != numbers[-1].after:
        told = (numbers[0].before, numbers[-1].after)
        yield _event(place, EventKind.RELISTED, numbers, *told, keys=added)
        return
    if galleries:
        counts = int(galleries[0].before), int(galleries[-1].after)
        told = (counted(counts[0], "photo"), counted(counts[1], "photo"))
        if added:
            kind = EventKind.PHOTOS_ADDED
            yield _event(place, kind, galleries, *told, keys=added)
        if gone:
            is_cut = len(gone) >= FEWEST_CUT and 2 * counts[1] < counts[0]
            kind = EventKind.GALLERY_CUT if is_cut else EventKind.PHOTOS_GONE
            yield _event(place, kind, galleries, *told, keys=gone)


def _came_and_went(
    by_what: Mapping[str, Group],
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The photos that are in the gallery now and were not before, and the reverse."""
    rows = [*by_what.get(What.ADDED, ()), *by_what.get(What.PRESENT, ())]
    rows.sort(key=lambda row: (row.at, row.id))
    net = {key: after for key, (_, after) in _nets(rows).items()}
    return (
        tuple(sorted(key for key, after in net.items() if after == "true")),
        tuple(sorted(key for key, after in net.items() if after == "false")),
    )


def _net(rows: Group) -> tuple[str, ...]:
    return tuple(sorted(_nets(rows)))


def _nets(rows: Group) -> dict[str, tuple[str, str]]:
    """By photo what it was first and is last, where the two differ."""
    first: dict[str, str] = {}
    last: dict[str, str] = {}
    for row in rows:
        first.setdefault(row.photo_key, row.before)
        last[row.photo_key] = row.after
    pairs = {key: (before, last[key]) for key, before in first.items()}
    return {key: pair for key, pair in pairs.items() if pair[0] != pair[1]}


def _event(
    place: _Place,
    kind: EventKind,
    rows: Group,
    before: str = "",
    after: str = "",
    *,
    fact: str = "",
    keys: tuple[str, ...] = (),
) -> Event:
    parts = [kind.value, place.slug, place.source.value, place.on.isoformat()]
    return Event(
        key=":".join([*parts, fact] if fact else parts),
        slug=place.slug,
        source=place.source,
        kind=kind,
        on=place.on,
        at=rows[0].at,
        before=before,
        after=after,
        fact=fact,
        photo_keys=keys,
    )


# --- the photos of two listings -------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class TwoGalleries:
    """The keys of the photos that a source showed under two listing numbers.

    A photo that both showed is in both.
    """

    old: tuple[str, ...]
    new: tuple[str, ...]


def galleries_of(
    event: Event, rows: Iterable[NotedChange], *, present: Collection[str]
) -> TwoGalleries:
    """Return the photos before and after a house was relisted.

    Args:
        event: which tells that it was.
        rows: all rows of the house and the source from then on, those of verdicts
            included: they tell when a photo was first seen.
        present: the keys of the photos that are in the gallery now.
    """
    later = sorted((row for row in rows if row.at >= event.at), key=lambda row: -row.id)
    next_one = min(
        (
            row.at
            for row in later
            if row.what == What.NUMBER and phoenix_day(row.at) > event.on
        ),
        default=None,
    )
    shown = set(present)
    _undo(shown, (row for row in later if next_one is not None and row.at >= next_one))
    new = tuple(sorted(shown))
    _undo(shown, (row for row in later if next_one is None or row.at < next_one))
    return TwoGalleries(old=tuple(sorted(shown)), new=new)


def _undo(shown: set[str], rows: Iterable[NotedChange]) -> None:
    """Make a set of photos what it was before *rows*, the newest of which is first."""
    for row in rows:
        if row.what == What.VERDICT and not row.before:
            shown.discard(row.photo_key)
        elif row.what == What.PRESENT:
            (shown.add if row.before == "true" else shown.discard)(row.photo_key)
