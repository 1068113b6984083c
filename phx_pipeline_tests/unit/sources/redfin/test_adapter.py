from pathlib import Path

import pytest

from phx_pipeline.errors import (
    BlockedError,
    GoneError,
)
from phx_pipeline.fetch.base import Fetched, RequestKind
from phx_pipeline.model.address import Address
from phx_pipeline.model.outcome import ListingOutcome
from phx_pipeline.model.property import Property
from phx_pipeline.sources.redfin import Redfin
from phx_pipeline.sources.redfin.find import search_url
from phx_pipeline_tests.canned import ENDINGS, CannedFetcher

PAGES = Path(__file__).parents[3] / "pages" / "redfin"
ADDRESS = Address.parse("1418 E Quail Whistle Ln, Phoenix, AZ 85042")
HOUSE = Property.at(ADDRESS)
SEARCH = search_url(ADDRESS)
PAGE = "https://www.redfin.com/AZ/Phoenix/1418-E-Quail-Whistle-Ln-85042/home/90100418"

REFUSED = BlockedError("no", url=PAGE, status=403)


def page(name: str, *, url: str = PAGE, status: int = 200) -> Fetched:
    body = (PAGES / name).read_bytes()
    return Fetched(url=url, status=status, headers={}, body=body)


def site(
    search: Fetched | Exception, listing: Fetched | Exception | None = None
) -> CannedFetcher:
    pages = {SEARCH: search}
    return CannedFetcher(pages if listing is None else {**pages, PAGE: listing})


async def test_a_listed_house_is_found_and_its_whole_gallery_read() -> None:
    fetcher = site(page("search_exact.txt"), page("listed.html"))

    listing = await Redfin().discover(HOUSE, fetcher=fetcher)

    assert listing.outcome is ListingOutcome.LISTED
    assert (len(listing.photos), listing.complete) == (5, True)
    assert [(asked.url, asked.kind) for asked in fetcher.asked] == [
        (SEARCH, RequestKind.API),
        (PAGE, RequestKind.PAGE),
    ]


async def test_the_house_is_picked_from_a_list_of_neighbours() -> None:
    fetcher = site(page("search_list.txt"), page("listed.html"))

    listing = await Redfin().discover(HOUSE, fetcher=fetcher)

    assert listing.outcome is ListingOutcome.LISTED


@pytest.mark.parametrize("search", ["search_neighbour.txt", "search_nothing.txt"])
async def test_a_search_without_the_house_is_not_found_and_opens_no_page(
    search: str,
) -> None:
    fetcher = site(page(search))

    listing = await Redfin().discover(HOUSE, fetcher=fetcher)

    assert listing.outcome is ListingOutcome.NOT_FOUND
    assert len(fetcher.asked) == 1


async def test_two_pages_of_one_door_are_ambiguous_and_neither_is_opened() -> None:
    address = Address.parse("655 N Cactus Wren Ave Unit 12, Phoenix, AZ 85004")
    fetcher = CannedFetcher({search_url(address): page("search_ambiguous.txt")})

    listing = await Redfin().discover(Property.at(address), fetcher=fetcher)

    assert listing.outcome is ListingOutcome.AMBIGUOUS
    assert "90100612" in listing.detail
    assert "90100777" in listing.detail
    assert len(fetcher.asked) == 1


@pytest.mark.parametrize(
    ("name", "outcome"),
    [
        ("wrong_house.html", ListingOutcome.WRONG_PROPERTY),
        ("listed_empty.html", ListingOutcome.LISTED_EMPTY),
        ("off_market.html", ListingOutcome.OFF_MARKET),
        ("changed_no_above.html", ListingOutcome.PAGE_CHANGED),
        ("changed_no_gallery.html", ListingOutcome.PAGE_CHANGED),
        ("search_results.html", ListingOutcome.PAGE_CHANGED),
        ("search_exact.txt", ListingOutcome.PAGE_CHANGED),
        ("challenge.html", ListingOutcome.BLOCKED),
        ("robot.html", ListingOutcome.BLOCKED),
    ],
)
async def test_a_page_without_our_gallery_gives_no_photos_and_says_why(
    name: str, outcome: ListingOutcome
) -> None:
    fetcher = site(page("search_exact.txt"), page(name))

    listing = await Redfin().discover(HOUSE, fetcher=fetcher)

    assert listing.outcome is outcome
    assert listing.photos == ()
    assert listing.detail


