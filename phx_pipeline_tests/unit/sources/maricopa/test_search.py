"""The row of the search is the house's own, never the first."""

import json
from urllib.parse import parse_qs, urlsplit

import pytest

from phx_pipeline.model.address import Address
from phx_pipeline.model.outcome import ListingOutcome
from phx_pipeline.model.property import Property
from phx_pipeline.sources.maricopa.answers import situs
from phx_pipeline.sources.maricopa.parcel import parcel_url
from phx_pipeline.sources.maricopa.search import MOST_PAGES, ROWS_A_PAGE, search_url
from phx_pipeline.sources.maricopa.standin import parcel_of
from phx_pipeline.sources.standins import House
from phx_pipeline_tests.unit.sources.maricopa.county import (
    ADDRESS,
    ANSWER,
    HERE,
    HOUSE,
    PARCEL,
    SEARCH,
    asked,
    beside,
    county,
    parcel,
    search,
    whole,
)

WRONG_ZIP = beside(HERE, zip_code="85308", apn="200-90-001")
ACROSS = beside(HERE, direction="E", apn="200-90-002")
NO_DIRECTION = beside(HERE, direction="", apn="200-90-003")
TWIN = beside(HERE, apn="200-90-004")


@pytest.mark.parametrize(
    ("line", "city", "zip_code", "read"),
    [
        ("15847 W PORT ROYALE LN SURPRISE 85379", "Phoenix", "", "Surprise"),
        ("15847 W PORT ROYALE LN", "SURPRISE", "85379", "SURPRISE"),
        ("15847  W PORT ROYALE LN   SURPRISE  85379-1234 ", "Mesa", "", "Surprise"),
        ("15847 W PORT ROYALE LN WHERE EVER 85379", "Mesa", "", "Where Ever"),
    ],
)
def test_an_address_is_read_as_the_county_writes_it(
    line: str, city: str, zip_code: str, read: str
) -> None:
    own = Address.parse(f"15847 W Port Royale Ln, {read}, AZ 85379")

    assert situs(line, city=city, zip_code=zip_code) == own


@pytest.mark.parametrize(
    ("line", "unit"),
    [
        ("4343 N 21ST ST   131", "Unit 131"),
        ("4343 N 21ST ST UNIT B", "Unit B"),
        ("4343 N 21ST ST 10131", "Unit 10131"),
        ("4343 N 21ST ST 85016", None),
    ],
)
def test_what_ends_a_line_is_a_unit_unless_it_is_the_zip_code(
    line: str, unit: str | None
) -> None:
    found = situs(line, city="PHOENIX", zip_code="85016")

    assert found is not None
    assert (found.unit, found.zip_code) == (unit, "85016")


def test_the_search_is_asked_for_the_street_line_alone() -> None:
    flat = Address.parse("7316 E Copper Thrush Ave #204, Scottsdale, AZ 85251")

    first, second = (search_url(flat, page=page) for page in (1, 2))

    assert parse_qs(urlsplit(first).query) == {"q": ["7316 E Copper Thrush Ave"]}
    assert parse_qs(urlsplit(second).query)["page"] == ["2"]


async def test_the_row_with_street_and_zip_is_taken_though_others_come_first() -> None:
    rows = search(WRONG_ZIP, ACROSS, HERE)

    listing = await asked(whole(search=rows))

    assert listing.outcome is ListingOutcome.LISTED
    assert listing.listing_id == HERE.apn


@pytest.mark.parametrize(
    ("houses", "outcome", "told"),
    [
        ([], ListingOutcome.NOT_FOUND, "does not know"),
        ([WRONG_ZIP], ListingOutcome.NOT_FOUND, "does not know"),
        ([ACROSS], ListingOutcome.NOT_FOUND, "does not know"),
        ([NO_DIRECTION], ListingOutcome.AMBIGUOUS, "phx properties confirm"),
        ([HERE, TWIN], ListingOutcome.AMBIGUOUS, "200-90-117, 200-90-004"),
    ],
)
async def test_without_just_one_such_row_no_parcel_is_asked_for(
    houses: list[House], outcome: ListingOutcome, told: str
) -> None:
    fetcher = county({SEARCH: search(*houses)})

    listing = await asked(fetcher)

    assert (listing.outcome, listing.photos, listing.facts) == (outcome, (), None)
    assert told in listing.detail
    assert [it.url for it in fetcher.asked] == [SEARCH]


async def test_a_row_without_a_zip_code_settles_nothing() -> None:
    rows = json.loads(search(HERE))
    rows["Results"][0]["SitusZip"] = None

    listing = await asked(county({SEARCH: json.dumps(rows).encode()}))

    assert listing.outcome is ListingOutcome.AMBIGUOUS
    assert f"no ZIP code of {HERE.apn}" in listing.detail


