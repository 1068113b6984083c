"""What a day's digest says, as plain values: what changed, what is open, what failed.

Sources that say the same have one line together, also if one of them says so days
later. How it reads is decided in `workflows.digest_pages`; nothing here is sent.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from hashlib import sha256
from typing import Final, Protocol

from phx_pipeline.catalog.store import Catalog
from phx_pipeline.model.change import Scope
from phx_pipeline.model.counted import counted
from phx_pipeline.model.event import ALERTABLE, NEW_MATCH, Event, EventKind
from phx_pipeline.model.fact_words import size_words
from phx_pipeline.model.history import needed
from phx_pipeline.model.message import Delivery
from phx_pipeline.model.moments import day_start, phoenix_day
from phx_pipeline.model.printable import printable
from phx_pipeline.model.published import PublishedImage
from phx_pipeline.model.search import Proposal, ProposalState
from phx_pipeline.model.source import Source
from phx_pipeline.reads.base import Reads
from phx_pipeline.reads.drift import drift_lines, drifting
from phx_pipeline.reads.houses_file import file_lines
from phx_pipeline.reads.open_lines import open_lines, why_none_asked
from phx_pipeline.reads.searches import read_proposals
from phx_pipeline.reads.sources import read_sources
from phx_pipeline.reads.tallies import tallies

FOLDED_DAYS: Final = 14  # so long after another source one says nothing new

_DAY: Final = timedelta(days=1)
_PER_SOURCE: Final = frozenset(
    {
        *(EventKind.PHOTOS_ADDED, EventKind.PHOTOS_GONE),
        *(EventKind.PHOTOS_REPLACED, EventKind.GALLERY_CUT),
    }
)
_UNDOES: Final[Mapping[EventKind, EventKind]] = {
    EventKind.PRICE_CUT: EventKind.PRICE_RAISED,
    EventKind.PRICE_RAISED: EventKind.PRICE_CUT,
    EventKind.OFF_MARKET: EventKind.BACK_ON_MARKET,
    EventKind.BACK_ON_MARKET: EventKind.OFF_MARKET,
    EventKind.STATUS: EventKind.STATUS,
    EventKind.FACTS: EventKind.FACTS,
}
# Sources have words of their own for these.
_WHATEVER_WORDS: Final = frozenset({EventKind.OFF_MARKET, EventKind.BACK_ON_MARKET})
_SETTLED_MINUTES: Final = 10
_CALM: Final = frozenset({"closed", "disabled"})  # a circuit


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One change of one house, whoever says so.

    Attributes:
        key: by which nothing is told twice.
        event: as the first source said it.
        sources: all that say so.
        former_keys: those it had as long as its house had another name.
    """

    key: str
    event: Event
    sources: tuple[Source, ...]
    former_keys: tuple[str, ...] = ()

    def is_among(self, keys: Collection[str]) -> bool:
        """Whether *keys* name it, by what name ever."""
        return any(key in keys for key in (self.key, *self.former_keys))


@dataclass(frozen=True, slots=True, kw_only=True)
class NewMatch:
    """A house that fits a saved search; that one may have it `is_followed` by now.

    `size` tells its beds, baths and area in words, as far as its row does.
    """

    key: str
    on: date
    address: str
    search: str
    source: Source
    price: int | None = None
    size: str = ""
    url: str | None = None
    is_followed: bool = False


class Events(Protocol):
    """Yields what changed from one day to another, both included, in any order."""

    def __call__(
        self, *, since: date, until: date, kinds: Collection[EventKind] = ()
    ) -> Iterable[Event]:
        """Of all kinds, if none is named."""
        ...


Matches = Callable[[date, date], Iterable[NewMatch]]
"""What searches found first on these days."""


