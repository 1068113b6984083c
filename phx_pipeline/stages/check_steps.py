"""What a check of a source tells, step by step: pure, over what was seen.

Live or replayed, the same is told. Nothing is asked here.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from urllib.parse import urlsplit

from phx_pipeline.errors import (
    BlockedError,
    BrowserError,
    CircuitOpenError,
    FetchError,
    HostRefusedError,
    NoWayError,
    ProxyError,
    RateLimitedError,
    SourceDisabledError,
)
from phx_pipeline.fetch.base import ClientName, Fetched, RequestKind
from phx_pipeline.fetch.page_parts import HoldsData, Page, page_text
from phx_pipeline.fetch.recording import Exchange
from phx_pipeline.fetch.trace import WireEvent, WireStep
from phx_pipeline.model.counted import counted
from phx_pipeline.model.fact_words import LABELS
from phx_pipeline.model.listing import Listing
from phx_pipeline.model.outcome import ListingOutcome
from phx_pipeline.model.printable import printable
from phx_pipeline.stages.reading import PhotoSeen, Reading

_SOON: Final = timedelta(days=14)  # a certificate's end
_LONGEST_STEP: Final = 1000
_LONGEST_SHOWN: Final = 100  # characters of a path


class State(StrEnum):
    """How a step ended."""

    OK = "ok"
    WARN = "warn"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step: what was found, and what to do where something is wrong."""

    name: str
    state: State
    told: str
    remedy: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """All that a check has seen; `photo` is None where none was asked for."""

    exchanges: tuple[Exchange, ...]
    listing: Listing
    at: datetime
    photo: PhotoSeen | None
    holds_data: HoldsData


def steps_of(seen: Seen) -> Iterator[Step]:
    """Yield the steps in the order in which they were come to, each in one line."""
    for step in _steps(seen):
        yield replace(step, told=printable(step.told, most=_LONGEST_STEP))


def _steps(seen: Seen) -> Iterator[Step]:
    pages = [it for it in seen.exchanges if it.kind is not RequestKind.PHOTO]
    photos = [it for it in seen.exchanges if it.kind is RequestKind.PHOTO]
    known: set[tuple[str, str]] = set()
    for exchange in pages:
        yield from _on_the_wire(exchange, known, at=seen.at)
    if any(_came(it) for it in pages):
        yield _kind(pages, seen)
    yield from _house(seen.listing)
    yield _outcome(seen.listing, told_before=_causes(pages))
    if _was_read(seen.listing):
        yield from _read(seen.listing)
    for exchange in photos:
        yield from _on_the_wire(exchange, known, at=seen.at)
    if seen.photo is not None:
        yield _photo(seen.photo)


# --- on the wire ----------------------------------------------------------------------

_BY_BROWSER: Final = "the browser did it, and tells nothing of the certificate"
_NO_TLS: Final = (
    "look whether this machine's clock is right, whether PHX_CA_FILE is the file it "
    "should be, and whether something between ends TLS (a firewall, a virus scanner)"
)
_AT_FAULT: Final[Mapping[type[FetchError], tuple[str, str]]] = {
    NoWayError: (
        "name",
        "look whether this machine is online and its DNS answers",
    ),
    ProxyError: ("proxy", "`phx proxies` tells which rest; look at PHX_PROXY"),
    BrowserError: ("browser", "`phx browser check` tells what it lacks"),
    HostRefusedError: (
        "name",
        "something between answers for the site, such as a log-in of the network",
    ),
}


def _on_the_wire(
    exchange: Exchange, known: set[tuple[str, str]], *, at: datetime
) -> Iterator[Step]:
    """Yield the steps of one exchange; what is *known* of a host is told once."""
    for event in exchange.events:
        key = (event.step.value, event.host)
        if event.step is WireStep.ANSWER:
            if event.client == ClientName.BROWSER and (key[1], "tls") not in known:
                known.add((key[1], "tls"))
                yield _ok("tls", f"{event.host}: {_BY_BROWSER}")
            yield _answer(exchange, event)
        elif key not in known:
            known.add(key)
            yield _name(event) if event.step is WireStep.NAME else _tls(event, at=at)
    if exchange.error is not None:
        key = ("fault", str(exchange.error))
        if key not in known:
            known.add(key)
            yield from _fault(exchange, exchange.error)


def _name(event: WireEvent) -> Step:
    if event.is_proxied:
        return _ok("name", f"{event.host}: resolved by the proxy")
    return _ok("name", f"{event.host}: {counted(event.addresses, 'address')}")


