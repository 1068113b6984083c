"""What asking the public site ends as: which listing of a house is the current one."""

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from phx_pipeline.demo.houses import HOUSES
from phx_pipeline.demo.loopback import Asked
from phx_pipeline.demo.phoenix_mls_site import phoenix_mls_sites
from phx_pipeline.errors import BlockedError, GoneError
from phx_pipeline.fetch.base import Fetched
from phx_pipeline.model.address import Address
from phx_pipeline.model.listing import Listing
from phx_pipeline.model.outcome import ListingOutcome
from phx_pipeline.model.property import Property
from phx_pipeline.sources.phoenix_mls import PhoenixMls
from phx_pipeline.sources.phoenix_mls.idx_search import search_url
from phx_pipeline.sources.phoenix_mls.standin import (
    PAGE_HOST,
    listing_page,
    listing_path,
    results_page,
)
from phx_pipeline_tests.canned import ENDINGS, CannedFetcher

OWN, NEIGHBOUR = HOUSES[0], replace(HOUSES[0], number="4873")
HOUSE = Property.at(Address.parse(OWN.address))
SEARCH = search_url(HOUSE.address)
CURRENT = f"https://{PAGE_HOST}{listing_path(OWN, OWN.record)}"
EARLIER = f"https://{PAGE_HOST}{listing_path(OWN, OWN.earlier)}"
NUMBERS = (OWN.earlier.mls_id, OWN.record.mls_id)
RESULTS = results_page((OWN,)).decode()
ACTIVE = listing_page(OWN, others=HOUSES[1:]).decode()
CLOSED = listing_page(OWN, earlier=True).decode()
ROW = re.findall(r"<div class='flexmls_connect__sr_result'.*?</div></div>", RESULTS)[1]


def answer(url: str, text: str) -> Fetched:
    return Fetched(url=url, status=200, headers={}, body=text.encode())


def asked(
    changes: Mapping[str, str | Exception], *, house: Property = HOUSE
) -> tuple[Listing, list[str]]:
    """The listing that comes of these answers by URL, and what was asked for."""
    pages = {SEARCH: RESULTS, CURRENT: ACTIVE, EARLIER: CLOSED} | dict(changes)
    fetcher = CannedFetcher(
        {
            url: answer(url, text) if isinstance(text, str) else text
            for url, text in pages.items()
        }
    )
    listing = asyncio.run(PhoenixMls().discover(house, fetcher=fetcher))
    return listing, [request.url for request in fetcher.asked]


def rows(*states: str, numbers: Sequence[str] = NUMBERS) -> str:
    """Results with a row for each state: of the house's listings, then of others."""
    all_numbers = [*numbers, "6990001", "6990002", "6990003"][: len(states)]
    made = []
    for number, state in zip(all_numbers, states, strict=True):
        told = f"<span class='field_label'>Status:</span> {state}" if state else ""
        row = ROW.replace("<div class='zebra'>", f"<div class='zebra'>{told}", 1)
        made.append(re.sub("|".join(NUMBERS), number, row))
    count = f"<span>{len(states)}</span> matches found"
    return f"<html><body><div>{count}</div>{''.join(made)}</body></html>"


def test_the_current_listing_is_read_though_an_old_one_is_the_first() -> None:
    listing, urls = asked({})

    assert RESULTS.index(NUMBERS[0]) < RESULTS.index(NUMBERS[1])
    assert (listing.outcome, listing.complete) == (ListingOutcome.LISTED, True)
    assert listing.mls_id == NUMBERS[1]
    assert listing.url == CURRENT
    assert urls == [SEARCH, CURRENT]


@pytest.mark.parametrize(
    ("states", "read"),
    [
        (("Closed", "Active"), 1),
        (("Active", "Closed"), 0),
        (("", "Cancelled"), 0),
        (("Expired", "Pending"), 1),
        (("UCB (Under Contract-Backups)", "Temp Off Market"), 0),
    ],
)
def test_the_state_of_a_row_tells_which_page_is_asked_for(
    states: tuple[str, str], read: int
) -> None:
    _, urls = asked({SEARCH: rows(*states)})

    assert urls == [SEARCH, (EARLIER, CURRENT)[read]]


