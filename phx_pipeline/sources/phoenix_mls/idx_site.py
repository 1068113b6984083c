"""The public site of the Phoenix MLS: what is asked, and how each ending is told.

Two requests per house: the address search and the listing's page; one more for each
further listing that may be the current one.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Final

from phx_pipeline.errors import FetchError, GoneError, SourceChangedError
from phx_pipeline.fetch.base import Fetched, Fetcher, Request, RequestKind
from phx_pipeline.model.address import Match
from phx_pipeline.model.listing import Listing
from phx_pipeline.model.outcome import ListingOutcome
from phx_pipeline.model.property import Property
from phx_pipeline.model.source import Source
from phx_pipeline.sources.endings import ended, failed, near_miss
from phx_pipeline.sources.phoenix_mls.idx_listing import Reading, parse_listing
from phx_pipeline.sources.phoenix_mls.idx_markup import PAGE_BYTES
from phx_pipeline.sources.phoenix_mls.idx_search import (
    ROWS_OF_A_PAGE,
    Row,
    numbers_of,
    parse_results,
    search_url,
)

_MOST_PAGES: Final = 4  # of results
_MOST_LISTINGS: Final = 4  # of a house, whose pages are read to tell the current one


async def discover(house: Property, *, fetcher: Fetcher) -> Listing:
    """Find the listing of *house* and return its gallery, or why there is none."""
    try:
        return await _discover(house, fetcher=fetcher)
    except SourceChangedError as error:
        return _ended(ListingOutcome.PAGE_CHANGED, str(error))
    except FetchError as error:
        return failed(Source.PHOENIX_MLS, error)


async def _discover(house: Property, *, fetcher: Fetcher) -> Listing:
    rows, left = await _search(house, fetcher=fetcher)
    same = [row for row in rows if row.match(house) is Match.SAME]
    near = [row for row in rows if row.match(house) is Match.NEAR]
    if not same and near:
        return near_miss(
            Source.PHOENIX_MLS, house, [own for row in near for own in row.addresses]
        )
    if not same and left:
        told = f"{left} more listings of the street line were not looked at"
        return _ended(ListingOutcome.AMBIGUOUS, told)
    if not same:
        told = "the address search does not know the house"
        return _ended(ListingOutcome.NOT_FOUND, told)
    candidates = [row for row in same if not row.has_ended] or same
    if len(candidates) > _MOST_LISTINGS:
        told = f"several listings: MLS {numbers_of(candidates)}"
        return _ended(ListingOutcome.AMBIGUOUS, told)
    readings = [await _read(row, house=house, fetcher=fetcher) for row in candidates]
    return _chosen(readings, candidates)


def _chosen(readings: Sequence[Reading], rows: Sequence[Row]) -> Listing:
    """Return the current listing; of those that have ended the one of the last day.

    A house may be offered for sale and for rent at once: the sale counts.
    """
    offered = [it for it in readings if it.is_current]
    current = [it for it in offered if not it.for_rent] or offered
    if len(current) > 1:
        told = f"several current listings: MLS {numbers_of(rows)}"
        return _ended(ListingOutcome.AMBIGUOUS, told)
    if len(current) == 1 or len(readings) == 1:
        return (current or readings)[0].listing
    unread = [it for it in readings if it.listing.outcome is not _OFF_MARKET]
    if unread:
        return unread[0].listing
    days = sorted(readings, key=_day, reverse=True)
    if _day(days[0]) > _day(days[1]):
        return days[0].listing
    told = f"all listings have ended, and none is the last: MLS {numbers_of(rows)}"
    return _ended(_OFF_MARKET, told)


_OFF_MARKET: Final = ListingOutcome.OFF_MARKET


def _day(reading: Reading) -> date:
    return reading.last_day or date.min


async def _search(house: Property, *, fetcher: Fetcher) -> tuple[list[Row], int]:
    """Return the listings of the street line, and how many more there are."""
    rows: dict[str, Row] = {}
    matches = 0
    for page in range(1, _MOST_PAGES + 1):
        answer = await _open(search_url(house.address, page=page), fetcher=fetcher)
        found = parse_results(answer)
        matches = max(matches, found.matches)
        rows |= {row.number.lower(): row for row in found.rows}
        if page * ROWS_OF_A_PAGE >= matches:
            break
    return list(rows.values()), max(0, matches - len(rows))


async def _read(row: Row, *, house: Property, fetcher: Fetcher) -> Reading:
    try:
        page = await _open(row.url, fetcher=fetcher)
    except GoneError:
        told = f"the page of MLS {row.number} is gone"
        return Reading(listing=_ended(_OFF_MARKET, told, url=row.url))
    reading = parse_listing(page, house=house, stated=row.stated)
    listing = replace(reading.listing, challenged=bool(page.challenge))
    if listing.mls_id and listing.mls_id.lower() != row.number.lower():
        raise SourceChangedError(
            f"the page of MLS {row.number} is that of MLS {listing.mls_id}"
        )
    return replace(reading, listing=listing)


async def _open(url: str, *, fetcher: Fetcher) -> Fetched:
    request = Request(
        url=url,
        source=Source.PHOENIX_MLS,
        kind=RequestKind.PAGE,
        max_bytes=PAGE_BYTES,
    )
    return await fetcher.get(request)


def _ended(outcome: ListingOutcome, told: str, *, url: str | None = None) -> Listing:
    return ended(Source.PHOENIX_MLS, outcome, told, url=url)
