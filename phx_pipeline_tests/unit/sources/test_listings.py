"""Search pages of both sites: captured ones in full, their URLs, and hostile rows."""

import asyncio
import json
import re
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from http import HTTPStatus
from itertools import cycle, islice
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from phx_pipeline.errors import GoneError
from phx_pipeline.fetch.base import Fetched
from phx_pipeline.model.outcome import ListingOutcome
from phx_pipeline.model.printable import printable
from phx_pipeline.model.search import MOST_OFFERS, Criteria, Offer, OfferPage
from phx_pipeline.model.source import Source
from phx_pipeline.sources.json_values import mapping
from phx_pipeline.sources.redfin import listings as redfin
from phx_pipeline.sources.redfin import standin_listings as redfin_standin
from phx_pipeline.sources.redfin.standin import state_page
from phx_pipeline.sources.registry import available_sources
from phx_pipeline.sources.search_border import bounded_page
from phx_pipeline.sources.zillow import listings as zillow
from phx_pipeline.sources.zillow import standin_listings as zillow_standin
from phx_pipeline.sources.zillow.payload import read_page
from phx_pipeline_tests.canned import ENDINGS, CannedFetcher
from phx_pipeline_tests.hostile import (
    TEXTS,
    VALUES,
    ZillowSearch,
    changed,
    fields,
    nested,
)

SOURCES: Final = available_sources()
WEST = Criteria(
    zip_codes=("85306",),
    min_price=199_999,
    max_price=449_999,
    min_beds=3,
    min_baths=1.5,
    min_area=1200,
    min_year=1980,
    min_lot=5000,
    pool=True,
)
CITY = Criteria(cities=("Sun City",), max_price=450_000)
URLS = {Source.ZILLOW: zillow.search_url(WEST), Source.REDFIN: redfin.zip_url(WEST)}
GIS = "/stingray/api/gis?al=1"


def fetched(body: bytes, url: str = "https://www.zillow.com/") -> Fetched:
    return Fetched(url=url, status=HTTPStatus.OK, headers={}, body=body)


def ask(
    source: Source, criteria: Criteria, pages: Mapping[str, Fetched | Exception]
) -> OfferPage:
    listings = SOURCES[source].listings
    assert listings is not None
    return asyncio.run(listings.offers(criteria, fetcher=CannedFetcher(pages)))


# --- captured pages -------------------------------------------------------------------