def test_two_current_listings_are_a_question_to_a_person() -> None:
    active = ACTIVE.replace(NUMBERS[1], NUMBERS[0])

    listing, urls = asked({SEARCH: rows("Active", ""), EARLIER: active})

    assert listing.outcome is ListingOutcome.AMBIGUOUS
    assert all(number in listing.detail for number in NUMBERS)
    assert not listing.photos
    assert urls == [SEARCH, EARLIER, CURRENT]


def test_of_a_sale_and_a_rental_at_once_the_sale_is_the_current_listing() -> None:
    kind = "<b>Property Type:</b> Residential Rental</div><div><b>Year Built:</b>"
    rental = ACTIVE.replace(NUMBERS[1], NUMBERS[0]).replace("<b>Year Built:</b>", kind)

    listing, _ = asked({SEARCH: rows("Active", ""), EARLIER: rental})
    alone, _ = asked({SEARCH: rows("Active"), EARLIER: rental})

    assert (listing.outcome, listing.mls_id) == (ListingOutcome.LISTED, NUMBERS[1])
    assert (alone.outcome, alone.mls_id) == (ListingOutcome.LISTED, NUMBERS[0])
    assert alone.facts is not None
    assert alone.facts.list_price is None


def test_the_page_of_a_listing_tells_its_state_where_the_row_did_not() -> None:
    listing, urls = asked({SEARCH: rows("", "")})

    assert (listing.outcome, listing.mls_id) == (ListingOutcome.LISTED, NUMBERS[1])
    assert urls == [SEARCH, EARLIER, CURRENT]


@pytest.mark.parametrize("numbers", [NUMBERS, NUMBERS[::-1]])
def test_of_listings_that_have_ended_the_last_one_is_read(
    numbers: Sequence[str],
) -> None:
    sold = ACTIVE.replace("Status:</b> Active", "Status:</b> Closed")

    listing, _ = asked(
        {SEARCH: rows("Closed", "Closed", numbers=numbers), CURRENT: sold}
    )

    assert (listing.outcome, listing.mls_id) == (
        ListingOutcome.OFF_MARKET,
        OWN.record.mls_id,
    )
    assert not listing.complete


def test_of_listings_that_ended_on_no_known_day_none_is_taken() -> None:
    undated = re.compile(r"<b>(?:List|Close) Date:</b>[^<]*")
    sold = ACTIVE.replace("Status:</b> Active", "Status:</b> Closed")

    listing, _ = asked(
        {
            SEARCH: rows("Closed", "Closed"),
            CURRENT: undated.sub("", sold),
            EARLIER: undated.sub("", CLOSED),
        }
    )

    assert listing.outcome is ListingOutcome.OFF_MARKET
    assert not listing.photos
    assert all(number in listing.detail for number in NUMBERS)


def test_more_current_listings_than_are_looked_at_are_a_question_too() -> None:
    listing, urls = asked({SEARCH: rows("", "", "", "", "")})

    assert listing.outcome is ListingOutcome.AMBIGUOUS
    assert urls == [SEARCH]


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        ("<p>0 matches found</p>", ListingOutcome.NOT_FOUND),
        (results_page((NEIGHBOUR,)).decode(), ListingOutcome.NOT_FOUND),
        (RESULTS.replace(">4871 ", ">4873 "), ListingOutcome.NOT_FOUND),
        (re.sub("4871.W.", "4871 ", RESULTS), ListingOutcome.AMBIGUOUS),
        ("<h1>Welcome</h1>", ListingOutcome.PAGE_CHANGED),
        ("", ListingOutcome.BLOCKED),
        ("<p>2 matches found</p>", ListingOutcome.PAGE_CHANGED),
        (rows("Quux", "Active"), ListingOutcome.PAGE_CHANGED),
        (RESULTS.replace("-mls_", "-x_"), ListingOutcome.PAGE_CHANGED),
    ],
    ids=[
        "none",
        "neighbour",
        "two doors in one row",
        "near",
        "other",
        "empty",
        "unread",
        "unknown state",
        "unlinked",
    ],
)
def test_a_search_without_the_house_says_why(
    text: str, outcome: ListingOutcome
) -> None:
    listing, urls = asked({SEARCH: text})

    assert listing.outcome is outcome
    assert not listing.photos
    assert urls == [SEARCH]


