"""How Zillow is asked for a house: its address, and the page that a search links."""

from dataclasses import replace

from phx_pipeline.errors import (
    BlockedError,
    FetchError,
    GoneError,
    SourceChangedError,
)
from phx_pipeline.fetch.base import Fetcher, Request, RequestKind
from phx_pipeline.model.counted import counted
from phx_pipeline.model.listing import Listing
from phx_pipeline.model.outcome import ListingOutcome
from phx_pipeline.model.property import Property
from phx_pipeline.model.source import Source
from phx_pipeline.sources.endings import (
    ended,
    failed,
    near_miss,
    told,
    with_way_on,
)
from phx_pipeline.sources.json_values import JsonObject
from phx_pipeline.sources.zillow.detail import parse_detail
from phx_pipeline.sources.zillow.payload import Page, read_page
from phx_pipeline.sources.zillow.search import (
    Row,
    near_addresses,
    rows_matching,
    search_url,
    zpid_in,
)

_PAGE_BYTES = 8_000_000  # a real search page has 1 MB
_ASKED_BY_PAGES = ("/graphql", "/zg-graph")  # for parts of a home, by themselves


async def discover(house: Property, *, fetcher: Fetcher) -> Listing:
    """Find the listing of *house* and return its gallery, or why there is none."""
    try:
        return await _discover(house, fetcher=fetcher)
    except SourceChangedError as error:
        return ended(Source.ZILLOW, ListingOutcome.PAGE_CHANGED, str(error))
    except FetchError as error:
        return failed(Source.ZILLOW, error)


async def _discover(house: Property, *, fetcher: Fetcher) -> Listing:
    try:
        page = await _open(search_url(house.address), fetcher=fetcher)
    except GoneError as error:
        # An unknown address is a search page without it; a 404 means it has moved.
        raise SourceChangedError("the address search is gone") from error
    if page.cache is not None:
        return _marked(
            parse_detail(page, house=house, zpid=zpid_in(page.url)), page=page
        )
    if page.search is None:
        raise SourceChangedError("neither a listing nor a search page")
    return await _follow(page.search, page=page, house=house, fetcher=fetcher)


async def _follow(
    search: JsonObject, *, page: Page, house: Property, fetcher: Fetcher
) -> Listing:
    rows = rows_matching(search, house=house)
    if not rows and (near := near_addresses(search, house=house)):
        return _marked(near_miss(Source.ZILLOW, house, near), page=page)
    if not rows:
        answer = ended(
            Source.ZILLOW,
            ListingOutcome.NOT_FOUND,
            "the address search does not know the house",
        )
        return _marked(answer, page=page)
    if len(rows) > 1:
        paths = ", ".join(row.path for row in rows)
        answer = ended(
            Source.ZILLOW, ListingOutcome.AMBIGUOUS, f"several pages: {paths}"
        )
        return _marked(answer, page=page)
    if page.challenged:  # a second request would be answered with a block
        told = "a challenge lies over the search page"
        return _marked(_from_row(rows[0], refused=told), page=page)
    return await _read_detail(rows[0], house=house, fetcher=fetcher)


async def _read_detail(row: Row, *, house: Property, fetcher: Fetcher) -> Listing:
    try:
        page = await _open(row.url, fetcher=fetcher, browser_first=True)
    except BlockedError as error:
        return _from_row(row, refused=told(error))
    if page.cache is None:
        raise SourceChangedError("the detail page holds no listing")
    return _marked(parse_detail(page, house=house, zpid=row.zpid), page=page)


async def _open(url: str, *, fetcher: Fetcher, browser_first: bool = False) -> Page:
    request = Request(
        url=url,
        source=Source.ZILLOW,
        kind=RequestKind.PAGE,
        max_bytes=_PAGE_BYTES,
        browser_first=browser_first,
        captures=_ASKED_BY_PAGES,
    )
    return read_page(await fetcher.get(request))


def _from_row(row: Row, *, refused: str) -> Listing:
    """Return the gallery of a search page, where it is known to be all of it."""
    count = len(row.photo_keys)
    if not row.has_whole_gallery:
        unstated = "an unstated number of photos"
        all_ = unstated if row.stated is None else counted(row.stated, "photo")
        shown = f"the search page shows {count} of {all_}"
        detail = with_way_on(f"{refused}; {shown}")
        answer = ended(Source.ZILLOW, ListingOutcome.BLOCKED, detail, url=row.url)
        return _of_row(row, replace(answer, facts=row.facts))
    ended_as = ListingOutcome.OFF_MARKET if row.is_off_market else ListingOutcome.LISTED
    answer = Listing(
        source=Source.ZILLOW,
        outcome=ended_as,
        detail=_one_line(
            f"the search page shows {counted(count, 'photo')}, all there are; "
            f"detail page: {refused}"
        ),
        listing_id=row.zpid,
        url=row.url,
        photos=row.photos,
        complete=ended_as.saw_gallery,
        facts=row.facts,
    )
    return _of_row(row, answer)


def _of_row(row: Row, answer: Listing) -> Listing:
    """Return *answer* with what is counted of its page."""
    return replace(
        answer,
        page_kind="search row",
        stated_photos=row.stated,
        also_read={**row.also_read, "row photos": bool(row.photo_keys)},
    )


def _marked(listing: Listing, *, page: Page) -> Listing:
    return replace(listing, challenged=page.challenged)


def _one_line(text: str) -> str:
    return " ".join(text.split())