@pytest.fixture(scope="module")
def truth(shared_dir: Path) -> dict[str, Any]:
    text = (shared_dir / "samples/truth.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


# Homes, of them with an address that can be read and for sale, and a next page. The
# lists of rentals hold buildings too, which are no homes; plans of builders, parts of
# numbers and addresses that owners hide cannot be read.
ZILLOW = {
    "search_2026-03_houston_forsale.html": (41, 40, 40, "/houston-tx/2_p/"),
    "search_2024-11_albuquerque.html": (41, 41, 41, "/albuquerque-nm/2_p/"),
    "search_2025-06_zip04011.html": (30, 24, 0, ""),
    "search_2021-07_rentals.html": (27, 26, 0, "/homes/for_rent/1-_beds/2_p/"),
    "search_2018-12_GetResults.json": (92, 88, 88, ""),
}


@pytest.mark.parametrize("name", ZILLOW)
def test_a_captured_page_of_zillow_is_read_in_full(
    shared_dir: Path, truth: dict[str, Any], name: str
) -> None:
    homes, readable, for_sale, path = ZILLOW[name]
    page = read_page(fetched((shared_dir / "samples/zillow" / name).read_bytes()))
    search = mapping(page.search, what=name)
    offers = zillow.offers_in(search)
    known = truth.get(f"zillow/{name}", {}).get("per_listing_photo_counts")

    assert len(offers) == homes
    assert known is None or {it.listing_id for it in offers} == set(known)
    addresses = [it.address for it in offers if it.address]
    assert len(addresses) == readable
    sold = [it for it in offers if it.address and it.is_for_sale]
    assert len(sold) == for_sale
    assert all(it.facts.list_price and it.facts.living_area for it in sold if known)
    assert urlsplit(zillow.next_url(search, WEST)).path == path


def test_rows_of_zillow_say_what_the_captured_page_says(shared_dir: Path) -> None:
    """Each fact of a row against the plain columns beside its `homeInfo`."""
    name = "search_2026-03_houston_forsale.html"
    page = read_page(fetched((shared_dir / "samples/zillow" / name).read_bytes()))
    search = mapping(page.search, what=name)
    rows = {row["zpid"]: row for row in search["cat1"]["searchResults"]["listResults"]}
    for offer in zillow.offers_in(search):
        row, facts = rows[offer.listing_id], offer.facts
        assert facts.list_price == row["unformattedPrice"]
        assert facts.bedrooms_total == row["beds"]
        assert facts.bathrooms_total == row["baths"]
        assert facts.living_area == row["area"]
        assert offer.url in {
            row["detailUrl"],
            f"https://www.zillow.com/homedetails/{offer.listing_id}_zpid/",
        }
        if offer.address:
            assert offer.address.zip_code == row["addressZipcode"]


def test_the_captured_page_of_redfin_is_read_in_full(
    shared_dir: Path, truth: dict[str, Any]
) -> None:
    name = "redfin/search_2020-07_irvine.html"
    assert truth[name]["property_photos"] == 0
    offers = redfin.offers_in((shared_dir / "samples" / name).read_text("utf-8"))

    assert len(offers) == 142
    unread = [it.told for it in offers if it.address is None]
    plans = [it for it in unread if it.startswith("Residence")]
    assert (len(unread), len(plans)) == (20, 18)  # plans of builders have no number
    assert all((it.facts.list_price or 0) <= 750_000 for it in offers)  # as was asked
    assert all((it.facts.bathrooms_total or 0) >= 2 for it in offers)
    assert Counter(it.facts.standard_status for it in offers) == {"Active": 142}
    (first,) = (it for it in offers if it.listing_id == "120948989")
    assert str(first.address) == "6 Morning Song Unit 22, Irvine, CA 92603"
    assert (first.facts.year_built, first.facts.living_area) == (1982, 1740)
    assert (first.facts.mls_number, first.facts.days_on_market) == ("OC20116057", 12)


def test_the_captured_answer_of_redfin_is_read_in_full(shared_dir: Path) -> None:
    file = shared_dir / "samples/redfin/search_2023-11_seattle_gis_homes.json"
    homes = json.loads(file.read_text(encoding="utf-8"))
    answer = json.dumps({"resultCode": 0, "payload": {"homes": homes}})
    offers = redfin.offers_in(f"{{}}&&{answer}")

    assert [it.listing_id for it in offers] == [str(it["listingId"]) for it in homes]
    for offer, home in zip(offers, homes, strict=True):
        assert offer.facts.list_price == home["price"]["value"]
        assert offer.facts.living_area == home["sqFt"].get("value")
        assert offer.facts.lot_size_square_feet == home["lotSize"].get("value")
        assert offer.facts.year_built == home["yearBuilt"].get("value")
        assert offer.url == f"https://www.redfin.com{home['url']}"
        assert offer.address is None or offer.address.zip_code == home["zip"]
    unread = [it.told for it in offers if it.address is None]
    # The paths of their pages name 8041B and another ZIP code.
    assert unread == ["8041 B Mary Ave NW", "1715 14th Ave S", "304 32nd Ave E"]
    assert not any("Watts" in repr(it) for it in offers)  # an agent


# --- URLs -----------------------------------------------------------------------------


def test_zillow_is_asked_by_the_names_its_pages_define(shared_dir: Path) -> None:
    parts = urlsplit(zillow.search_url(WEST))
    state = json.loads(parse_qs(parts.query)["searchQueryState"][0])
    filters = state["filterState"]
    assert parts.path == "/homes/85306_rb/"
    assert filters["price"] == {"min": 199_999, "max": 449_999}
    assert urlsplit(zillow.search_url(CITY)).path == "/sun-city-az/"

    name = "search_2026-03_houston_forsale.html"
    page = read_page(fetched((shared_dir / "samples/zillow" / name).read_bytes()))
    defined = mapping(page.search, what=name)["filterDefinitions"].values()
    known = {it.get("shortId") or it["id"] for it in defined}
    assert set(filters) <= known


@pytest.mark.parametrize(
    "link",
    [
        None,
        "https://evil.example/houston-tx/2_p/",
        "//evil.example/houston-tx/2_p/",
        "/houston-tx/1_p/",
        "/houston-tx/99_p/",
        "/houston-tx/2_p/../../x",
        "http://[/2_p/",
        "/" + "a" * 3000 + "/2_p/",
    ],
)
def test_a_link_that_is_no_next_page_is_not_followed(link: str | None) -> None:
    search = {"cat1": {"searchList": {"pagination": {"nextUrl": link}}}}
    assert zillow.next_url(search, WEST) == ""


def test_redfin_is_asked_by_filters_of_the_captured_grammar() -> None:
    assert redfin.zip_url(WEST) == (
        "https://www.redfin.com/zipcode/85306/filter/"
        "min-price=199k,max-price=450k,min-beds=3,min-baths=1"
    )
    assert redfin.zip_url(Criteria(zip_codes=("85306",))).endswith("/zipcode/85306")


def test_a_city_of_redfin_is_looked_up_first() -> None:
    lookup = redfin.city_search_url("Sun City")
    path = redfin_standin.city_path("Sun City")
    rows = [{"url": "/city/1/CA/Sun-City"}, {"url": path}, {"url": "/city/2/AZ/Mesa"}]
    answer = json.dumps({"resultCode": 0, "payload": {"sections": [{"rows": rows}]}})
    page = state_page("Homes", {GIS: {"homes": []}})
    pages = {
        lookup: fetched(answer.encode(), lookup),
        f"https://www.redfin.com{path}/filter/max-price=450k": fetched(page),
    }
    assert ask(Source.REDFIN, CITY, pages).outcome is ListingOutcome.LISTED_EMPTY
    nobody = json.dumps({"resultCode": 0, "payload": {"sections": []}})
    unknown = ask(Source.REDFIN, CITY, {lookup: fetched(nobody.encode(), lookup)})
    assert unknown.outcome is ListingOutcome.NOT_FOUND
    assert "ZIP codes" in unknown.detail


def test_stand_ins_read_the_urls_that_are_asked_for() -> None:
    told = zillow_standin.asked_for(zillow.search_url(WEST))
    assert told == (WEST, 1)
    assert redfin_standin.asked_for(redfin.zip_url(WEST)) == Criteria(
        zip_codes=("85306",),
        min_price=199_000,
        max_price=450_000,
        min_beds=3,
        min_baths=1,
    )


# --- any field of any page ------------------------------------------------------------

_HOME = {
    "listingId": 1,
    "url": "/AZ/Glendale/2-W-Elm-St-85306/home/1",
    "streetLine": {"value": "2 W Elm St"},
    "city": "Glendale",
    "state": "AZ",
    "zip": "85306",
    "postalCode": "85306",
    "price": {"value": 400_000},
    "beds": 3,
    "baths": 2.5,
    "sqFt": {"value": 1500},
    "lotSize": {"value": 7000},
    "yearBuilt": {"value": 1980},
    "dom": {"value": 3},
    "mlsStatus": "Active",
    "mlsId": {"label": "MLS#", "value": "6981407"},
}
_CITY_ROW = {"url": redfin_standin.city_path("Sun City"), "name": "Sun City"}
TREES: Final[Mapping[str, Any]] = {
    "zillow": ZillowSearch().tree
    | {"pagination": {"nextUrl": "/glendale-az/2_p/"}, "searchList": {}},
    "redfin": {"payload": {"homes": [_HOME], "sections": [{"rows": [_CITY_ROW]}]}},
}


def shown(site: str, tree: Any) -> OfferPage:
    """What comes of a search whose pages are made of *tree*."""
    if site == "zillow":
        url = URLS[Source.ZILLOW]
        return ask(Source.ZILLOW, WEST, {url: fetched(ZillowSearch().body(tree), url)})
    answer = json.dumps(tree)
    lookup = redfin.city_search_url("Sun City")
    path = redfin_standin.city_path("Sun City")
    pages = {
        lookup: fetched(answer.encode(), lookup),
        f"https://www.redfin.com{path}/filter/max-price=450k": fetched(answer.encode()),
    }
    return ask(Source.REDFIN, CITY, pages)


def with_field(tree: Any, field: str, bad: object) -> object:
    """The tree with a value in all places of one field."""
    return changed(tree, lambda name, it: bad if name == field else it)


def test_a_row_of_zillow_is_no_sale_if_one_of_its_states_says_so() -> None:
    whole = zillow.offers_in(TREES["zillow"])
    odd = with_field(TREES["zillow"], "statusType", "SOLD")
    assert isinstance(odd, dict)
    assert any(it.is_for_sale for it in whole)
    assert not any(it.is_for_sale for it in zillow.offers_in(odd))


def texts_in(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        yield from (text for inner in value.values() for text in texts_in(inner))
    elif isinstance(value, list | tuple):
        yield from (text for inner in value for text in texts_in(inner))


@pytest.mark.parametrize("site", TREES)
def test_whatever_stands_in_a_field_a_bounded_page_comes_of_it(site: str) -> None:
    code = Path(sys.modules[f"phx_pipeline.sources.{site}.listings"].__file__ or "")
    read = set(re.findall(r"""\.get\(\s*"([a-z]\w+)\"""", code.read_text()))
    tree = TREES[site]
    assert read - set(re.findall(r'"(\w+)":', json.dumps(tree))) == set()
    assert shown(site, tree).outcome is ListingOutcome.LISTED

    values = cycle([*VALUES, *TEXTS[::7], nested(300)])
    for field in fields(tree):
        for bad in islice(values, 1):
            spoilt = with_field(tree, field, bad)
            page = shown(site, spoilt)
            for text in texts_in(asdict(page)):
                assert text == printable(text, most=2000)


# --- refusals and hostile pages -------------------------------------------------------


@pytest.mark.parametrize("source", URLS)
@pytest.mark.parametrize(("error", "outcome"), ENDINGS)
def test_what_refuses_is_an_outcome(
    source: Source, error: Exception, outcome: ListingOutcome
) -> None:
    assert ask(source, WEST, {URLS[source]: error}).outcome is outcome


@pytest.mark.parametrize("source", URLS)
@pytest.mark.parametrize(
    ("body", "outcome"),
    [
        (b"<html>A page of another kind</html>", ListingOutcome.PAGE_CHANGED),
        (b'{"a": 1}', ListingOutcome.PAGE_CHANGED),
        (GoneError("gone", url="https://a.example"), ListingOutcome.NOT_FOUND),
    ],
)
def test_a_page_without_rows_is_told_apart(
    source: Source, body: bytes | Exception, outcome: ListingOutcome
) -> None:
    url = URLS[source]
    answer = fetched(body, url) if isinstance(body, bytes) else body
    assert ask(source, WEST, {url: answer}).outcome is outcome


def test_a_block_page_of_zillow_is_a_block(shared_dir: Path) -> None:
    file = shared_dir / "samples/zillow/block_px_2025-04.html"
    url = URLS[Source.ZILLOW]
    page = ask(Source.ZILLOW, WEST, {url: fetched(file.read_bytes(), url)})
    assert (page.outcome, page.offers) == (ListingOutcome.BLOCKED, ())


def test_no_row_goes_further_unbounded() -> None:
    long = "x" * 10_000
    good = Offer(
        source=Source.REDFIN,
        listing_id="1",
        url="https://www.redfin.com/AZ/home/1",
        address=None,
        told=long,
        photo_url="https://evil.example/a.jpg",
    )
    rows = [replace(good, listing_id=str(number)) for number in range(MOST_OFFERS + 9)]
    rows[0] = replace(good, url="https://evil.example/1")
    rows[1] = replace(good, listing_id=long)
    page = OfferPage(
        outcome=ListingOutcome.LISTED,
        offers=tuple(rows),
        next="https://evil.example/",
        detail=long,
    )
    held = bounded_page(page, of=SOURCES[Source.REDFIN])
    assert len(held.offers) == MOST_OFFERS - 2
    assert held.next == held.offers[0].photo_url == ""
    assert max(len(held.detail), len(held.offers[0].told)) <= 300
    none = replace(page, offers=tuple(rows[:2]))
    assert (
        bounded_page(none, of=SOURCES[Source.REDFIN]).outcome
        is ListingOutcome.PAGE_CHANGED
    )


def test_a_row_whose_page_is_of_another_house_has_no_address() -> None:
    home = {
        "listingId": 1,
        "url": "/AZ/Glendale/1-W-Elm-St-85306/home/1",
        "streetLine": {"value": "2 W Elm St"},
        "city": "Glendale",
        "state": "AZ",
        "zip": "85306",
    }
    answer = json.dumps({"payload": {"homes": [home, {"url": "/x"}, 7]}})
    (offer,) = redfin.offers_in(answer)
    assert (offer.address, offer.told) == (None, "2 W Elm St")
    assert unquote(offer.url).endswith("/home/1")