def test_a_state_that_is_not_known_of_another_house_does_not_matter() -> None:
    other = rows("Quux").replace("4871", "4873").replace(NUMBERS[0], "6990009")
    listing, _ = asked({SEARCH: RESULTS.replace("</main>", f"{other}</main>")})

    assert listing.outcome is ListingOutcome.LISTED


def test_a_row_whose_link_names_another_house_is_not_the_house() -> None:
    text = RESULTS.replace("/mls/4871-W", "/mls/4873-W")

    listing, urls = asked({SEARCH: text})

    assert listing.outcome is ListingOutcome.NOT_FOUND
    assert urls == [SEARCH]


def test_more_pages_of_results_are_asked_for_until_all_are_seen() -> None:
    many = results_page((NEIGHBOUR,)).decode().replace(">2<", ">60<")
    pages = {search_url(HOUSE.address, page=at): many for at in (1, 2)}
    last = search_url(HOUSE.address, page=3)

    listing, urls = asked({**pages, last: RESULTS.replace(">2<", ">60<")})

    assert listing.outcome is ListingOutcome.LISTED
    assert urls == [*pages, last, CURRENT]


def test_a_search_that_shows_too_many_is_not_a_house_that_is_not_there() -> None:
    many = results_page((NEIGHBOUR,)).decode().replace(">2<", ">1,300<")
    pages = {search_url(HOUSE.address, page=at): many for at in range(1, 5)}

    listing, urls = asked(pages)

    assert listing.outcome is ListingOutcome.AMBIGUOUS
    assert "1298 more listings" in listing.detail
    assert urls == list(pages)


@pytest.mark.parametrize(
    ("page", "outcome"),
    [
        (ACTIVE.replace("4871", "4873"), ListingOutcome.WRONG_PROPERTY),
        (ACTIVE.replace(NUMBERS[1], "6990009"), ListingOutcome.PAGE_CHANGED),
        (RESULTS, ListingOutcome.PAGE_CHANGED),
        ("<h1>This listing is no longer available.</h1>", ListingOutcome.OFF_MARKET),
        (GoneError("gone", url=CURRENT, status=404), ListingOutcome.OFF_MARKET),
        (BlockedError("no", url=CURRENT, status=403), ListingOutcome.BLOCKED),
    ],
    ids=["other house", "other number", "results", "withdrawn", "gone", "blocked"],
)
def test_the_page_must_be_that_of_the_listing(
    page: str | Exception, outcome: ListingOutcome
) -> None:
    listing, _ = asked({CURRENT: page})

    assert listing.outcome is outcome
    assert not listing.photos


def test_a_gallery_of_which_the_row_states_more_is_not_complete() -> None:
    text = re.sub(r"View Photos \(\d+\)", "View Photos (40)", RESULTS)

    listing, _ = asked({SEARCH: text})

    assert not listing.complete
    assert "of 14 or 40 stated" in listing.detail


@pytest.mark.parametrize(("error", "outcome"), ENDINGS)
@pytest.mark.parametrize("url", [SEARCH, CURRENT], ids=["search", "page"])
def test_a_failed_request_is_an_outcome(
    url: str, error: Exception, outcome: ListingOutcome
) -> None:
    listing, _ = asked({url: error})

    assert listing.outcome is outcome
    assert listing.url is None


def test_a_unit_is_found_among_others() -> None:
    flat = next(house for house in HOUSES if house.unit)
    next_door = replace(
        flat,
        unit="205",
        record=replace(flat.record, mls_id="6990011"),
        earlier=replace(flat.earlier, mls_id="6990012"),
    )
    (answer_of, *_) = phoenix_mls_sites([next_door, flat]).values()

    class Site:
        async def get(self, request: object) -> Fetched:
            url = str(getattr(request, "url", ""))
            target = url.removeprefix(f"https://{PAGE_HOST}")
            made = Asked(host=PAGE_HOST, method="GET", target=target, headers={}, at=0)
            return answer(url, answer_of(made).body.decode())

        async def aclose(self) -> None:
            """There is nothing to close."""

    house = Property.at(Address.parse(flat.address))
    listing = asyncio.run(PhoenixMls().discover(house, fetcher=Site()))

    assert (listing.outcome, listing.mls_id) == (
        ListingOutcome.LISTED,
        flat.record.mls_id,
    )
