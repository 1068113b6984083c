"""What a search asks for, and which rows of a page meet it."""

from typing import Any

import pytest

from phx_pipeline.errors import InputError
from phx_pipeline.model.address import Address
from phx_pipeline.model.facts import ListingFacts
from phx_pipeline.model.search import (
    Criteria,
    LeftOut,
    Offer,
    doubt_about,
    require_name,
    sift,
)
from phx_pipeline.model.source import Source

ADDRESS = Address.parse("4732 W Davis Rd, Glendale, AZ 85306")
WEST = Criteria(zip_codes=("85306",), max_price=450_000, min_beds=3, pool=True)


def offer(**changes: Any) -> Offer:
    given: dict[str, Any] = {
        "source": Source.REDFIN,
        "listing_id": "1",
        "url": "https://www.redfin.com/1",
        "address": ADDRESS,
        "facts": ListingFacts(list_price=450_000, bedrooms_total=3.0),
    }
    return Offer(**given | changes)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({}, None),
        ({"address": None}, LeftOut.UNDISCLOSED),
        ({"address": None, "told": "Lot 4"}, LeftOut.UNREADABLE),
        ({"facts": ListingFacts(standard_status="Pending")}, LeftOut.NOT_FOR_SALE),
        ({"facts": ListingFacts(standard_status="FOR_RENT")}, LeftOut.NOT_FOR_SALE),
        ({"facts": ListingFacts(standard_status="Inactive")}, LeftOut.NOT_FOR_SALE),
        ({"facts": ListingFacts(standard_status="Coming Soon")}, None),
        ({"facts": ListingFacts(list_price=450_001)}, LeftOut.CRITERIA),
        ({"facts": ListingFacts(bedrooms_total=2.0)}, LeftOut.CRITERIA),
        ({"facts": ListingFacts(pool_private=False)}, LeftOut.CRITERIA),
        (
            {"address": Address.parse("4732 W Davis Rd, Glendale, AZ 85301")},
            LeftOut.ELSEWHERE,
        ),
    ],
)
def test_a_row_is_sifted_by_what_it_says(
    changes: dict[str, Any], why: LeftOut | None
) -> None:
    assert sift(offer(**changes), WEST)[0] is why


def test_what_a_row_does_not_tell_is_not_held_against_it() -> None:
    (told,) = WEST.unstated_by(offer().facts)
    assert told == "a pool of its own"
    assert WEST.told() == ("at most $450,000", "at least 3 beds", told)


@pytest.mark.parametrize(
    ("status", "doubt"),
    [
        ("Active", ""),
        ("FOR_SALE", ""),
        ("Coming Soon", ""),
        (None, "its row does not tell: its state"),
        *(
            (word, f"it may not be for sale: its state is {word!r}")
            for word in ("Foreclosed", "AUCTION", "Accepted Offer", "UCB", "Reactive")
        ),
    ],
)
def test_a_state_that_is_no_known_sale_is_a_doubt(
    status: str | None, doubt: str
) -> None:
    facts = ListingFacts(list_price=1, standard_status=status)
    assert doubt_about(facts, Criteria(zip_codes=("85306",), max_price=2)) == doubt


def test_criteria_come_back_as_they_were() -> None:
    criteria = Criteria(zip_codes=("85306",), cities=("Glendale",), min_baths=2.5)
    assert Criteria.of(criteria.plain()) == criteria
    assert [it.place for it in criteria.each_place()] == ["85306", "Glendale"]
    assert Criteria(cities=(" sun   city ",)).checked(this_year=2026).cities == (
        "Sun City",
    )


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, "--zip or --city"),
        ({"zip_codes": ("8530",)}, "five digits"),
        ({"zip_codes": ("10001",)}, "not in Arizona"),
        ({"cities": ("Mesa, AZ",)}, "the name of a city"),
        ({"zip_codes": ("85306",), "min_price": 5, "max_price": 4}, "--max-price 4"),
        ({"zip_codes": ("85306",), "min_year": 2050}, "from 1800 to 2026"),
        ({"zip_codes": ("85306",), "min_year": 84}, "--min-year 84"),
        ({"zip_codes": ("85306",), "max_price": 0}, "--max-price 0: no house is so"),
        ({"cities": ("Tucsonn",)}, "did you mean Tucson"),
        ({"zip_codes": ("85306",), "min_baths": 1.3}, "such as 2, 2.5"),
        ({"zip_codes": ("85306",), "min_beds": 2.5}, "--min-beds 2.5"),
    ],
)
def test_criteria_that_mean_nothing_are_refused(
    given: dict[str, Any], told: str
) -> None:
    with pytest.raises(InputError, match=told):
        Criteria(**given).checked(this_year=2026)


@pytest.mark.parametrize("name", ["", "West", "a" * 41, "-west", "a b"])
def test_a_name_is_short_and_plain(name: str) -> None:
    with pytest.raises(InputError):
        require_name(name)