Names = Callable[[str], Collection[str]]
"""The keys that a house had before, by the one it has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Feeds:
    """Where a digest has its news from, and `former` names of its houses."""

    events: Events
    matches: Matches
    former: Names = lambda _: ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldHouse:
    """A house of which something is told; `picture` is what people know it by."""

    slug: str
    address: str
    price: int | None
    urls: Mapping[Source, str]
    picture: PublishedImage | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockedSource:
    """A group of hosts that is not asked as usual."""

    name: str
    word: str
    why: str
    next_try_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedRun:
    """A run that failed for a house."""

    slug: str
    at: datetime
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """All that is told of the days from `since` to `day`.

    `open`, `drift` and `undelivered` are lines for people.
    """

    since: date
    day: date
    told: tuple[Told, ...] = ()
    matches: tuple[NewMatch, ...] = ()
    houses: Mapping[str, ToldHouse] = field(default_factory=dict)
    open: tuple[str, ...] = ()
    blocked: tuple[BlockedSource, ...] = ()
    failures: tuple[FailedRun, ...] = ()
    drift: tuple[str, ...] = ()
    undelivered: tuple[str, ...] = ()

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of all news."""
        return (*(it.key for it in self.told), *(it.key for it in self.matches))

    def of_kinds(self, *kinds: EventKind) -> list[Told]:
        """The changes of some kinds."""
        return [it for it in self.told if it.event.kind in kinds]


def read_digest(  # noqa: PLR0913 - each narrows what is told
    reads: Reads,
    feeds: Feeds,
    *,
    since: date,
    day: date,
    failed_from: datetime | None = None,
    failed_until: datetime | None = None,
    leaving_out: Collection[str] = (),
    only: Collection[str] | None = None,
    sending: str = "",
) -> Digest:
    """Collect what is told of some days.

    Args:
        reads: the catalogue.
        feeds: what tells changes and new matches.
        since: the first day in Phoenix, and
        day: the last one.
        failed_from: failures of runs are told from this moment on, and
        failed_until: before this one; by default those of the days.
        leaving_out: keys of what was told before.
        only: keys of what is to be told again, and nothing else.
        sending: the key of a digest that is on its way by all channels.
    """
    news = read_news(feeds, since=since, day=day)
    if only is not None:
        news = news.among(set(only))
    news = news.without(leaving_out)
    return Digest(
        since=since,
        day=day,
        told=news.told,
        matches=news.matches,
        houses=told_houses(reads, news.told),
        open=tuple(_open(reads)),
        blocked=_blocked(reads),
        failures=_failures(
            reads,
            since=failed_from or day_start(since),
            until=failed_until or day_start(day + _DAY),
        ),
        drift=tuple(drift_lines(drifting(reads.catalog, today=reads.today))),
        undelivered=tuple(_undelivered(reads, but=sending)),
    )


