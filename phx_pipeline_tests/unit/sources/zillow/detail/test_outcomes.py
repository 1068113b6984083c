"""Listed, empty, off the market, or a page that has changed."""

from typing import Any

import pytest

from phx_pipeline.errors import SourceChangedError
from phx_pipeline.model.outcome import ListingOutcome
from phx_pipeline.model.property import Property
from phx_pipeline.sources.zillow.detail import parse_detail
from phx_pipeline.sources.zillow.payload import Page
from phx_pipeline_tests.unit.sources.zillow.detail.conftest import (
    HOUSE,
    URL,
    ZPID,
    Fields,
    parse,
    parse_homes,
    without_photos,
)


@pytest.mark.parametrize("status", ["FOR_SALE", "PENDING", "COMING_SOON"])
def test_a_home_for_sale_without_photos_is_empty_and_fully_seen(
    home: Fields, status: str
) -> None:
    listing = parse_homes(without_photos(home, homeStatus=status))

    assert listing.outcome is ListingOutcome.LISTED_EMPTY
    assert listing.complete


@pytest.mark.parametrize("status", ["OTHER", "SOLD", "RECENTLY_SOLD"])
def test_a_home_off_market_without_photos_proves_nothing_about_photos(
    home: Fields, status: str
) -> None:
    listing = parse_homes(without_photos(home, homeStatus=status))

    assert listing.outcome is ListingOutcome.OFF_MARKET
    assert not listing.complete


def test_the_query_tells_off_market_where_the_status_is_new(home: Fields) -> None:
    fields = without_photos(home, homeStatus="SOMETHING_NEW")

    listing = parse_homes(fields, query="NotForSaleShopperPlatformFullRenderQuery")

    assert listing.outcome is ListingOutcome.OFF_MARKET


def test_a_home_for_sale_is_on_the_market_whatever_the_query(home: Fields) -> None:
    fields = without_photos(home)

    listing = parse_homes(fields, query="NotForSaleShopperPlatformFullRenderQuery")

    assert listing.outcome is ListingOutcome.LISTED_EMPTY


def test_a_street_view_is_no_photo_of_a_home_off_market() -> None:
    listing = parse("off_market.html")

    assert listing.outcome is ListingOutcome.OFF_MARKET
    assert (listing.photos, listing.listed_on) == ((), None)


def test_the_status_of_an_earlier_sale_does_not_count(home: Fields) -> None:
    assert home["dateSold"].startswith("2019")
    assert parse_homes(home).outcome is ListingOutcome.LISTED


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"photoCount": 12}, "states 12 photos"),
        ({"homeStatus": "SOMETHING_NEW"}, "no sign"),
        ({"photos": [{"renamed": 1}]}, "none of 1"),
    ],
)
def test_missing_photos_that_are_not_explained_are_a_changed_page(
    home: Fields, changes: Fields, told: str
) -> None:
    with pytest.raises(SourceChangedError, match=told):
        parse_homes(without_photos(home, **changes))


def test_renamed_photo_lists_are_a_changed_page(home: Fields) -> None:
    kept = {name: value for name, value in home.items() if "hoto" not in name}

    with pytest.raises(SourceChangedError, match="neither"):
        parse_homes(kept)


@pytest.mark.parametrize(
    "cache",
    [{}, {"q": {}}, {"q": 7}, {"q": {"property": None}}, {"q": {"property": {}}}],
)
def test_a_page_without_a_property_has_changed(cache: dict[str, Any]) -> None:
    page = Page(url=URL, cache=cache, search=None, challenged=False)

    with pytest.raises(SourceChangedError, match="no property"):
        parse_detail(page, house=Property.at(HOUSE), zpid=ZPID)


@pytest.mark.parametrize(
    ("status", "query", "outcome", "told"),
    [
        ("OTHER", "q", "off_market", "5 photos, off market; status OTHER"),
        ("OFF_MARKET", "q", "off_market", "5 photos, off market; status OFF_MARKET"),
        ("FORECLOSED", "q", "off_market", "5 photos, off market; status FORECLOSED"),
        ("NEW_WORD", "NotForSaleQuery", "off_market", "off market; status NEW_WORD"),
        ("NEW_WORD", "ForSaleQuery", "listed", "5 photos; status NEW_WORD"),
        ("RECENTLY_SOLD", "NotForSaleQuery", "listed", "status RECENTLY_SOLD"),
        ("FOR_SALE", "NotForSaleQuery", "listed", "5 photos; status FOR_SALE"),
    ],
)
def test_a_gallery_left_on_the_page_of_a_home_off_market_does_not_list_it(
    home: Fields, status: str, query: str, outcome: str, told: str
) -> None:
    listing = parse_homes(home | {"homeStatus": status}, query=query)

    assert (listing.outcome, len(listing.photos)) == (outcome, 5)
    assert told in listing.detail
    assert listing.complete is (outcome == "listed")


def test_a_home_without_a_listing_is_off_market_by_its_facts_too(home: Fields) -> None:
    facts = parse_homes(home | {"homeStatus": "OTHER"}).facts

    assert facts is not None
    assert (facts.standard_status, facts.list_price) == ("Off Market", None)


@pytest.mark.parametrize(
    ("status", "outcome", "price"),
    [
        ("for_sale", "listed", True),
        ("For Sale", "listed", True),
        ("ForSale", "listed", True),
        ("Pending", "listed", True),
        ("Off Market", "off_market", False),
        ("other", "off_market", False),
        ("WITHDRAWN", "off_market", False),
        ("EXPIRED", "off_market", False),
        ("CANCELED", "off_market", False),
        ("recentlySold", "listed", False),
    ],
)
def test_a_status_is_read_however_it_is_written(
    home: Fields, status: str, outcome: str, *, price: bool
) -> None:
    listing = parse_homes(home | {"homeStatus": status, "price": 434_900})

    assert listing.outcome == outcome
    assert listing.facts is not None
    assert (listing.facts.list_price is not None) is price