def _tls(event: WireEvent, *, at: datetime) -> Step:
    through = ", through the proxy" if event.is_proxied else ""
    if event.fault or event.certificate is None:
        told = f"{event.host}: {event.fault or 'no certificate'}{through}"
        return Step(name="tls", state=State.FAILED, told=told, remedy=_NO_TLS)
    names, until = event.certificate.names, event.certificate.until
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    first = min(names, key=lambda name: not _is_for(event.host, name), default="")
    whose = f"certificate of {first}{more}" if names else "a certificate"
    ends_soon = until - at < _SOON
    return Step(
        name="tls",
        state=State.WARN if ends_soon else State.OK,
        told=f"{event.host}: {whose}, until {until:%Y-%m-%d}{through}",
        remedy="look at this machine's clock: sites renew theirs in time"
        if ends_soon
        else "",
    )


def _is_for(host: str, name: str) -> bool:
    """Whether a certificate's *name* is that of *host*; `*.` stands for one label."""
    is_any = name.startswith("*.") and host.partition(".")[2] == name[2:]
    return name == host or is_any


def _answer(exchange: Exchange, event: WireEvent) -> Step:
    is_good = 200 <= event.status < 400  # noqa: PLR2004 - HTTP's own classes
    size = f"{event.size_bytes:,} bytes"
    told = f"{_shown(exchange)}: {event.status}, {size}, by {event.client}"
    return Step(name="answer", state=State.OK if is_good else State.WARN, told=told)


def _fault(exchange: Exchange, error: FetchError) -> Iterator[Step]:
    """Yield the step at which an exchange ended, unless it is told already."""
    if any(event.fault for event in exchange.events):
        return
    if isinstance(error, BlockedError):
        return  # told by the kind of the page
    name, remedy = next(
        (told for kind, told in _AT_FAULT.items() if isinstance(error, kind)),
        ("answer", "try again later, as runs do"),
    )
    if _was_not_sent(error):
        name, remedy = "asked", "wait until `phx sources` says ready"
    told = f"{_shown(exchange)}: {printable(str(error))}"
    yield Step(name=name, state=State.FAILED, told=told, remedy=remedy)


def _was_not_sent(error: FetchError) -> bool:
    is_ours = isinstance(error, RateLimitedError) and error.status is None
    return is_ours or isinstance(error, CircuitOpenError | SourceDisabledError)


def _shown(exchange: Exchange) -> str:
    try:
        parts = urlsplit(exchange.url)
    except ValueError:  # such as brackets that hold no address
        return printable(exchange.url, most=_LONGEST_SHOWN)
    return f"{parts.hostname}{printable(parts.path, most=_LONGEST_SHOWN)}"


# --- what came ------------------------------------------------------------------------


def _came(page: Exchange) -> bool:
    """Whether there is something to tell of what came: an answer, or a refusal."""
    return page.answer is not None or isinstance(page.error, BlockedError)


def _causes(pages: list[Exchange]) -> frozenset[str]:
    """Why pages did not come, as the steps before have told it: see `_fault`."""
    told = (it for it in pages if not any(event.fault for event in it.events))
    return frozenset(
        printable(str(it.error)) for it in told if it.error and not _came(it)
    )


def _kind(pages: list[Exchange], seen: Seen) -> Step:
    """Tell what kinds of answers came; the last one is the one that was read."""
    kinds = [_kind_of(it, seen, is_last=it is pages[-1]) for it in pages]
    refused = any(isinstance(page.error, BlockedError) for page in pages)
    under = any(page.answer and page.answer.challenge for page in pages)
    state = State.FAILED if refused else State.WARN if under else State.OK
    remedy = ""
    if refused or under:
        remedy = "`phx sources` tells until when it rests; ask nothing meanwhile"
    return Step(name="page", state=state, told=", then ".join(kinds), remedy=remedy)


def _kind_of(page: Exchange, seen: Seen, *, is_last: bool) -> str:
    if page.answer is None:
        error = page.error
        if isinstance(error, BlockedError) and error.challenge:
            return f"challenge ({printable(str(error))})"
        if isinstance(error, BlockedError):
            return f"refusal ({error.status})"
        return "no answer, nothing to read"
    read_as = seen.listing.page_kind or "listing"
    what = read_as if is_last and _was_read(seen.listing) else "search"
    if is_last and seen.listing.outcome is ListingOutcome.PAGE_CHANGED:
        what = "changed"
    under = f", under a challenge ({page.answer.challenge})"
    shape = _shape(page.answer, seen.holds_data)
    return f"{what} ({shape}){under if page.answer.challenge else ''}"


def _shape(answer: Fetched, holds_data: HoldsData) -> str:
    text = page_text(answer.body)
    if not text:
        return "empty"
    if text.startswith(("{", "[")):
        return "JSON"
    with_data = Page.of(text).carries_data(holds_data)
    return "page with the site's data" if with_data else "page"


