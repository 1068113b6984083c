"""A listing page the user saved in a browser, read as if the source had sent it.

The same recognition of challenges, the same check of the address, the same outcomes;
nothing is asked of the site for it.
"""

import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from phx_pipeline.errors import InputError, SourceChangedError
from phx_pipeline.fetch.base import Fetched
from phx_pipeline.fetch.challenge import ChallengeKind, recognise
from phx_pipeline.model.address import Address
from phx_pipeline.model.job import Mode
from phx_pipeline.model.listing import Listing
from phx_pipeline.model.moments import moment
from phx_pipeline.model.outcome import ListingOutcome
from phx_pipeline.model.property import Property
from phx_pipeline.model.source import Source
from phx_pipeline.sources.border import begun, read, surprised
from phx_pipeline.sources.endings import ended
from phx_pipeline.sources.head import own_urls
from phx_pipeline.sources.redfin.answers import text_of
from phx_pipeline.sources.redfin.parse import page_address as redfin_address
from phx_pipeline.sources.redfin.parse import parse_listing
from phx_pipeline.sources.registry import available_sources
from phx_pipeline.sources.zillow.detail import page_address as zillow_address
from phx_pipeline.sources.zillow.detail import parse_detail
from phx_pipeline.sources.zillow.payload import read_page
from phx_pipeline.sources.zillow.search import zpid_in
from phx_pipeline.stages.categorize import categorize
from phx_pipeline.stages.collect import collect
from phx_pipeline.stages.context import StageContext
from phx_pipeline.stages.dedupe import dedupe
from phx_pipeline.stages.guard import guard
from phx_pipeline.stages.partners import call_on, call_on_partners, converge
from phx_pipeline.stages.publish import publish
from phx_pipeline.stages.runs import recorded

logger = logging.getLogger(__name__)

MAX_BYTES: Final = 25_000_000


class OlderPageError(InputError):
    """A saved page is no news: the source has shown the whole gallery since."""


