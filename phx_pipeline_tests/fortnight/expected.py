"""What people are to be told of a story, derived from its table alone.

A change is told on the first day on which its source is seen with it.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial

from phx_pipeline.model.address import Address
from phx_pipeline.model.event import Event, EventKind
from phx_pipeline.model.source import Source
from phx_pipeline_tests.fortnight.table import (
    FIRST_DAY,
    OFF,
    SOLD,
    Home,
    Shown,
    Story,
)

SOURCES = (Source.REDFIN, Source.ZILLOW)
_FEWEST_CUT = 5
_KINDS = {OFF: EventKind.OFF_MARKET, "Active": EventKind.BACK_ON_MARKET}

_OF_PHOTOS = {
    EventKind.PHOTOS_ADDED,
    EventKind.PHOTOS_GONE,
    EventKind.PHOTOS_REPLACED,
    EventKind.GALLERY_CUT,
}

Tell = Callable[..., "Told"]
News = tuple[str, ...]
"""A line of a digest: house, kind, what it is now, and the sources that say so."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Told:
    """An event without its moment and key; of photos their number."""

    day: int
    slug: str
    source: str
    kind: str
    before: str = ""
    after: str = ""
    photos: int = 0


def slug_of(home: Home) -> str:
    """The key of a house of the table."""
    return Address.parse(home.address).slug


def told(events: Iterable[Event]) -> list[Told]:
    """Events as they are compared, in order."""
    return sorted(
        Told(
            day=(event.on - FIRST_DAY).days,
            slug=event.slug,
            source=event.source,
            kind=event.kind,
            before=event.before,
            after=event.after,
            photos=len(event.photo_keys),
        )
        for event in events
    )


def to_be_told(story: Story, *, until: int) -> list[Told]:
    """All that there is to tell when the day *until* is over, in order."""
    return sorted(
        one
        for home in story.homes
        for source in SOURCES
        for one in _of_listing(story, home, source, until=until)
    )


def news(story: Story, *, day: int) -> list[News]:
    """What the digest of *day* tells of changes, in order.

    Sources that say the same are one line; of photos each source has its own.
    """
    first: dict[News, Told] = {}
    lines: dict[News, set[str]] = {}
    for it in to_be_told(story, until=day):
        own = (it.source, str(it.day)) if it.kind in _OF_PHOTOS else ()
        what = (it.slug, it.kind, it.after, *own)
        if it.day == first.setdefault(what, it).day:
            lines.setdefault(what, set()).add(it.source)
    return sorted(
        (*what[:3], "+".join(sorted(sources)))
        for what, sources in lines.items()
        if first[what].day == day
    )


def _of_listing(
    story: Story, home: Home, source: Source, *, until: int
) -> Iterator[Told]:
    last: Shown | None = None
    for day in range(until + 1):
        now = story.shown(home, source, day=day)
        if now is None or story.is_silent(source, day=day):
            continue
        if last is not None:
            tell = partial(Told, day=day, slug=slug_of(home), source=source)
            now = _as_read(now, last=last)
            yield from _differences(tell, last, now)
        last = now


def _as_read(now: Shown, *, last: Shown) -> Shown:
    """What is known after a look: pages of what is not offered tell less."""
    if now.status == OFF:  # neither a price nor a gallery
        return replace(last, status=OFF)
    if now.status == SOLD:  # for what it was sold
        return replace(now, price=last.price)
    return now


def _differences(tell: Tell, last: Shown, now: Shown) -> Iterator[Told]:
    if last.price != now.price:
        is_cut = now.price < last.price
        kind = EventKind.PRICE_CUT if is_cut else EventKind.PRICE_RAISED
        yield tell(kind=kind, before=f"${last.price:,}", after=f"${now.price:,}")
    if last.status != now.status:
        kind = _KINDS.get(now.status, EventKind.STATUS)
        yield tell(kind=kind, before=last.status, after=now.status)
    if last.beds != now.beds:
        beds = (str(last.beds), str(now.beds))
        yield tell(kind=EventKind.FACTS, before=beds[0], after=beds[1])
    if swapped := now.swapped - last.swapped:
        yield tell(kind=EventKind.PHOTOS_REPLACED, photos=len(swapped))
    if last.number == now.number:
        yield from _galleries(tell, last, now)
    else:  # all photos are under new keys
        numbers, count = (str(last.number), str(now.number)), len(now.photos)
        kind = EventKind.RELISTED
        yield tell(kind=kind, before=numbers[0], after=numbers[1], photos=count)


def _galleries(tell: Tell, last: Shown, now: Shown) -> Iterator[Told]:
    counts = len(last.photos), len(now.photos)
    before, after = (f"{it} photo{'s' * (it != 1)}" for it in counts)
    came, left = set(now.photos) - set(last.photos), set(last.photos) - set(now.photos)
    is_cut = len(left) >= _FEWEST_CUT and 2 * counts[1] < counts[0]
    gone = EventKind.GALLERY_CUT if is_cut else EventKind.PHOTOS_GONE
    for names, kind in ((came, EventKind.PHOTOS_ADDED), (left, gone)):
        if names:
            yield tell(kind=kind, before=before, after=after, photos=len(names))