async def test_bare_land_among_the_rows_is_passed_over() -> None:
    rows = json.loads(search(TWIN, HERE))
    for line in (None, "", "N/A", "VACANT"):
        rows["Results"][0]["SitusAddress"] = line

        listing = await asked(whole(search=json.dumps(rows).encode()))

        assert listing.listing_id == HERE.apn


NUMBERLESS = {"APN": None}
NOWHERE = {"SitusAddress": {"line": 1}}


def odd_among(*houses: House, at: int, odd: object) -> bytes:
    """A search one of whose rows is *odd*: another thing, or with other members."""
    told = json.loads(search(*houses))
    row = told["Results"][at]
    told["Results"][at] = row | odd if isinstance(odd, dict) else odd
    return json.dumps(told).encode()


@pytest.mark.parametrize("odd", [NUMBERLESS, {"APN": "12"}, {"APN": []}, NOWHERE, 7])
async def test_an_odd_row_beside_the_house_spoils_nothing(odd: object) -> None:
    rows = odd_among(ACROSS, HERE, at=0, odd=odd)

    listing = await asked(whole(search=rows))

    assert (listing.outcome, listing.listing_id) == ("listed", HERE.apn)


@pytest.mark.parametrize(
    ("houses", "at", "odd", "outcome"),
    [
        ((ACROSS, WRONG_ZIP), 0, NUMBERLESS, "not_found"),
        ((ACROSS, WRONG_ZIP), 0, NOWHERE, "page_changed"),
        ((NO_DIRECTION, WRONG_ZIP), 0, NUMBERLESS, "page_changed"),
        ((ACROSS, HERE), 1, NUMBERLESS, "page_changed"),
        ((TWIN, HERE), 0, NUMBERLESS, "page_changed"),
        ((ACROSS,), 0, NUMBERLESS, "page_changed"),
    ],
    ids=["another's", "nobody's", "near", "own", "own of two", "all"],
)
async def test_an_odd_row_that_may_be_the_house_is_a_changed_page(
    houses: tuple[House, ...], at: int, odd: object, outcome: str
) -> None:
    rows = odd_among(*houses, at=at, odd=odd)

    listing = await asked(whole(search=rows))

    assert (listing.outcome, listing.photos) == (outcome, ())


# --- pages ----------------------------------------------------------------------------


def neighbours(page: int, *, count: int = ROWS_A_PAGE) -> list[House]:
    return [
        beside(HERE, unit=f"{page}{at:02}", apn=f"300-{page:02}-{at:03}")
        for at in range(count)
    ]


async def test_a_house_on_the_third_page_is_found() -> None:
    flat = beside(HERE, unit="999", apn="300-99-999")
    pages = [neighbours(1), neighbours(2), [*neighbours(3, count=5), flat]]
    address = Address.parse(flat.address)
    answers = {
        search_url(address, page=number): search(*houses)
        for number, houses in enumerate(pages, start=1)
    }
    fetcher = county({**answers, parcel_url(parcel_of(flat)): parcel(flat)})

    listing = await asked(fetcher, house=Property.at(address))

    assert (listing.outcome, listing.listing_id) == (ListingOutcome.LISTED, flat.apn)
    assert len(fetcher.asked) == len(pages) + 1


async def test_an_odd_row_of_an_earlier_page_is_not_forgotten() -> None:
    flat = Address.parse(beside(HERE, unit="77").address)
    answers = {
        search_url(flat): odd_among(*neighbours(1), at=0, odd=NOWHERE),
        search_url(flat, page=2): search(*neighbours(2, count=3)),
    }

    listing = await asked(county(answers), house=Property.at(flat))

    assert listing.outcome is ListingOutcome.PAGE_CHANGED


async def test_a_search_that_goes_on_without_end_is_left_and_says_so() -> None:
    flat = Address.parse(beside(HERE, unit="77").address)
    answers = {
        search_url(flat, page=number): search(*neighbours(number))
        for number in range(1, MOST_PAGES + 1)
    }

    listing = await asked(county(answers), house=Property.at(flat))

    assert listing.outcome is ListingOutcome.AMBIGUOUS
    assert f"the first {MOST_PAGES * ROWS_A_PAGE} parcels" in listing.detail


async def test_a_search_that_shows_one_page_for_all_is_asked_twice() -> None:
    rows = search(*neighbours(1))
    flat = Address.parse(beside(HERE, unit="77").address)
    fetcher = county({search_url(flat, page=page): rows for page in (1, 2)})

    listing = await asked(fetcher, house=Property.at(flat))

    assert listing.outcome is ListingOutcome.NOT_FOUND
    assert len(fetcher.asked) == 2


def test_the_urls_of_search_and_parcel_are_those_of_the_county() -> None:
    assert SEARCH == (
        "https://mcassessor.maricopa.gov/search/property/?q=4871%20W%20Larkstone%20Rd"
    )
    assert f"https://mcassessor.maricopa.gov/parcel/{PARCEL}" == ANSWER
    assert HOUSE.address == ADDRESS
