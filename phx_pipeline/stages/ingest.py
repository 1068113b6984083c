"""A listing page the user saved in a browser, read as if the source had sent it.

The same recognition of challenges, the same check of the address, the same outcomes;
nothing is asked of the site for it.
"""

import html
import logging
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from phx_pipeline.errors import InputError, SourceChangedError
from phx_pipeline.fetch.base import Fetched
from phx_pipeline.fetch.challenge import recognise
from phx_pipeline.model.address import Address
from phx_pipeline.model.job import Mode
from phx_pipeline.model.listing import Listing
from phx_pipeline.model.outcome import ListingOutcome
from phx_pipeline.model.source import Source
from phx_pipeline.sources.border import read
from phx_pipeline.sources.endings import ended
from phx_pipeline.sources.redfin.answers import text_of
from phx_pipeline.sources.redfin.parse import names_another as redfin_names_another
from phx_pipeline.sources.redfin.parse import parse_listing
from phx_pipeline.sources.registry import available_sources
from phx_pipeline.sources.stated import LONGEST_URL
from phx_pipeline.sources.zillow.detail import names_another as zillow_names_another
from phx_pipeline.sources.zillow.detail import parse_detail
from phx_pipeline.sources.zillow.payload import read_page
from phx_pipeline.sources.zillow.search import zpid_in
from phx_pipeline.stages.categorize import categorize
from phx_pipeline.stages.collect import collect
from phx_pipeline.stages.context import StageContext
from phx_pipeline.stages.dedupe import dedupe
from phx_pipeline.stages.guard import guard
from phx_pipeline.stages.publish import publish
from phx_pipeline.stages.quarantine import follow_up
from phx_pipeline.stages.runs import recorded

logger = logging.getLogger(__name__)

MAX_BYTES: Final = 25_000_000

_TAKEN = frozenset(
    {ListingOutcome.LISTED, ListingOutcome.LISTED_EMPTY, ListingOutcome.OFF_MARKET}
)
_START = 20_000  # bytes by which a file is told from a page
_LONGEST_HEAD = 4_000_000  # characters; pages saved with their styles have large heads
_SAVED_FROM = re.compile(r"<!--\s*saved from url=\(\d+\)(?P<url>https://[^\s>]+)")
# What ends the head, and what in it is no markup of the page's own.
_STEP = re.compile(
    r"(?P<end></head\b|<body\b)|<!--|<(?P<name>style|script|noscript|svg|title)\b",
    re.IGNORECASE,
)
_URL = r"=\s*[\"']?(?P<url>https://[^\"'<>\s]+)"
_TAGGED_URLS = (
    re.compile(
        rf"<link\b(?=[^<>]*\brel\s*=\s*[\"']?canonical\b)[^<>]*\bhref\s*{_URL}",
        re.IGNORECASE,
    ),
    re.compile(
        rf"<meta\b(?=[^<>]*\bproperty\s*=\s*[\"']?og:url\b)[^<>]*\bcontent\s*{_URL}",
        re.IGNORECASE,
    ),
)


def ingest(
    context: StageContext, slug: str, path: Path, *, source: Source | None = None
) -> Listing:
    """Read a saved page and record its listing, if it is one of the property.

    A refusal, a changed page and the page of another house are returned as outcomes and
    change nothing in the catalogue.

    Args:
        context: of the command.
        slug: the property the page should be about.
        path: the file.
        source: whose page it is; by default what the page itself says.

    Raises:
        InputError: the file cannot be read, or nobody says whose page it is.
    """
    house = context.house(slug)
    page, source = _opened(path, source=source)
    listing = read_saved(page, address=house.address, source=source)
    logger.info("%s %s: %s", slug, source.value, listing.outcome.value)
    if not is_taken(listing):
        return listing
    with context.holding(slug) as lease:
        stamp = context.stamp()
        context.catalog.record_listing(lease, slug, listing, stamp=stamp)
        held = guard(context, lease, slug)
    follow_up(context, slug, held=held)
    return listing


def is_taken(listing: Listing) -> bool:
    """Whether the listing of a saved page is recorded."""
    return listing.outcome in _TAKEN


async def take_photos(context: StageContext, slug: str) -> None:
    """Do the rest for a property without asking any source for its listing."""
    with recorded(context, slug, mode=Mode.RESUME):
        await collect(context, slug)
        dedupe(context, slug)
        categorize(context, slug)
        publish(context, slug, ends_run=True)