_WAYS_ON: Final[Mapping[ListingOutcome, tuple[State, str]]] = {
    ListingOutcome.LISTED: (State.OK, ""),
    ListingOutcome.LISTED_EMPTY: (State.WARN, "try a house that has photos there"),
    ListingOutcome.OFF_MARKET: (State.WARN, "try a house that is for sale"),
    ListingOutcome.NOT_FOUND: (
        State.WARN,
        "try another house by --house, one that you see on the site",
    ),
    ListingOutcome.AMBIGUOUS: (State.WARN, "confirm which it is, or try another house"),
    ListingOutcome.WRONG_PROPERTY: (State.FAILED, "look at the page yourself"),
    ListingOutcome.PAGE_CHANGED: (
        State.FAILED,
        "its reader must be changed: the bundle holds the page that it is to read",
    ),
    ListingOutcome.BLOCKED: (
        State.FAILED,
        "wait, and ask less; `phx ingest` takes a page you save in your own browser",
    ),
    ListingOutcome.RATE_LIMITED: (State.FAILED, "wait until `phx sources` says ready"),
    ListingOutcome.CIRCUIT_OPEN: (State.FAILED, "wait until `phx sources` says ready"),
    ListingOutcome.DISABLED: (State.WARN, ""),
    ListingOutcome.FAILED: (State.FAILED, "the first step that failed tells why"),
}


def _house(listing: Listing) -> Iterator[Step]:
    match listing.outcome:
        case ListingOutcome.WRONG_PROPERTY:
            told = printable(listing.detail) or "another house's"
            remedy = "nothing of it is taken; try another house by --house"
            yield Step(name="house", state=State.FAILED, told=told, remedy=remedy)
        case ListingOutcome.AMBIGUOUS:
            told = "not told apart from others"
            yield Step(name="house", state=State.WARN, told=told)
        case outcome if outcome in _OF_THE_HOUSE:
            yield _ok("house", f"the right one, {listing.url or 'without a URL'}")


_OF_THE_HOUSE: Final = frozenset(
    {
        ListingOutcome.LISTED,
        ListingOutcome.LISTED_EMPTY,
        ListingOutcome.OFF_MARKET,
    }
)


def _outcome(listing: Listing, *, told_before: frozenset[str]) -> Step:
    state, remedy = _WAYS_ON[listing.outcome]
    if "`phx " in listing.detail:  # a remedy that fits better
        remedy = ""
    why = printable(listing.detail, most=_LONGEST_STEP)
    for cause in told_before:
        why = why.replace(cause, "as told above")
    told = f"{listing.outcome.value}, {why}" if why else listing.outcome.value
    return Step(name="outcome", state=state, told=told, remedy=remedy)


# --- what was read --------------------------------------------------------------------


def _was_read(listing: Listing) -> bool:
    return listing.outcome in _OF_THE_HOUSE or listing.facts is not None


def _read(listing: Listing) -> Iterator[Step]:
    reading = Reading.of(listing)
    yield _facts(reading)
    if listing.outcome is not ListingOutcome.DISABLED:
        yield _photos(listing)
    if listing.photos:
        yield _captions(reading, photos=len(listing.photos))


def _facts(reading: Reading) -> Step:
    read = [LABELS.get(name, name) for name in reading.facts]
    missing = [label for name, label in LABELS.items() if name not in reading.facts]
    told = f"{len(read)} of {len(read) + len(missing)}: {', '.join(read) or 'none'}"
    if missing:
        told += f"; missing: {', '.join(missing)}"
    if reading.valuations:
        told += f"; and {counted(reading.valuations, 'value')} by tax year"
    remedy = "" if read else "a listing states some: its page may have changed"
    return Step(
        name="facts", state=State.OK if read else State.WARN, told=told, remedy=remedy
    )


def _photos(listing: Listing) -> Step:
    read, stated = len(listing.photos), listing.stated_photos
    of = "an unstated number" if stated is None else f"{stated:,} stated"
    if listing.complete:
        return _ok("photos", f"{read} of {of}, the whole gallery")
    is_seen = listing.outcome.saw_gallery
    remedy = "photos that it lacks stay as they are; look at the page yourself"
    return Step(
        name="photos",
        state=State.WARN,
        told=f"{read} of {of}, not the whole gallery",
        remedy=remedy if is_seen else "",
    )


def _captions(reading: Reading, *, photos: int) -> Step:
    told = f"{reading.captions} of {photos} with a caption, {reading.tags} with tags"
    state = State.OK if reading.captions or reading.tags else State.WARN
    remedy = "" if state is State.OK else "what its photos show stays unknown"
    return Step(name="captions", state=state, told=told, remedy=remedy)


def _photo(photo: PhotoSeen) -> Step:
    if photo.fault:
        return Step(
            name="photo",
            state=State.FAILED,
            told=photo.fault,
            remedy="open its URL in your own browser; `phx sources` tells whether the "
            "photo host rests",
        )
    came = "inside the answer" if photo.is_inline else "from the photo host"
    size = f"{photo.width} x {photo.height}, {photo.size_bytes:,} bytes"
    return _ok("photo", f"{size}, {came}")


def _ok(name: str, told: str) -> Step:
    return Step(name=name, state=State.OK, told=told)
