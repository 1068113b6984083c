"""A digest in sections of lines, each with its house, in an order people read.

Texts are those of the catalogue and of sites, as they are: whoever writes a format
escapes them. Links are only those that a source may be asked at.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from phx_pipeline.errors import HostRefusedError
from phx_pipeline.fetch.hosts import AllowList
from phx_pipeline.model.counted import counted
from phx_pipeline.model.event import EventKind
from phx_pipeline.model.event_words import event_words
from phx_pipeline.model.moments import moment
from phx_pipeline.model.printable import printable
from phx_pipeline.model.source import Source
from phx_pipeline.reads.digest import Digest, NewMatch, Told, ToldHouse

_MOST_LINES: Final = 60  # of a section
_TITLES: Final = (
    ("Price cuts", (EventKind.PRICE_CUT,)),
    ("Back on the market", (EventKind.BACK_ON_MARKET,)),
    ("Relisted", (EventKind.RELISTED,)),
    ("Off the market", (EventKind.OFF_MARKET,)),
    ("Status and price", (EventKind.STATUS, EventKind.PRICE_RAISED)),
    (
        "Photos",
        (
            *(EventKind.PHOTOS_ADDED, EventKind.PHOTOS_GONE),
            *(EventKind.PHOTOS_REPLACED, EventKind.GALLERY_CUT),
        ),
    ),
    ("Facts", (EventKind.FACTS,)),
)
_MATCHES_AFTER: Final = "Back on the market"
_COUNTED: Final = {
    "Price cuts": "price cut",
    "Back on the market": "house back on the market",
    "New matches": "new match",
    "Off the market": "house off the market",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line, of a house or of none: `address`, linked to *url* if it has one."""

    text: str
    address: str = ""
    url: str | None = None
    slug: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """Lines under a title, and how many more there are."""

    title: str
    lines: tuple[Line, ...]
    left_out: int = 0


def sections(digest: Digest, *, known: AllowList) -> list[Section]:
    """Return the sections that have anything to tell; *known* hosts may be linked."""
    parts = [
        *_news(digest, known=known),
        _section("Open", [Line(text=it) for it in digest.open]),
        _section("Sources that rest", [Line(text=it) for it in _blocked(digest)]),
        _section("Runs that failed", list(_failed(digest))),
        _section("Fields that are gone", [Line(text=it) for it in digest.drift]),
        _section("Messages not sent", [Line(text=it) for it in digest.undelivered]),
    ]
    return [it for it in parts if it.lines]


def subject(digest: Digest) -> str:
    """Return one line: the day, and what is new of most interest."""
    counts = {title: len(digest.of_kinds(*kinds)) for title, kinds in _TITLES}
    counts["New matches"] = len(digest.matches)
    told = [counted(counts[it], what) for it, what in _COUNTED.items() if counts[it]]
    rest = sum(counts.values()) - sum(counts[it] for it in _COUNTED)
    if rest:
        told.append(counted(rest, "other change" if told else "change"))
    days = digest.day.isoformat()
    if digest.since != digest.day:
        days = f"{digest.since} to {days}"
    return f"phx {days}: {', '.join(told) or 'nothing changed'}"


def address_url(house: ToldHouse, *, source: Source, known: AllowList) -> str | None:
    """Return where *source* shows a house, else any other one; None if nowhere."""
    order = [source, *(it for it in house.urls if it is not source)]
    links = (_link(house.urls.get(it), source=it, known=known) for it in order)
    return next((it for it in links if it), None)


def _link(url: str | None, *, source: Source, known: AllowList) -> str | None:
    if not url or not url.isascii() or printable(url, most=2_000) != url:
        return None
    try:
        known.check(url, source=source)
    except HostRefusedError:
        return None
    return url


def _news(digest: Digest, *, known: AllowList) -> Iterator[Section]:
    for title, kinds in _TITLES:
        told = [_told(it, digest, known) for it in digest.of_kinds(*kinds)]
        yield _section(title, told)
        if title == _MATCHES_AFTER:
            yield _section("New matches", [_match(it, known) for it in digest.matches])


def _section(title: str, lines: Sequence[Line]) -> Section:
    left_out = max(0, len(lines) - _MOST_LINES)
    return Section(title=title, lines=tuple(lines[:_MOST_LINES]), left_out=left_out)


def _told(told: Told, digest: Digest, known: AllowList) -> Line:
    event = told.event
    house = digest.houses.get(event.slug)
    text = f"{event_words(event)} ({', '.join(told.sources)})"
    if event.on != digest.day:
        text += f", on {event.on}"
    if house is None:
        return Line(text=text, address=event.slug)
    url = address_url(house, source=event.source, known=known)
    return Line(text=text, address=house.address, url=url, slug=house.slug)


def _match(match: NewMatch, known: AllowList) -> Line:
    price = f"${match.price:,}" if match.price is not None else "no price"
    price += f", {match.size}" if match.size else ""
    followed = ", followed by now" if match.is_followed else ""
    return Line(
        text=f"{price}, fits {match.search} ({match.source}){followed}",
        address=match.address,
        url=_link(match.url, source=match.source, known=known),
    )


def _blocked(digest: Digest) -> Iterator[str]:
    for it in digest.blocked:
        when = f", tried again {moment(it.next_try_s)}" if it.next_try_s else ""
        yield f"{it.name} is {it.word}{it.why and f': {it.why}'}{when}"


def _failed(digest: Digest) -> Iterator[Line]:
    for it in digest.failures:
        when = moment(it.at.timestamp())
        yield Line(text=f"{when}: {it.error or 'no reason was noted'}", address=it.slug)
