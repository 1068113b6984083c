"""Listed, empty, off the market, or a page that has changed."""

import pytest

from phx_pipeline.errors import SourceChangedError
from phx_pipeline.model.outcome import ListingOutcome
from phx_pipeline_tests.unit.sources.redfin.parse.conftest import (
    Cache,
    parse,
    parse_cache,
    payload_in,
    section_of,
)


def test_an_active_listing_without_photos_is_empty_and_fully_seen() -> None:
    listing = parse("listed_empty.html")

    assert listing.outcome is ListingOutcome.LISTED_EMPTY
    assert listing.complete


def test_an_off_market_page_without_photos_proves_nothing_about_photos() -> None:
    listing = parse("off_market.html")

    assert listing.outcome is ListingOutcome.OFF_MARKET
    assert not listing.complete
    assert listing.listed_on is None


def test_a_sold_page_that_kept_its_gallery_is_listed() -> None:
    listing = parse("sold_with_gallery.html")

    assert listing.outcome is ListingOutcome.LISTED
    assert (len(listing.photos), listing.complete) == (3, True)


def test_an_empty_gallery_without_any_status_is_a_changed_page(cache: Cache) -> None:
    above = payload_in(cache, "/aboveTheFold")
    above["mediaBrowserInfo"]["photos"] = []
    above["addressSectionInfo"].update(status=None, searchStatus=None)
    payload_in(cache, "/initialInfo")["riftPageType"] = "new"

    with pytest.raises(SourceChangedError, match="no sign"):
        parse_cache(cache)


@pytest.mark.parametrize(
    ("name", "missing"),
    [
        ("changed_no_above.html", "aboveTheFold"),
        ("changed_no_gallery.html", "mediaBrowserInfo.photos"),
        ("search_results.html", "aboveTheFold"),
        ("challenge.html", "InitialContext"),
        ("robot.html", "InitialContext"),
    ],
)
def test_a_changed_page_says_what_is_missing(name: str, missing: str) -> None:
    with pytest.raises(SourceChangedError, match=missing):
        parse(name)


@pytest.mark.parametrize("stated", [{}, {"photos": None}])
def test_an_active_page_without_a_list_of_photos_is_empty(
    cache: Cache, stated: dict[str, None]
) -> None:
    media = payload_in(cache, "/aboveTheFold")["mediaBrowserInfo"]
    del media["photos"]
    media.update(stated)

    listing = parse_cache(cache)

    assert (listing.outcome, listing.photos) == (ListingOutcome.LISTED_EMPTY, ())
    assert not listing.complete  # those known before are not said to be gone


@pytest.mark.parametrize(
    ("label", "status", "outcome"),
    [
        ("Off Market", None, ListingOutcome.OFF_MARKET),
        (None, "Off Market", ListingOutcome.OFF_MARKET),
        ("Off Market", "Closed", ListingOutcome.LISTED),
        ("Sold", None, ListingOutcome.LISTED),
        (None, "Active", ListingOutcome.LISTED),
    ],
)
def test_a_gallery_left_on_the_page_of_a_home_off_market_does_not_list_it(
    cache: Cache, label: str | None, status: str | None, outcome: ListingOutcome
) -> None:
    section_of(cache).update(homeStatusLabel=label, status={"displayValue": status})

    listing = parse_cache(cache)

    assert (listing.outcome, len(listing.photos)) == (outcome, 5)


def test_an_active_page_that_says_it_shows_nothing_is_empty(cache: Cache) -> None:
    payload_in(cache, "/aboveTheFold")["mediaBrowserInfo"] = None

    listing = parse_cache(cache)

    assert (listing.outcome, listing.complete) == (ListingOutcome.LISTED_EMPTY, False)


@pytest.mark.parametrize(
    "word",
    ["Withdrawn", "Expired", "Cancelled", "Canceled", "Delisted", "On Hold",
     "Inactive", "Leased", "Temp Off Mkt", "Temporarily Off Market",
     "Listing Removed", "No longer for sale"],
)  # fmt: skip
@pytest.mark.parametrize("wrapped", [True, False])
def test_a_listing_that_was_ended_is_off_market(
    cache: Cache, word: str, *, wrapped: bool
) -> None:
    section_of(cache)["status"] = {"displayValue": word} if wrapped else word

    listing = parse_cache(cache)

    assert (listing.outcome, len(listing.photos)) == (ListingOutcome.OFF_MARKET, 5)
    assert listing.facts is not None
    assert listing.facts.list_price is None
