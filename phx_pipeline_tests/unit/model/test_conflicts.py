from datetime import date, timedelta
from typing import Any

import pytest

from phx_pipeline.model.conflicts import conflicts
from phx_pipeline.model.facts import FactValue, ListingFacts, SeenFacts
from phx_pipeline.model.source import Source

DAY = date(2026, 3, 9)


def seen(
    facts: ListingFacts, source: Source = Source.REDFIN, *, on: date = DAY
) -> SeenFacts:
    return SeenFacts(source=source, seen_on=on, facts=facts)


def fact(name: str, value: FactValue) -> ListingFacts:
    only: dict[str, Any] = {name: value}
    return ListingFacts(**only)


def disagree(one: ListingFacts, other: ListingFacts) -> list[str]:
    """Return the names of the facts in which two sources differ."""
    found = conflicts([seen(one), seen(other, Source.ZILLOW)])
    return [conflict.name for conflict in found]


@pytest.mark.parametrize(
    ("name", "one", "other"),
    [
        ("list_price", 434_900, 434_901),
        ("bedrooms_total", 3.0, 4.0),
        ("bathrooms_total", 2.0, 2.5),
        ("living_area", 1688, 1720),
        ("lot_size_square_feet", 7405, 8712),
        ("garage_spaces", 2.0, 3.0),
        ("pool_private", True, False),
        ("association_fee", 0.0, 62.0),
        ("sewer", "city", "septic"),
        ("year_built", 1978, 1980),
        ("stories_total", 1.0, 2.0),
        ("parcel_number", "501-79-577", "501-79-578"),
        ("standard_status", "Active", "Pending"),
        ("mls_number", "6983352", "6983353"),
    ],
)
def test_a_difference_is_a_conflict(
    name: str, one: FactValue, other: FactValue
) -> None:
    left = fact(name, one)
    right = fact(name, other)

    assert disagree(left, right) == [name]
    assert disagree(right, left) == [name]
    assert disagree(left, ListingFacts()) == []


@pytest.mark.parametrize(
    ("name", "one", "other"),
    [
        ("bathrooms_total", 2.5, 3.0),
        ("living_area", 1688, 1700),
        ("lot_size_square_feet", 43_560, 43_200),
        ("lot_size_square_feet", 6240, 6098),
        ("year_built", 1978, 1979),
        ("stories_total", 1.5, 2.0),
        ("parcel_number", "501-79-577", "50179577"),
        ("roof", "Ct - Concrete Tile", "Tile"),
        ("construction_materials", "Fs - Frame Stucco", "Stucco"),
        ("cooling", "RF - REFRIGERATION", "Central Air"),
        ("heating", "Yes", "Natural Gas"),
        ("property_sub_type", "Single Family Residence", "House"),
        ("association_fee", 83.33, 83.0),
        ("sewer", "city", "Sewer in Street"),
        ("days_on_market", 3, 40),
        ("standard_status", "Active Under Contract", "Pending"),
        ("mls_number", "ML81929841", "81929841"),
    ],
)
def test_what_sites_spell_or_round_differently_is_no_conflict(
    name: str, one: FactValue, other: FactValue
) -> None:
    left = fact(name, one)
    right = fact(name, other)

    assert disagree(left, right) == []


@pytest.mark.parametrize("name", ["list_price", "standard_status"])
def test_an_old_answer_does_not_contradict_what_may_have_changed(name: str) -> None:
    values: tuple[FactValue, FactValue] = (1, 2) if name == "list_price" else ("a", "b")
    old, new = (fact(name, value) for value in values)
    near, far = DAY - timedelta(days=6), DAY - timedelta(days=7)

    assert conflicts([seen(old, on=near), seen(new, Source.ZILLOW)])
    assert not conflicts([seen(old, on=far), seen(new, Source.ZILLOW)])


def test_an_old_answer_contradicts_what_does_not_change() -> None:
    old = seen(ListingFacts(bedrooms_total=3), on=DAY - timedelta(days=99))

    assert conflicts([old, seen(ListingFacts(bedrooms_total=4), Source.ZILLOW)])


def test_a_conflict_tells_what_everyone_says_in_order_of_their_names() -> None:
    answers = [
        seen(ListingFacts(bedrooms_total=4), Source.ZILLOW),
        seen(ListingFacts(bedrooms_total=3), Source.REDFIN),
        seen(ListingFacts(bedrooms_total=3), Source.MARICOPA),
        seen(ListingFacts(year_built=1978), Source.PHOENIX_MLS),
    ]

    (found,) = conflicts(answers)

    assert found.values == (
        (Source.MARICOPA, 3),
        (Source.REDFIN, 3),
        (Source.ZILLOW, 4),
    )


def test_one_source_alone_cannot_disagree() -> None:
    assert conflicts([seen(ListingFacts(bedrooms_total=3))]) == ()
    assert conflicts([]) == ()
