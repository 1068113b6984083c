"""How Redfin is asked for a house: the address search, then the listing page."""

from phx_pipeline.errors import FetchError, GoneError, SourceChangedError
from phx_pipeline.fetch.base import Fetched, Fetcher, Request, RequestKind
from phx_pipeline.model.address import Address
from phx_pipeline.model.listing import Listing
from phx_pipeline.model.outcome import ListingOutcome
from phx_pipeline.model.property import Property
from phx_pipeline.model.source import Source
from phx_pipeline.sources.endings import ended, failed, near_miss
from phx_pipeline.sources.redfin.answers import text_of
from phx_pipeline.sources.redfin.find import (
    Home,
    homes_matching,
    near_addresses,
    search_url,
)
from phx_pipeline.sources.redfin.parse import parse_listing

_ANSWER_BYTES = 1_000_000
_PAGE_BYTES = 8_000_000  # a real page has 3 MB
_ASKED_BY_PAGES = (  # for parts of a home, by themselves
    "/stingray/api/home/details/",
    "/stingray/api/photoTagsAndCaptions",
    "/api/v1/home/details/",
)


async def discover(house: Property, *, fetcher: Fetcher) -> Listing:
    """Find the listing of *house* and return its gallery, or why there is none."""
    try:
        return await _discover(house, fetcher=fetcher)
    except SourceChangedError as error:
        return ended(Source.REDFIN, ListingOutcome.PAGE_CHANGED, str(error))
    except FetchError as error:
        return failed(Source.REDFIN, error)


async def _discover(house: Property, *, fetcher: Fetcher) -> Listing:
    answer = await _search(house.address, fetcher=fetcher)
    homes = homes_matching(answer, house=house)
    if not homes and (near := near_addresses(answer, house=house)):
        return near_miss(Source.REDFIN, house, near)
    if not homes:
        return ended(
            Source.REDFIN,
            ListingOutcome.NOT_FOUND,
            "the address search does not know the house",
        )
    if len(homes) > 1:
        paths = ", ".join(home.path for home in homes)
        return ended(Source.REDFIN, ListingOutcome.AMBIGUOUS, f"several pages: {paths}")
    return await _read_page(homes[0], house=house, fetcher=fetcher)


async def _search(address: Address, *, fetcher: Fetcher) -> Fetched:
    request = Request(
        url=search_url(address),
        source=Source.REDFIN,
        kind=RequestKind.API,
        max_bytes=_ANSWER_BYTES,
    )
    try:
        return await fetcher.get(request)
    except GoneError as error:
        # An unknown address is an empty answer; a 404 means the search has moved.
        raise SourceChangedError("the address search is gone") from error


async def _read_page(home: Home, *, house: Property, fetcher: Fetcher) -> Listing:
    request = Request(
        url=home.url,
        source=Source.REDFIN,
        kind=RequestKind.PAGE,
        max_bytes=_PAGE_BYTES,
        captures=_ASKED_BY_PAGES,
    )
    page = await fetcher.get(request)
    return parse_listing(
        text_of(page), house=house, page_url=page.url, captured=page.captured
    )