_TAKEN = frozenset(
    {ListingOutcome.LISTED, ListingOutcome.LISTED_EMPTY, ListingOutcome.OFF_MARKET}
)
_START = 20_000  # bytes by which a file is told from a page
_OTHER_FILES = (
    (re.compile(rb"%PDF-"), "a PDF"),
    (re.compile(rb"bplist"), "a Safari web archive"),
    (re.compile(rb"PK\x03\x04|\x1f\x8b"), "a packed file"),
    (re.compile(rb"\x89PNG|\xff\xd8\xff|GIF8|RIFF"), "a picture that holds no text"),
    (
        re.compile(
            rb"(?:.*\n)??content-type:\s*multipart/related", re.IGNORECASE | re.DOTALL
        ),
        "a web archive",
    ),
    (
        re.compile(
            rb".*?(?:\)view-source:|<body id=\"viewsource\"|class=\"line-content\")",
            re.DOTALL,
        ),
        "what `view-source` shows",
    ),
)
_WIDE = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}


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
        OlderPageError: the source has shown the whole gallery since it was saved.
    """
    house = context.house(slug)
    page, source = _opened(path, source=source)
    listing = read_saved(page, house=house, source=source)
    logger.info("%s %s: %s", slug, source.value, listing.outcome.value)
    if not is_taken(listing):
        return listing
    with context.holding(slug) as lease:
        stamp = context.stamp()
        saved_at = _saved_at(path, now=stamp.at)
        _refuse_older(context, slug, path, source=source, saved_at=saved_at)
        listing = begun(listing, today=stamp.today)
        context.catalog.record_listing(
            lease, slug, listing, stamp=stamp, shown_at=saved_at
        )
        context.catalog.views.want()  # one shows when a house was last looked at
        held = guard(context, lease, slug)
    if held:
        converge(context, slug)
    call_on_partners(context, slug)
    return listing


def _refuse_older(
    context: StageContext, slug: str, path: Path, *, source: Source, saved_at: datetime
) -> None:
    """Refuse a page that is no news: photos added since would seem to be gone."""
    shown_at = context.catalog.facts.gallery_shown_at(slug, source)
    if shown_at is not None and saved_at < shown_at:
        raise OlderPageError(
            f"{path} was saved {moment(saved_at.timestamp())}, before {source.value} "
            f"showed the gallery that is known ({moment(shown_at.timestamp())}): "
            "nothing was taken; if the page is newer, `touch` the file"
        )


def _saved_at(path: Path, *, now: datetime) -> datetime:
    """When a file was written, as far as its file system tells what can be true."""
    at_s = min(max(path.stat().st_mtime, 0.0), now.timestamp())
    return datetime.fromtimestamp(at_s, UTC)


def is_taken(listing: Listing) -> bool:
    """Whether the listing of a saved page is recorded."""
    return listing.outcome in _TAKEN


async def take_photos(context: StageContext, slug: str) -> None:
    """Do the rest for a property without asking any source for its listing."""
    with recorded(context, slug, mode=Mode.RESUME):
        await collect(context, slug)
        call_on(context, dedupe(context, slug).to_settle)
        categorize(context, slug)
        publish(context, slug, ends_run=True)


def read_saved(page: Fetched, *, house: Property, source: Source) -> Listing:
    """Return what a saved page says about *house*; never raises."""
    challenge = recognise(page)
    if challenge is not None and not challenge.over_payload:
        told = f"the saved page is a challenge: {challenge.reason}"
        return ended(source, ListingOutcome.BLOCKED, told)
    listing = read(available_sources()[source], lambda: _READERS[source](page, house))
    if listing.outcome is ListingOutcome.PAGE_CHANGED:
        told = f"not a listing page of {source.value} that we can read: "
        return ended(source, listing.outcome, told + listing.detail)
    return listing


def _redfin(page: Fetched, house: Property) -> Listing:
    return parse_listing(text_of(page), house=house, page_url=page.url)


def _zillow(page: Fetched, house: Property) -> Listing:
    opened = read_page(page)
    if opened.cache is None:
        raise SourceChangedError("no details of a house in it")
    return parse_detail(opened, house=house, zpid=zpid_in(page.url))


_READERS: Mapping[Source, Callable[[Fetched, Property], Listing]] = {
    Source.REDFIN: _redfin,
    Source.ZILLOW: _zillow,
}


def house_of(
    context: StageContext, path: Path, *, source: Source | None = None
) -> Property:
    """Return the followed house that a saved page is about, as the page itself says.

    Raises:
        InputError: the file cannot be read, says nothing of a house, or is of one that
            is not followed.
    """
    page, source = _opened(path, source=source)
    _refuse_challenge(path, page)
    try:
        address = _ADDRESSES[source](page)
    except Exception as error:
        told = surprised(source, error).detail
        raise InputError(f"{path} does not say which house it is of: {told}") from error
    known = context.catalog.houses.find_address(address)
    if known is None:
        raise InputError(
            f"{path} is of {address}, which is not followed: "
            f'`phx properties add "{address}"` follows it'
        )
    return context.house(known.house.slug)


def _redfin_address(page: Fetched) -> Address:
    return redfin_address(text_of(page), page_url=page.url)


def _zillow_address(page: Fetched) -> Address:
    return zillow_address(read_page(page), zpid=zpid_in(page.url))


_ADDRESSES: Mapping[Source, Callable[[Fetched], Address]] = {
    Source.REDFIN: _redfin_address,
    Source.ZILLOW: _zillow_address,
}


def _opened(path: Path, *, source: Source | None) -> tuple[Fetched, Source]:
    body = _body(path)
    urls = own_urls(body)
    url = next((url for url in urls if _source_at(url)), next(iter(urls), ""))
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
    page = Fetched(url=url, status=200, headers={}, body=body)
    whose = source or said
    if whose is None:
        # A challenge seldom says whose it is; any file may be an empty page.
        nobodys = replace(page, url="")
        _refuse_challenge(path, nobodys, unless=ChallengeKind.SOFT_BLOCK)
        raise InputError(
            f"{path} does not say whose page it is: give --source "
            f"({' or '.join(_READERS)})"
        )
    return page, whose


def _refuse_challenge(
    path: Path, page: Fetched, *, unless: ChallengeKind | None = None
) -> None:
    challenge = recognise(page)
    if challenge is None or challenge.kind is unless:
        return
    if not challenge.over_payload:
        raise InputError(f"{path} is a challenge, no listing: {challenge.reason}")


def _body(path: Path) -> bytes:
    try:
        with path.open("rb") as file:  # a device tells no size
            body = file.read(MAX_BYTES + 1)
    except FileNotFoundError as error:
        raise InputError(f"there is no file {path}: check the name") from error
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error
    if len(body) > MAX_BYTES:
        raise InputError(f"{path} is larger than {MAX_BYTES:,} bytes: not a page")
    for pattern, what in _OTHER_FILES:
        if pattern.match(body[:_START].lstrip()):
            raise InputError(
                f'{path} is {what}: save the page again as "Webpage, HTML only"'
            )
    if wide := _WIDE.get(body[:2]):
        body = body.decode(wide, errors="replace").encode(errors="replace")
    if b"\0" in body[:_START] or not body.strip():
        raise InputError(f"{path} is not a saved page: it holds no text")
    return body


def _source_at(url: str) -> Source | None:
    try:
        host = urlsplit(url).hostname
    except ValueError:
        return None
    for source, adapter in available_sources().items():
        if host in adapter.page_hosts and source in _READERS:
            return source
    return None
