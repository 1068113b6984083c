"""Redfin's search pages by place and filter: their URLs, and the houses they offer.

What captured pages prove: a city's path with its filters
(`/city/9361/CA/Irvine/filter/max-price=750k,max-beds=3,min-baths=2`), and that such a
page embeds one answer of `/stingray/api/gis` with all its homes, up to `num_homes=350`,
whatever the page itself lists. No captured page proves the path of a ZIP
(`/zipcode/85306`), the row by which the address search names a city, nor filters other
than these three. So only filters of that grammar are sent, and each row is judged by
its facts again. Rows state no pool.
"""

import re
from collections.abc import Iterator
from math import ceil, floor
from typing import Any, Final
from urllib.parse import quote, urlencode

from phx_pipeline.errors import FetchError, GoneError, SourceChangedError
from phx_pipeline.fetch.base import Fetched, Fetcher, Request, RequestKind
from phx_pipeline.model.address import Address
from phx_pipeline.model.facts import ListingFacts
from phx_pipeline.model.outcome import ListingOutcome
from phx_pipeline.model.search import Criteria, Offer, OfferPage
from phx_pipeline.model.source import Source
from phx_pipeline.sources.endings import outcome_of, told
from phx_pipeline.sources.json_values import JsonObject, objects
from phx_pipeline.sources.redfin.answers import (
    EmbeddedAnswers,
    decode_answer,
    payload_of,
    text_of,
)
from phx_pipeline.sources.redfin.find import SITE, path_address
from phx_pipeline.sources.stated import identifier, mls_number, number, rounded, text
from phx_pipeline.sources.stated_facts import price, square_feet, status_word, year
from phx_pipeline.sources.whose import contradicts, readable

_PAGE_BYTES = 8_000_000  # a real search page has 1 MB
_ANSWER_BYTES = 1_000_000
_MOST_HOMES: Final = 350  # of one answer, as the captured URL asks for
_LONGEST = 160
_CITY = re.compile(r"/city/\d{1,9}/AZ/(?P<name>[A-Za-z-]{1,60})", re.ASCII)
_PAGE = re.compile(r"/[A-Z]{2}/[\w./'%-]+/home/\d{1,12}", re.ASCII)
_THOUSAND = 1000


def zip_url(criteria: Criteria) -> str:
    """Return the URL of the page about the ZIP of *criteria*."""
    return f"{SITE}/zipcode/{criteria.zip_codes[0]}{_filters(criteria)}"


def city_search_url(city: str) -> str:
    """Return the URL that asks which page is about a city of Arizona."""
    query = {"location": f"{city}, AZ", "start": "0", "count": "10", "v": "2"}
    encoded = urlencode(query, quote_via=quote)
    return f"{SITE}/stingray/do/location-autocomplete?{encoded}"


def city_path(answer: str, *, city: str) -> str | None:
    """Return the path of a city's page that the address search names; None if none.

    Raises:
        SourceChangedError: the answer has another shape.
    """
    payload = payload_of(decode_answer(answer, what="the search"), what="the search")
    wanted = re.sub(r"[^a-z]+", "-", city.lower())
    for row in _rows(payload):
        found = _CITY.fullmatch(text(row.get("url")))
        if found and found["name"].lower() == wanted:
            return found[0]
    return None


def offers_in(page: str) -> tuple[Offer, ...]:
    """Return the houses of a search page, or of an answer of its own, each once.

    Raises:
        SourceChangedError: no list of homes, or none of them has an id and a page.
    """
    homes = _homes(page)
    found = [offer for home in homes if (offer := _offer(home))]
    if homes and not found:
        raise SourceChangedError("no home of the search has a page")
    once = {offer.listing_id: offer for offer in reversed(found)}
    return tuple(reversed(once.values()))


class RedfinListings:
    """Redfin as a `SearchSource`: one page has all the houses of a place.

    A city costs one request more: its page has a number, which the address search
    tells.
    """

    async def offers(
        self, criteria: Criteria, *, at: str = "", fetcher: Fetcher
    ) -> OfferPage:
        """Ask for the page; what refuses or cannot be read is its outcome."""
        try:
            url = at or await _page_url(criteria, fetcher=fetcher)
            if url is None:
                return _unknown(criteria)
            page = await _get(url, RequestKind.PAGE, _PAGE_BYTES, fetcher=fetcher)
            offers = offers_in(text_of(page))
        except SourceChangedError as error:
            return OfferPage(outcome=ListingOutcome.PAGE_CHANGED, detail=str(error))
        except GoneError:
            return _unknown(criteria)
        except FetchError as error:
            return OfferPage(outcome=outcome_of(error), detail=told(error))
        is_full = len(offers) >= _MOST_HOMES
        return OfferPage(
            outcome=ListingOutcome.LISTED if offers else ListingOutcome.LISTED_EMPTY,
            offers=offers,
            detail=f"only the first {len(offers)}: narrow the search" * is_full,
            is_challenged=bool(page.challenge),
        )