@pytest.mark.parametrize("name", ["challenge.html", "robot.html", "search_refused.txt"])
async def test_a_refused_address_search_is_a_block(name: str) -> None:
    fetcher = site(page(name, url=SEARCH))

    listing = await Redfin().discover(HOUSE, fetcher=fetcher)

    assert listing.outcome is ListingOutcome.BLOCKED
    assert len(fetcher.asked) == 1


async def test_an_address_search_that_is_a_listing_page_has_changed() -> None:
    fetcher = site(page("listed.html", url=SEARCH))

    listing = await Redfin().discover(HOUSE, fetcher=fetcher)

    assert listing.outcome is ListingOutcome.PAGE_CHANGED
    assert "address search" in listing.detail


async def test_ending_on_the_rate_limit_host_is_rate_limited_whatever_it_shows() -> (
    None
):
    moved = page("listed.html", url="https://ratelimited.redfin.com/")
    fetcher = site(page("search_exact.txt"), moved)

    listing = await Redfin().discover(HOUSE, fetcher=fetcher)

    assert listing.outcome is ListingOutcome.RATE_LIMITED
    assert listing.photos == ()


async def test_a_firewall_header_without_a_page_is_a_block() -> None:
    answer = Fetched(
        url=PAGE, status=202, headers={"x-amzn-waf-action": "challenge"}, body=b""
    )
    fetcher = site(page("search_exact.txt"), answer)

    listing = await Redfin().discover(HOUSE, fetcher=fetcher)

    assert listing.outcome is ListingOutcome.BLOCKED


@pytest.mark.parametrize(
    ("error", "outcome"), [*ENDINGS, (REFUSED, ListingOutcome.BLOCKED)]
)
async def test_an_error_of_the_page_request_becomes_an_outcome(
    error: Exception, outcome: ListingOutcome
) -> None:
    fetcher = site(page("search_exact.txt"), error)

    listing = await Redfin().discover(HOUSE, fetcher=fetcher)

    assert listing.outcome is outcome
    assert listing.detail.startswith(str(error))


@pytest.mark.parametrize(
    ("error", "outcome"), [*ENDINGS, (REFUSED, ListingOutcome.BLOCKED)]
)
async def test_an_error_of_the_search_request_becomes_an_outcome(
    error: Exception, outcome: ListingOutcome
) -> None:
    listing = await Redfin().discover(HOUSE, fetcher=site(error))

    assert listing.outcome is outcome


async def test_a_page_that_is_gone_is_not_found() -> None:
    fetcher = site(page("search_exact.txt"), GoneError("404", url=PAGE, status=404))

    listing = await Redfin().discover(HOUSE, fetcher=fetcher)

    assert listing.outcome is ListingOutcome.NOT_FOUND


async def test_an_address_search_that_is_gone_is_a_changed_site() -> None:
    fetcher = site(GoneError("404", url=SEARCH, status=404))

    listing = await Redfin().discover(HOUSE, fetcher=fetcher)

    assert listing.outcome is ListingOutcome.PAGE_CHANGED


async def test_a_unit_is_found_among_its_neighbours() -> None:
    address = Address.parse("655 N Cactus Wren Ave #12, Phoenix, AZ 85004")
    url = (
        "https://www.redfin.com/AZ/Phoenix/655-N-Cactus-Wren-Ave-85004"
        "/unit-12/home/90100612"
    )
    fetcher = CannedFetcher(
        {search_url(address): page("search_units.txt"), url: page("unit.html", url=url)}
    )

    listing = await Redfin().discover(Property.at(address), fetcher=fetcher)

    assert listing.outcome is ListingOutcome.LISTED
    assert listing.url == url
