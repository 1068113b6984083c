"""A listing page the user saved in a browser, read as if the source had sent it.

The same recognition of challenges, the same check of the address, the same outcomes;
nothing is asked of the site for it.
"""

import logging
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from phx_pipeline.errors import InputError
from phx_pipeline.fetch.base import Fetched
from phx_pipeline.fetch.challenge import recognise
from phx_pipeline.fetch.page_parts import HoldsData
from phx_pipeline.fetch.signs import ChallengeKind
from phx_pipeline.model.job import Mode
from phx_pipeline.model.listing import Listing
from phx_pipeline.model.moments import moment
from phx_pipeline.model.outcome import ListingOutcome
from phx_pipeline.model.property import Property
from phx_pipeline.model.source import Source
from phx_pipeline.sources.base import ListingSource
from phx_pipeline.sources.border import begun, surprised
from phx_pipeline.sources.endings import ended
from phx_pipeline.sources.head import own_urls
from phx_pipeline.sources.registry import data_of
from phx_pipeline.stages.categorize import categorize
from phx_pipeline.stages.collect import collect
from phx_pipeline.stages.context import StageContext
from phx_pipeline.stages.dedupe import dedupe
from phx_pipeline.stages.guard import guard
from phx_pipeline.stages.inline import keep_inline
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
    page, whose = _opened(path, source=source, among=context.registered)
    source = whose.source
    listing = read_saved(page, house=house, source=whose)
    logger.info("%s %s: %s", slug, source.value, listing.outcome.value)
    if not is_taken(listing):
        return listing
    with context.holding(slug) as lease:
        stamp = context.stamp()
        saved_at = _saved_at(path, now=stamp.at)
        _refuse_older(context, slug, path, source=source, saved_at=saved_at)
        listing = begun(listing, today=stamp.today)
        keep_inline(context.blobs, listing)
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


def read_saved(page: Fetched, *, house: Property, source: ListingSource) -> Listing:
    """Return what a saved page says about *house*; never raises."""
    challenge = recognise(page, holds_data=source.holds_data)
    if challenge is not None and not challenge.over_payload:
        told = f"the saved page is a challenge: {challenge.reason}"
        return ended(source.source, ListingOutcome.BLOCKED, told)
    listing = source.read_saved(page, house=house)
    if listing.outcome is ListingOutcome.PAGE_CHANGED:
        told = f"not a listing page of {source.source.value} that we can read: "
        return ended(source.source, listing.outcome, told + listing.detail)
    return listing


def house_of(
    context: StageContext, path: Path, *, source: Source | None = None
) -> Property:
    """Return the followed house that a saved page is about, as the page itself says.

    Raises:
        InputError: the file cannot be read, says nothing of a house, or is of one that
            is not followed.
    """
    page, whose = _opened(path, source=source, among=context.registered)
    _refuse_challenge(path, page, holds_data=whose.holds_data)
    try:
        address = whose.address_of(page)
    except Exception as error:
        told = surprised(whose.source, error).detail
        raise InputError(f"{path} does not say which house it is of: {told}") from error
    known = context.catalog.houses.find_address(address)
    if known is None:
        raise InputError(
            f"{path} is of {address}, which is not followed: "
            f'`phx properties add "{address}"` follows it'
        )
    return context.house(known.house.slug)


def _opened(
    path: Path, *, source: Source | None, among: Mapping[Source, ListingSource]
) -> tuple[Fetched, ListingSource]:
    read = {name: each for name, each in among.items() if each.urls}
    body = _body(path)
    urls = own_urls(body)
    url = next((url for url in urls if _source_at(url, read)), next(iter(urls), ""))
    said = _source_at(url, read)
    if source is not None and source not in read:
        raise InputError(
            f"saved pages of {source.value} cannot be read: "
            f"choose from {', '.join(read)}"
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
        kind, holds_data = ChallengeKind.SOFT_BLOCK, data_of(among)
        _refuse_challenge(path, nobodys, holds_data=holds_data, unless=kind)
        raise InputError(
            f"{path} does not say whose page it is: give --source ({' or '.join(read)})"
        )
    return page, read[whose]


def _refuse_challenge(
    path: Path,
    page: Fetched,
    *,
    holds_data: HoldsData,
    unless: ChallengeKind | None = None,
) -> None:
    challenge = recognise(page, holds_data=holds_data)
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


def _source_at(url: str, among: Mapping[Source, ListingSource]) -> Source | None:
    try:
        host = urlsplit(url).hostname
    except ValueError:
        return None
    found = (name for name, each in among.items() if host in each.page_hosts)
    return next(found, None)
