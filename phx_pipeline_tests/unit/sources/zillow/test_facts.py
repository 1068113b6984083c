"""What Zillow says of the house, and what it must not be taken from."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phx_pipeline.demo.houses import HOUSES, House
from phx_pipeline.fetch.base import Fetched
from phx_pipeline.model.address import Address
from phx_pipeline.model.conflicts import conflicts
from phx_pipeline.model.facts import ListingFacts, SeenFacts
from phx_pipeline.model.property import Property
from phx_pipeline.model.source import Source
from phx_pipeline.sources.zillow.detail import parse_detail
from phx_pipeline.sources.zillow.facts import home_facts, row_facts
from phx_pipeline.sources.zillow.payload import Page, read_page
from phx_pipeline.sources.zillow.search import rows_matching, rows_of
from phx_pipeline.sources.zillow.standin import detail_page, search_page

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=4,
)
HOME: dict[str, Any] = {
    "zpid": 90100418,
    "homeStatus": "FOR_SALE",
    "contingentListingType": None,
    "price": 434_900,
    "bedrooms": 3,
    "bathrooms": 3,
    "livingArea": 1688,
    "livingAreaValue": 1688,
    "livingAreaUnits": "Square Feet",
    "lotSize": 7405,
    "lotAreaValue": 0.17,
    "lotAreaUnits": "Acres",
    "yearBuilt": 1978,
    "daysOnZillow": 14,
    "monthlyHoaFee": None,
}
RESO: dict[str, Any] = {
    "bathroomsFull": 2,
    "bathroomsHalf": 1,
    "hasGarage": True,
    "garageParkingCapacity": 2,
    "hasPrivatePool": True,
    "hasAssociation": True,
    "associationFee": "$1,200 annually",
    "associationName": "A Name",
    "associationPhone": "000-000-0000",
    "sewer": ["Public Sewer"],
}


def facts_of(home: dict[str, Any] | None = None, **reso: object) -> ListingFacts:
    return home_facts(HOME | {"resoFacts": RESO | reso} | (home or {}), mls_id="680")


def sample(shared: Path, name: str) -> Any:
    return json.loads((shared / "samples/zillow" / name).read_text(encoding="utf-8"))


def page_of(body: bytes) -> Page:
    url = "https://www.zillow.com/homes/x_rb/"
    return read_page(
        Fetched(url=url, status=200, headers={"content-type": "text/html"}, body=body)
    )


def test_the_captured_property_states_these_facts(shared_dir: Path) -> None:
    home = sample(shared_dir, "property_2023-05_sf_zpid15192198.json")

    assert home_facts(home, mls_id="ML81929841") == ListingFacts(
        list_price=850_000,
        bedrooms_total=2,
        bathrooms_total=1,
        living_area=900,
        lot_size_square_feet=3746,
        garage_spaces=1,
        association_fee=0,  # it says that there is no association
        sewer="Sewer in Street",
        year_built=1921,
        days_on_market=0,
        standard_status="Active",
        mls_number="ML81929841",
    )


def test_the_resold_property_states_these_facts(shared_dir: Path) -> None:
    home = sample(shared_dir, "property_2025-02_beverlyhills_zpid20533547.json")

    assert home_facts(home, mls_id=None) == ListingFacts(
        list_price=89_900_000,
        bedrooms_total=9,
        bathrooms_total=22,
        living_area=28_500,
        lot_size_square_feet=116_945,
        days_on_market=276,
        standard_status="Active",
    )


def test_every_captured_search_row_states_facts(shared_dir: Path) -> None:
    file = shared_dir / "samples/zillow/search_2026-03_houston_forsale.html"
    search = page_of(file.read_bytes()).search

    facts = {row.zpid: row.facts for row in rows_of(search or {})}

    assert facts["84046696"] == ListingFacts(
        list_price=459_000,
        bedrooms_total=5,
        bathrooms_total=3,
        living_area=3480,
        lot_size_square_feet=15_695,
        days_on_market=82,
        standard_status="Active",
    )
    assert all(own.list_price and own.living_area for own in facts.values())


def test_all_facts_of_a_property_are_read() -> None:
    assert facts_of() == ListingFacts(
        list_price=434_900,
        bedrooms_total=3,
        bathrooms_total=2.5,
        living_area=1688,
        lot_size_square_feet=7405,
        garage_spaces=2,
        pool_private=True,
        association_fee=100,
        sewer="city",
        year_built=1978,
        days_on_market=14,
        standard_status="Active",
        mls_number="680",
    )


@pytest.mark.parametrize(
    ("home", "name", "value"),
    [
        ({"homeStatus": "SOLD"}, "list_price", None),
        ({"homeStatus": "SOLD"}, "standard_status", "Closed"),
        ({"homeStatus": "FOR_RENT"}, "list_price", None),
        ({"homeStatus": "PENDING"}, "list_price", 434_900),
        (
            {"contingentListingType": "UNDER_CONTRACT"},
            "standard_status",
            "Active Under Contract",
        ),
        ({"lotSize": None}, "lot_size_square_feet", 7405),
        ({"lotSize": None, "lotAreaUnits": "Hectares"}, "lot_size_square_feet", None),
        ({"livingAreaUnits": "Square Meters"}, "living_area", None),
        ({"monthlyHoaFee": 62}, "association_fee", 62),
        ({"daysOnZillow": -1}, "days_on_market", None),
    ],
)
def test_the_property_object_is_read_with_care(
    home: dict[str, Any], name: str, value: object
) -> None:
    assert facts_of(home).value(name) == value


@pytest.mark.parametrize(
    ("reso", "name", "value"),
    [
        ({"bathroomsFloat": 2.75}, "bathrooms_total", 2.75),
        ({"bathroomsFull": None, "bathroomsHalf": None}, "bathrooms_total", 3),
        ({"bathroomsThreeQuarter": 1}, "bathrooms_total", 3.25),
        ({"garageParkingCapacity": None}, "garage_spaces", None),
        ({"garageParkingCapacity": None, "hasGarage": False}, "garage_spaces", 0),
        ({"associationFee": None}, "association_fee", None),
        ({"associationFee": None, "hasAssociation": False}, "association_fee", 0),
        ({"hasPrivatePool": None}, "pool_private", None),
        ({"hasPrivatePool": None, "poolFeatures": ["None"]}, "pool_private", False),
        ({"sewer": "Septic Tank"}, "sewer", "septic"),
    ],
)
def test_the_facts_of_the_mls_are_read_with_care(
    reso: dict[str, Any], name: str, value: object
) -> None:
    assert facts_of(**reso).value(name) == value


@given(st.sampled_from(sorted(HOME)), JSON)
def test_a_malformed_value_costs_no_other_fact(name: str, value: object) -> None:
    facts = facts_of({name: value})

    assert (facts.sewer, facts.garage_spaces) == ("city", 2)


@given(st.sampled_from(sorted(RESO)), JSON, JSON)
def test_malformed_facts_cost_nothing_else(
    name: str, value: object, other: object
) -> None:
    changes: dict[str, Any] = {name: value}

    assert facts_of(**changes).bedrooms_total == 3
    assert facts_of({"resoFacts": other}).bedrooms_total == 3


@given(st.sampled_from(sorted(HOME)), JSON)
def test_a_malformed_row_breaks_nothing(name: str, value: object) -> None:
    row = row_facts(HOME | {"lotAreaUnit": "sqft", name: value})

    assert row.mls_number is None


@pytest.mark.parametrize("house", HOUSES, ids=lambda house: house.street)
def test_the_stand_in_states_the_facts_of_its_houses(house: House) -> None:
    address = Address.parse(house.address)
    others = tuple(other for other in HOUSES if other is not house)
    page = page_of(detail_page(house, others=others))

    facts = parse_detail(page, house=Property.at(address), zpid=None).facts

    assert facts is not None
    assert facts == ListingFacts(
        list_price=house.record.price,
        bedrooms_total=house.beds_on_zillow or house.beds,
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


def test_a_row_and_its_page_do_not_contradict_each_other() -> None:
    for house in HOUSES:
        address = Address.parse(house.address)
        search = page_of(search_page((house,), relaxed=())).search
        (row,) = rows_matching(search or {}, house=Property.at(address))
        detail = parse_detail(
            page_of(detail_page(house, others=())),
            house=Property.at(address),
            zpid=row.zpid,
        ).facts

        assert detail is not None
        answers = [
            SeenFacts(source=source, seen_on=house.record.listed_on, facts=facts)
            for source, facts in [(Source.ZILLOW, detail), (Source.UNKNOWN, row.facts)]
        ]
        assert conflicts(answers) == ()
        assert row.facts.list_price == house.record.price


def test_no_name_and_no_number_of_a_person_is_a_fact() -> None:
    told = str(facts_of())

    assert "A Name" not in told
    assert "000-000-0000" not in told


@pytest.mark.parametrize(
    ("counted", "told", "days"),
    [
        (14, "5 days", 14),
        (0, "5 days", 5),
        (-1, "5 days", 5),
        (None, "2 weeks", 14),
        (10**9, "5 days", 5),
        (0, "13 hours", 0),
        (0, None, 0),
        (None, None, None),
    ],
)
def test_a_count_of_days_that_cannot_be_gives_way_to_the_time_told(
    counted: object, told: object, days: int | None
) -> None:
    facts = facts_of({"daysOnZillow": counted, "timeOnZillow": told})

    assert facts.days_on_market == days