def _open(reads: Reads) -> Iterator[str]:
    """Yield what is left to do; that nobody is asked is told also where nothing is."""
    counts = tallies(reads)
    yield from file_lines(reads)
    if counts and (told := why_none_asked(reads)):
        yield told
    yield from open_lines(reads, counts)


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What is new of some days, by day, house and kind."""

    told: tuple[Told, ...]
    matches: tuple[NewMatch, ...]

    @property
    def keys(self) -> list[str]:
        """All keys."""
        return [*(it.key for it in self.told), *(it.key for it in self.matches)]

    @property
    def all_keys(self) -> list[str]:
        """All keys, and those that things had under other names of their houses."""
        return [*self.keys, *(key for it in self.told for key in it.former_keys)]

    def among(self, keys: Collection[str]) -> "News":
        """Only what has one of *keys*."""
        return News(
            told=tuple(it for it in self.told if it.is_among(keys)),
            matches=tuple(it for it in self.matches if it.key in keys),
        )

    def without(self, keys: Collection[str]) -> "News":
        """Only what has none of *keys*."""
        return News(
            told=tuple(it for it in self.told if not it.is_among(keys)),
            matches=tuple(it for it in self.matches if it.key not in keys),
        )


def read_news(
    feeds: Feeds, *, since: date, day: date, kinds: Collection[str] = ALERTABLE
) -> News:
    """Return what is new of the days from *since* to *day*, each thing once."""
    wanted = [kind for kind in EventKind if kind.value in kinds]
    events: Iterable[Event] = ()
    if wanted:
        first = since - FOLDED_DAYS * _DAY
        events = feeds.events(since=first, until=day, kinds=wanted)
    found = feeds.matches(since, day) if NEW_MATCH in kinds else ()
    told = [
        _with_former_keys(it, feeds.former)
        for it in fold(events)
        if since <= it.event.on <= day
    ]
    matches = {it.key: it for it in found}
    return News(
        told=tuple(sorted(told, key=_by_day)),
        matches=tuple(sorted(matches.values(), key=lambda it: (it.on, it.address))),
    )


def news_mark(catalog: Catalog, kinds: Collection[str], *, now: datetime) -> str:
    """Return what is another text once there may be news of *kinds*; cheap to ask.

    Each minute it is another one for a while after a change: what is written in a long
    transaction is seen later than it is dated.
    """
    wanted = [kind for kind in EventKind if kind.value in kinds]
    found = ""
    if NEW_MATCH in kinds:
        today = phoenix_day(now)
        found = f"{catalog.searches.count_since(today - _DAY)} found, "
    if not wanted:
        return found or "off"
    scope = Scope(what=needed(wanted))
    newest = catalog.told.newest_before(now + _DAY, scope)
    if newest is None:
        return f"{found}none"
    minutes = min(_SETTLED_MINUTES, (now - newest) // timedelta(minutes=1))
    return f"{found}{newest.isoformat()} {minutes}"


def found_matches(reads: Reads, since: date, day: date) -> Iterator[NewMatch]:
    """Yield what saved searches found first on some days, and nobody decided on.

    What was followed by itself is news, too, as long as it is followed.
    """
    cursor: str | None = None
    while True:
        page = read_proposals(reads, since=since, cursor=cursor)
        for proposal in page.rows:
            if proposal.first_seen_on <= day and _is_news(reads, proposal):
                yield _match_of(proposal)
        if (cursor := page.next) is None:
            return


def _is_news(reads: Reads, proposal: Proposal) -> bool:
    if proposal.state is not ProposalState.ACCEPTED:
        return proposal.state is ProposalState.PROPOSED
    house = reads.catalog.houses.find(proposal.slug or "")
    return proposal.by_itself and house is not None and house.removed_at is None


def _match_of(proposal: Proposal) -> NewMatch:
    return NewMatch(
        key=f"{NEW_MATCH}:{proposal.match_key}",
        on=proposal.first_seen_on,
        address=str(proposal.address),
        search=proposal.search,
        source=proposal.source,
        price=proposal.facts.list_price,
        size=size_words(proposal.facts),
        url=proposal.url,
        is_followed=proposal.state is ProposalState.ACCEPTED,
    )


def fold(events: Iterable[Event]) -> list[Told]:
    """Return changes that several sources tell as one, the oldest first.

    A source that says the same again, after it said something else, tells a new one. So
    does any source once the change was undone.
    """
    folded: list[Told] = []
    last: dict[tuple[str, ...], int] = {}
    for event in sorted(events, key=lambda it: (it.at, it.key)):
        what = _what(event)
        at = last.get(what)
        if at is not None and _is_the_same(folded[at], event):
            sources = (*folded[at].sources, event.source)
            folded[at] = replace(folded[at], sources=sources)
            continue
        if kind := _UNDOES.get(event.kind):
            undone = _what(replace(event, kind=kind, after=event.before))
            if undone in last and _is_undone(folded[last[undone]].event, event):
                del last[undone]
        last[what] = len(folded)
        key = _key(event, what)
        folded.append(Told(key=key, event=event, sources=(event.source,)))
    return folded


def _is_undone(change: Event, event: Event) -> bool:
    return change.kind in _WHATEVER_WORDS or change.before == event.after


def _is_the_same(told: Told, event: Event) -> bool:
    is_near = event.on - told.event.on <= FOLDED_DAYS * _DAY
    return is_near and event.source not in told.sources


def _what(event: Event) -> tuple[str, ...]:
    """What is said, in the words in which other sources say the same."""
    if event.kind in _PER_SOURCE:
        return event.slug, event.kind, event.source, event.on.isoformat()
    words = () if event.kind in _WHATEVER_WORDS else (event.fact, event.after)
    return event.slug, event.kind, *words


def _key(event: Event, what: Sequence[str]) -> str:
    words = sha256("\n".join(what).encode()).hexdigest()[:12]
    return f"{event.kind}:{event.slug}:{event.on}:{words}"


def _with_former_keys(told: Told, former: Names) -> Told:
    """What was noted under another name of the house is known again."""
    events = [replace(told.event, slug=it) for it in sorted(former(told.event.slug))]
    keys = tuple(_key(event, _what(event)) for event in events)
    return replace(told, former_keys=keys) if keys else told


def _by_day(told: Told) -> tuple[object, ...]:
    event = told.event
    return event.on, event.slug, list(EventKind).index(event.kind), told.key


def told_houses(reads: Reads, told: Iterable[Told]) -> dict[str, ToldHouse]:
    """Return what is known of the houses of *told*; those followed no more are not."""
    slugs = dict.fromkeys(it.event.slug for it in told)
    found = (_house(reads, slug) for slug in slugs)
    return {house.slug: house for house in found if house is not None}


def _house(reads: Reads, slug: str) -> ToldHouse | None:
    known = reads.catalog.houses.find(slug)
    if known is None or known.removed_at is not None:
        return None
    newest = reads.catalog.facts.newest(slug).values()
    said = sorted(newest, key=lambda it: it.seen_on, reverse=True)
    prices = [it.facts.list_price for it in said if it.facts.list_price is not None]
    return ToldHouse(
        slug=slug,
        address=str(known.house.address),
        price=prices[0] if prices else None,
        urls=reads.catalog.facts.listing_urls(slug),
        picture=_picture(reads, slug),
    )


def _picture(reads: Reads, slug: str) -> PublishedImage | None:
    """The front of the house where there is one, else any view from outside."""
    shown = list(reads.catalog.published_images(slug))
    for wanted in ("_ext_front_", "_ext_"):
        for image in shown:
            if wanted in image.local_path.rpartition("/")[2]:
                return image
    return shown[0] if shown else None


def _blocked(reads: Reads) -> tuple[BlockedSource, ...]:
    seen = read_sources(reads).rows
    asked = set(reads.enabled)
    rows = (it.circuit for it in seen if it.name.partition("/")[0] in asked)
    return tuple(
        BlockedSource(
            name=it.name,
            word=it.word,
            why=printable(it.state.block or ""),
            next_try_s=it.next_try_s,
        )
        for it in rows
        if it.word not in _CALM
    )


def _failures(
    reads: Reads, *, since: datetime, until: datetime
) -> tuple[FailedRun, ...]:
    found = reads.catalog.runs.failed(since=since, until=until)
    return tuple(
        FailedRun(slug=it.slug, at=it.ended_at, error=printable(it.error))
        for it in found
        if it.ended_at is not None
    )


def _undelivered(reads: Reads, *, but: str) -> Iterable[str]:
    """What could not be told before, and why; a message has one line."""
    rows = reads.catalog.deliveries.open()
    failing = {
        (it.channel, it.message): it for it in rows if it.detail and it.key != but
    }
    return map(undelivered_line, failing.values())


def undelivered_line(delivery: Delivery) -> str:
    """One line for people about a message that was not taken."""
    whom = f" to {', '.join(delivery.recipients)}" if delivery.recipients else ""
    tries = counted(delivery.tries, "try")
    return (
        f"{delivery.channel}: {delivery.what} not sent{whom} after {tries}: "
        f"{printable(delivery.detail)}"
    )
