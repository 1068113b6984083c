"""What a Redfin page says of the house, and what it must not be taken from."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phx_pipeline.demo.houses import HOUSES, House
from phx_pipeline.model.address import Address
from phx_pipeline.model.facts import ListingFacts
from phx_pipeline.model.outcome import ListingOutcome
from phx_pipeline.model.property import Property
from phx_pipeline.sources.redfin.parse import parse_listing
from phx_pipeline.sources.redfin.standin import listing_page

DAHLONEGA = "redfin/detail_2026-02_dahlonega_home137774138_undercontract.html"
ADDRESS = Address.parse("1418 E Quail Whistle Ln, Phoenix, AZ 85042")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=4,
)
SECTION: dict[str, Any] = {
    "streetAddress": {"assembledAddress": "1418 E Quail Whistle Ln"},
    "city": "Phoenix",
    "state": "AZ",
    "zip": "85042",
    "searchStatus": 1,
    "status": {"displayValue": "Active"},
    "priceInfo": {"amount": 434_900, "label": "Listed at Price"},
    "beds": 3,
    "baths": 2.5,
    "sqFt": {"displayLevel": 1, "value": 1688},
    "lotSize": 7405,
    "yearBuilt": 1978,
    "timeOnRedfin": 3_500_000_000,
}
COUNTY = [("Beds", None, "2"), ("Sewer", None, "Septic"), ("Year Built", None, "1961")]


def page(
    *amenities: tuple[str, str | None, str], rift: str = "ldp", **section: object
) -> str:
    """A page whose own object holds SECTION with changes, and MLS amenities."""
    entries = [
        {"amenityName": name, "amenityValues": [value]}
        | ({"referenceName": reference} if reference else {})
        for name, reference, value in amenities
    ]
    amenities_info = {"superGroups": [{"amenityGroups": [{"amenityEntries": entries}]}]}
    payloads: dict[str, object] = {
        "initialInfo": {"listingId": 1, "mlsId": "6801242", "riftPageType": rift},
        "aboveTheFold": {
            "addressSectionInfo": SECTION | section,
            "mediaBrowserInfo": {"photos": []},
        },
        "belowTheFold": {"amenitiesInfo": amenities_info},
        "similars/listings": {"homes": [{"beds": 9, "hoa": {"value": 999}}]},
    }
    return embedding(payloads)


def embedding(payloads: dict[str, object]) -> str:
    cache = {
        f"/stingray/api/home/details/{name}": {
            "res": {"text": "{}&&" + json.dumps({"resultCode": 0, "payload": payload})}
        }
        for name, payload in payloads.items()
    }
    context = {"ReactServerAgent.cache": {"dataCache": cache}}
    return f"root.__reactServerState.InitialContext = {json.dumps(context)};"


def facts_of(text: str, address: Address = ADDRESS) -> ListingFacts:
    facts = parse_listing(text, house=Property.at(address), page_url="https://x").facts
    assert facts is not None
    return facts


def test_the_real_page_states_these_facts(shared_dir: Path) -> None:
    text = (shared_dir / "samples" / DAHLONEGA).read_text(encoding="utf-8")

    facts = facts_of(text, Address.parse("94 King Arthur Ct, Dahlonega, GA 30533"))

    # The county says 1990 and 1,008 square feet: of the house that stood there before.
    assert facts == ListingFacts(
        list_price=298_500,
        bedrooms_total=4,
        bathrooms_total=2,
        living_area=1791,
        lot_size_square_feet=43_560,
        sewer="septic",
        year_built=2025,
        days_on_market=164,
        standard_status="Active Under Contract",
        mls_number="7652074",
    )


def test_all_facts_of_a_page_are_read() -> None:
    text = page(
        ("# of Garage Spaces", "GARAGE_SPACES", "2"),
        ("Pool Private", "POOL_PRIVATE_YN", "Yes"),
        ("Association Fee", "ASSOCIATION_FEE", "$186"),
        ("Association Fee Frequency", "ASSOCIATION_FEE_FREQUENCY", "Quarterly"),
        ("Sewer", "SEWER", "Public Sewer"),
        *COUNTY,
    )

    assert facts_of(text) == ListingFacts(
        list_price=434_900,
        bedrooms_total=3,
        bathrooms_total=2.5,
        living_area=1688,
        lot_size_square_feet=7405,
        garage_spaces=2,
        pool_private=True,
        association_fee=62,
        sewer="city",
        year_built=1978,
        days_on_market=40,
        standard_status="Active",
        mls_number="6801242",
    )


def test_what_the_county_and_other_houses_say_is_not_read() -> None:
    facts = facts_of(page(*COUNTY, beds=None, yearBuilt=None))

    assert (facts.bedrooms_total, facts.year_built) == (None, None)
    assert (facts.sewer, facts.association_fee) == (None, None)


@pytest.mark.parametrize(
    ("amenity", "name", "value"),
    [
        (("Association", "ASSOCIATION_YN", "No"), "association_fee", 0.0),
        (("Association", "ASSOCIATION_YN", "Yes"), "association_fee", None),
        (("Pool Features", "POOL_FEATURES", "None"), "pool_private", False),
        (("Pool Features", "POOL_FEATURES", "In Ground"), "pool_private", True),
        (("Carport", "CARPORT_SPACES", "2"), "garage_spaces", None),
    ],
)
def test_amenities_say_what_there_is_not_too(
    amenity: tuple[str, str, str], name: str, value: object
) -> None:
    assert facts_of(page(amenity)).value(name) == value


@pytest.mark.parametrize(
    "changes",
    [
        {"rift": "sdp", "searchStatus": 4, "status": {"displayValue": "Closed"}},
        {"priceInfo": {"amount": 434_900, "label": "Redfin Estimate"}},
        {"priceInfo": {"amount": 434_900, "label": "Last Sold Price"}},
        {"priceInfo": None},
    ],
)
def test_only_a_price_that_is_asked_is_one(changes: dict[str, Any]) -> None:
    assert facts_of(page(**changes)).list_price is None


@pytest.mark.parametrize(
    ("counted", "elapsed_ms", "days"),
    [
        (12, 454_496_180, 12),
        (0, 454_496_180, 5),
        (0, 86_399_999, 0),
        (0, None, 0),
        (-1, 454_496_180, 5),
        (10**18, 454_496_180, 5),
        (None, {"value": 454_496_180}, 5),
        ({"value": 12}, None, 12),
        ("12", None, 12),
        (None, 10**18, None),
        (0, 10**18, 0),
        (None, float("nan"), None),
        (None, True, None),
        (None, -1, None),
    ],
)
def test_the_sites_own_count_of_days_goes_first_unless_it_cannot_be(
    counted: object, elapsed_ms: object, days: int | None
) -> None:
    told = page(cumulativeDaysOnMarket=counted, timeOnRedfin=elapsed_ms)

    assert facts_of(told).days_on_market == days


def test_the_page_of_another_house_gives_no_facts() -> None:
    other = Address.parse("1422 E Quail Whistle Ln, Phoenix, AZ 85042")

    listing = parse_listing(page(), house=Property.at(other), page_url="https://x")

    assert listing.outcome is ListingOutcome.WRONG_PROPERTY
    assert listing.facts is None


@given(
    st.sampled_from(sorted(set(SECTION) - {"streetAddress", "city", "state", "zip"})),
    JSON,
)
def test_a_malformed_value_costs_no_other_fact(name: str, value: object) -> None:
    changes: dict[str, Any] = {name: value}

    facts = facts_of(page(("Sewer", "SEWER", "Public Sewer"), **changes))

    assert (facts.sewer, facts.mls_number) == ("city", "6801242")


@given(JSON)
def test_malformed_amenities_are_no_facts(value: object) -> None:
    payloads: dict[str, object] = {
        "aboveTheFold": {
            "addressSectionInfo": SECTION,
            "mediaBrowserInfo": {"photos": []},
        },
        "belowTheFold": {"amenitiesInfo": {"superGroups": value}},
    }

    assert facts_of(embedding(payloads)).bedrooms_total == 3


@pytest.mark.parametrize("house", HOUSES, ids=lambda house: house.street)
def test_the_stand_in_states_the_facts_of_its_houses(house: House) -> None:
    facts = facts_of(
        listing_page(house, others=()).decode(), Address.parse(house.address)
    )

    assert facts == ListingFacts(
        list_price=house.record.price,
        bedrooms_total=house.beds,
        bathrooms_total=house.baths,
        living_area=house.sqft,
        lot_size_square_feet=house.lot_sqft,
        garage_spaces=house.garage,
        pool_private=house.pool,
        association_fee=house.hoa,
        sewer="septic" if "Septic" in house.sewer else "city",
        year_built=house.year_built,
        days_on_market=facts.days_on_market,
        standard_status="Active",
        mls_number=house.record.mls_id,
    )


@pytest.mark.parametrize("word", ["An Agent", "listingAgentName"])
def test_nobody_is_named_in_the_facts(
    word: str, redfin_page: Callable[[House], str]
) -> None:
    house = HOUSES[0]
    text = redfin_page(house)

    facts = facts_of(text, Address.parse(house.address))

    assert word in text
    assert word not in str(facts)


@pytest.fixture
def redfin_page() -> Callable[[House], str]:
    return lambda house: listing_page(house, others=()).decode()


@pytest.mark.parametrize(
    ("label", "asked"),
    [
        ("Listed at Price", 434_900),
        ("List Price", 434_900),
        ("", 434_900),
        ("Last Listed Price", None),
        ("Previously Listed", None),
        ("Rent", None),
        ("Starting Bid", None),
    ],
)
def test_the_label_tells_whether_a_price_is_asked(
    label: str, asked: int | None
) -> None:
    told = page(priceInfo={"amount": 434_900, "label": label})

    assert facts_of(told).list_price == asked


def test_a_time_on_the_site_may_be_a_text() -> None:
    told = page(cumulativeDaysOnMarket=0, timeOnRedfin="454496180")

    assert facts_of(told).days_on_market == 5
