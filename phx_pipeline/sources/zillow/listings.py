"""Zillow's search pages by place and filter: their URLs, and the houses they offer.

What captured pages prove: the names and short names of the filters (`filterDefinitions`
in the page), the parameter `searchQueryState`, a city's path (`/houston-tx/`), and that
the page links the next one. No captured page proves that a ZIP alone in `/homes/…_rb/`,
as addresses are asked for, leads to its region, nor that filters without the region's
number are heeded. So each row is judged by its facts again, whatever the site did.
"""

import json
import re
from dataclasses import replace
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

from phx_pipeline.errors import FetchError, GoneError, SourceChangedError
from phx_pipeline.fetch.base import Fetcher, Request, RequestKind
from phx_pipeline.model.facts import ListingFacts
from phx_pipeline.model.outcome import ListingOutcome
from phx_pipeline.model.search import Criteria, Offer, OfferPage, is_no_sale
from phx_pipeline.model.source import Source
from phx_pipeline.sources.endings import outcome_of, told
from phx_pipeline.sources.json_values import JsonObject, mapping
from phx_pipeline.sources.stated import LONGEST_URL, text
from phx_pipeline.sources.stated_facts import status_word
from phx_pipeline.sources.whose import link_contradicts
from phx_pipeline.sources.zillow.payload import read_page
from phx_pipeline.sources.zillow.search import SITE, Row, rows_of

_PAGE_BYTES = 8_000_000  # a real search page has 1 MB
_FIRST, _LAST = 1, 20  # pages a search has at most, as the captured ones state
_NEXT = re.compile(r"/[\w,./-]*/(?P<page>\d{1,2})_p/", re.ASCII)
_UNDISCLOSED = re.compile(r"\bundisclosed\b", re.IGNORECASE)


def search_url(criteria: Criteria) -> str:
    """Return the URL of the first page about the one place of *criteria*."""
    if criteria.zip_codes:
        path = f"/homes/{criteria.zip_codes[0]}_rb/"
    else:
        words = re.sub(r"[^a-z0-9]+", "-", criteria.cities[0].lower()).strip("-")
        path = f"/{words}-az/"
    return f"{SITE}{path}?{_query(criteria, page=_FIRST)}"


def next_url(search: JsonObject, criteria: Criteria) -> str:
    """Return the URL of the page that this one links as its next; empty if none.

    Captured links of 2021 carry the filters, later ones were seen without any set.
    """
    link = _linked(search)
    if not link or len(link) > LONGEST_URL:
        return ""
    try:
        parts = urlsplit(urljoin(f"{SITE}/", link))
    except ValueError:  # such as brackets that hold no address
        return ""
    found = _NEXT.fullmatch(parts.path)
    if found is None or f"{parts.scheme}://{parts.netloc}" != SITE:
        return ""
    page = int(found["page"])
    if not _FIRST < page <= _LAST:
        return ""
    return f"{SITE}{parts.path}?{_query(criteria, page=page)}"


def offers_in(search: JsonObject) -> tuple[Offer, ...]:
    """Return the houses of a search page, each once.

    Raises:
        SourceChangedError: as `rows_of`.
    """
    rows = {row.zpid: row for row in reversed(rows_of(search))}
    return tuple(_offer(row) for row in reversed(rows.values()))


class ZillowListings:
    """Zillow as a `SearchSource`."""

    async def offers(
        self, criteria: Criteria, *, at: str = "", fetcher: Fetcher
    ) -> OfferPage:
        """Ask for one page; what refuses or cannot be read is its outcome."""
        request = Request(
            url=at or search_url(criteria),
            source=Source.ZILLOW,
            kind=RequestKind.PAGE,
            max_bytes=_PAGE_BYTES,
        )
        try:
            page = read_page(await fetcher.get(request))
            search = mapping(page.search, what="the state of a search page")
            offers = offers_in(search)
        except SourceChangedError as error:
            return OfferPage(outcome=ListingOutcome.PAGE_CHANGED, detail=str(error))
        except GoneError:
            return OfferPage(
                outcome=ListingOutcome.NOT_FOUND, detail="the site has no such place"
            )
        except FetchError as error:
            return OfferPage(outcome=outcome_of(error), detail=told(error))
        return OfferPage(
            outcome=ListingOutcome.LISTED if offers else ListingOutcome.LISTED_EMPTY,
            offers=offers,
            next=next_url(search, criteria),
            is_challenged=page.challenged,
        )


def _query(criteria: Criteria, *, page: int) -> str:
    state = {
        "pagination": {"currentPage": page} if page > _FIRST else {},
        "filterState": _filters(criteria),
        "isListVisible": True,
    }
    packed = json.dumps(state, separators=(",", ":"))
    return f"searchQueryState={quote(packed, safe='')}"


def _filters(criteria: Criteria) -> dict[str, Any]:
    """Return the filters by the short names that the site's own pages define."""
    ranges = {
        "price": (criteria.min_price, criteria.max_price),
        "beds": (criteria.min_beds, None),
        "baths": (criteria.min_baths, None),
        "sqft": (criteria.min_area, criteria.max_area),
        "lot": (criteria.min_lot, None),
        "built": (criteria.min_year, None),
    }
    found: dict[str, Any] = {"sort": {"value": "days"}}  # the newest first
    for name, (least, most) in ranges.items():
        bounds = {"min": least, "max": most}
        if stated := {key: it for key, it in bounds.items() if it is not None}:
            found[name] = stated
    if criteria.pool:
        found["pool"] = {"value": True}
    return found


def _linked(search: JsonObject) -> str:
    category = search.get("cat1")
    listed = category.get("searchList") if isinstance(category, dict) else None
    pagination = listed.get("pagination") if isinstance(listed, dict) else None
    return text(pagination.get("nextUrl")) if isinstance(pagination, dict) else ""


def _offer(row: Row) -> Offer:
    exact = row.exact
    first = exact[0] if exact else None
    is_one = len({it.match_key for it in exact}) == 1
    is_own = first is not None and not link_contradicts(row.link_words, first)
    words = row.told or ("" if _UNDISCLOSED.search(row.link_words) else row.link_words)
    return Offer(
        source=Source.ZILLOW,
        listing_id=row.zpid,
        url=row.url,
        address=first if is_one and is_own else None,
        told="" if row.is_undisclosed else words,
        facts=_facts(row),
        photo_url=row.photos[0].url if row.photos else "",
    )


def _facts(row: Row) -> ListingFacts:
    """Return the facts of a row; of its two states the one that forbids a sale."""
    other = status_word(row.status_type)
    if not is_no_sale(other):
        return row.facts
    return replace(row.facts, standard_status=other)