async def _page_url(criteria: Criteria, *, fetcher: Fetcher) -> str | None:
    if criteria.zip_codes:
        return zip_url(criteria)
    (city,) = criteria.cities
    url = city_search_url(city)
    answer = await _get(url, RequestKind.API, _ANSWER_BYTES, fetcher=fetcher)
    path = city_path(text_of(answer), city=city)
    return f"{SITE}{path}{_filters(criteria)}" if path else None


async def _get(url: str, kind: RequestKind, most: int, *, fetcher: Fetcher) -> Fetched:
    request = Request(url=url, source=Source.REDFIN, kind=kind, max_bytes=most)
    return await fetcher.get(request)


def _unknown(criteria: Criteria) -> OfferPage:
    remedy = "" if criteria.zip_codes else ": name its ZIP codes instead"
    detail = f"the site has no page of {criteria.place}{remedy}"
    return OfferPage(outcome=ListingOutcome.NOT_FOUND, detail=detail)


def _filters(criteria: Criteria) -> str:
    """Return the part of a path that filters; prices are rounded outwards."""
    least, most = criteria.min_price, criteria.max_price
    found = {
        "min-price": f"{floor(least / _THOUSAND)}k" if least else "",
        "max-price": f"{ceil(most / _THOUSAND)}k" if most else "",
        "min-beds": _whole(criteria.min_beds),
        "min-baths": _whole(criteria.min_baths),
    }
    told = [f"{name}={value}" for name, value in found.items() if value]
    return f"/filter/{','.join(told)}" if told else ""


def _whole(least: float | None) -> str:
    return str(floor(least)) if least and least >= 1 else ""


def _rows(payload: JsonObject) -> Iterator[dict[str, Any]]:
    for section in objects(payload.get("sections")):
        yield from objects(section.get("rows"))


def _homes(page: str) -> list[dict[str, Any]]:
    is_page = page.lstrip().startswith("<")
    payload = EmbeddedAnswers(page).payload("gis") if is_page else _answered(page)
    homes = payload.get("homes") if payload is not None else None
    if not isinstance(homes, list):
        raise SourceChangedError("the search page has no list of homes")
    return list(objects(homes))


def _answered(page: str) -> JsonObject:
    return payload_of(decode_answer(page, what="gis"), what="gis")


def _offer(home: dict[str, Any]) -> Offer | None:
    """Return the house of a row; None for one without id or page of its own.

    Plans of builders have pages too, whose paths name no street: they have no address.
    """
    path = text(home.get("url"))
    listing_id = identifier(home.get("listingId"))
    if not _PAGE.fullmatch(path) or not listing_id:
        return None
    line = text(home.get("streetLine"))
    return Offer(
        source=Source.REDFIN,
        listing_id=listing_id,
        url=SITE + path,
        address=_address(home, line=line, path=path),
        told=line[:_LONGEST],
        facts=row_facts(home),
    )


def _address(home: dict[str, Any], *, line: str, path: str) -> Address | None:
    """Return the fuller of what the row states and the path of its page names.

    Rows leave units and suffixes out, paths do so with directions. None if the two are
    not of one house.
    """
    zip_code = text(home.get("zip")) or text(home.get("postalCode"))
    city, state = text(home.get("city")), text(home.get("state"))
    stated = readable(f"{line}, {city}, {state} {zip_code}")
    named = path_address(path)
    if stated is None or named is None or not contradicts(stated, named):
        return stated
    return None if contradicts(named, stated) else named


def row_facts(home: dict[str, Any]) -> ListingFacts:
    """Return the facts of a row; its agents, brokers and remarks are not read."""
    return ListingFacts(
        list_price=price(home.get("price")),
        bedrooms_total=number(home.get("beds")),
        bathrooms_total=number(home.get("baths")),
        living_area=square_feet(home.get("sqFt"), unit="sqft"),
        lot_size_square_feet=square_feet(home.get("lotSize"), unit="sqft"),
        year_built=year(home.get("yearBuilt")),
        days_on_market=rounded(home.get("dom")),
        standard_status=status_word(home.get("mlsStatus")),
        mls_number=mls_number(home.get("mlsId")),
    )