def read_saved(page: Fetched, *, address: Address, source: Source) -> Listing:
    """Return what a saved page says about the house at *address*; never raises."""
    challenge = recognise(page)
    if challenge is not None and not challenge.over_payload:
        told = f"the saved page is a challenge: {challenge.reason}"
        return ended(source, ListingOutcome.BLOCKED, told)
    reader = _READERS[source]
    listing = read(
        available_sources()[source], lambda: reader.parse(page, address=address)
    )
    if listing.outcome is ListingOutcome.PAGE_CHANGED:
        told = f"not a listing page of {source.value} that we can read: "
        return ended(source, listing.outcome, told + listing.detail)
    others = [url for url in _own_urls(page.body) if reader.is_other(url, address)]
    if others and is_taken(listing):
        told = f"the page says that it is {others[0]}"
        return ended(source, ListingOutcome.WRONG_PROPERTY, told)
    # A challenge in the user's own browser says nothing about our asking.
    return replace(listing, challenged=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reader:
    """How a source's page is read, and whether a link of it names another house."""

    parse: Callable[..., Listing]
    is_other: Callable[[str, Address], bool]


def _redfin(page: Fetched, *, address: Address) -> Listing:
    return parse_listing(text_of(page), address=address, page_url=page.url)


def _zillow(page: Fetched, *, address: Address) -> Listing:
    opened = read_page(page)
    if opened.cache is None:
        raise SourceChangedError("no details of a house in it")
    return parse_detail(opened, address=address, zpid=zpid_in(page.url))


_READERS: Mapping[Source, _Reader] = {
    Source.REDFIN: _Reader(parse=_redfin, is_other=redfin_names_another),
    Source.ZILLOW: _Reader(parse=_zillow, is_other=zillow_names_another),
}


def _opened(path: Path, *, source: Source | None) -> tuple[Fetched, Source]:
    body = _body(path)
    url = next(iter(_own_urls(body)), "")
    said = _source_at(url)
    if source is not None and source not in _READERS:
        raise InputError(
            f"saved pages of {source.value} cannot be read: "
            f"choose from {', '.join(_READERS)}"
        )
    if source is not None and said is not None and said is not source:
        raise InputError(
            f"{path} is a page of {said.value} ({url}), not of {source.value}"
        )
    whose = source or said
    if whose is None:
        raise InputError(
            f"{path} does not say whose page it is: give --source "
            f"({' or '.join(_READERS)})"
        )
    return Fetched(url=url, status=200, headers={}, body=body), whose


def _body(path: Path) -> bytes:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise InputError(f"{path} is larger than {MAX_BYTES:,} bytes: not a page")
        body = path.read_bytes()
    except FileNotFoundError as error:
        raise InputError(f"there is no file {path}: check the name") from error
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error
    if b"\0" in body[:_START] or not body.strip():
        raise InputError(f"{path} is not a saved page: it holds no text")
    if b"\nContent-Type: multipart/related" in body[:_START].replace(b"\r", b""):
        raise InputError(
            f'{path} is a web archive: save the page again as "Webpage, HTML only"'
        )
    return body


def _own_urls(body: bytes) -> list[str]:
    """Return what a page says its address is: where it was saved, its own links.

    Only the head is read, without what is no markup: the body, and scripts, may name
    other pages in the same words.
    """
    text = body[:_LONGEST_HEAD].decode("utf-8", errors="replace")
    head = " ".join(_markup_of_head(text))
    found = [_SAVED_FROM.search(text[:_START])]
    found += [pattern.search(head) for pattern in _TAGGED_URLS]
    return [html.unescape(match["url"])[:LONGEST_URL] for match in found if match]


def _markup_of_head(text: str) -> Iterator[str]:
    lower, at = text.lower(), 0
    while step := _STEP.search(text, at):
        yield text[at : step.start()]
        name = step["name"]
        close = f"</{name.lower()}" if name else "-->"
        at = lower.find(close, step.end())
        if step["end"] or at < 0:
            return
    yield text[at:]


def _source_at(url: str) -> Source | None:
    try:
        host = urlsplit(url).hostname
    except ValueError:
        return None
    for source, adapter in available_sources().items():
        if host in adapter.page_hosts and source in _READERS:
            return source
    return None
