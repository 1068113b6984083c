import pytest
from hypothesis import given
from hypothesis import strategies as st

from phx_pipeline.model.facts import (
    ListingFacts,
)
from phx_pipeline.sources.stated import number, rounded
from phx_pipeline.sources.stated_facts import (
    monthly_fee,
    own_words,
    parcel_number,
    price,
    private_pool,
    sewer_kind,
    size,
    square_feet,
    status_word,
    year,
    yes_or_no,
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@pytest.mark.parametrize(
    ("stated", "value"),
    [
        (1791, 1791),
        (2.5, 2.5),
        ("$298,500", 298_500),
        (" 1,008 sq ft", 1008),
        ("0.25 acres", 0.25),
        ("\u2014", None),
        ("about 3", None),
        ("", None),
        (None, None),
        (True, None),
        (-1, None),
        (10**12, None),
        (float("nan"), None),
        (float("inf"), None),
        ([3], None),
        ("9" * 5000, None),
    ],
)
def test_a_number_is_read_or_nothing(stated: object, value: float | None) -> None:
    assert number(stated) == value


@pytest.mark.parametrize(
    ("stated", "unit", "value"),
    [
        ("0.25 acres", None, 10_890),
        ("1 acre", None, 43_560),
        ("3,746 sqft", None, 3746),
        ("1,688 Square Feet", None, 1688),
        ("8,712 sq. ft.", None, 8712),
        (2.6847, "Acres", 116_946),
        (7405.2, "sqft", 7405),
        (3746.16, "Square Feet", 3746),
        (100, "Square Meters", None),
        (100, None, None),
        (0, "sqft", None),
        ("large", "acres", None),
        (100, ["sqft"], 100),
    ],
)
def test_areas_become_square_feet(
    stated: object, unit: object, value: int | None
) -> None:
    assert square_feet(stated, unit=unit) == value


@pytest.mark.parametrize(
    ("stated", "period", "value"),
    [
        ("No Fees", None, 0),
        ("None", None, 0),
        ("N/A", None, 0),
        ("$150/month", None, 150),
        ("$150 monthly", None, 150),
        ("$62/mo", None, 62),
        ("$1,200/year", None, 100),
        ("$1,000 annually", None, 83.33),
        ("$1,000/yr", None, 83.33),
        ("$186", "Quarterly", 62),
        ("$600", "Semi-Annually", 100),
        ("$300", "Semi-annual", 50),
        ("$90", "Bi-Monthly", 45),
        ("$12", "Weekly", 52),
        (310, "monthly", 310),
        (0, None, 0),
        ("$0", None, 0),
        ("Unknown", None, None),
        ("$150", None, None),
        ("$150", "One Time", None),
        (None, "Monthly", None),
        (-5, "monthly", None),
    ],
)
def test_fees_become_dollars_a_month(
    stated: object, period: object, value: float | None
) -> None:
    assert monthly_fee(stated, period=period) == value


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        (["Public Sewer"], "city"),
        (["City", "Connected"], "city"),
        (["municipal"], "city"),
        (["Septic Tank"], "septic"),
        (["Septic in & Cnctd"], "septic"),
        (["Sewer in Street"], "Sewer in Street"),
        (["Public Sewer", "Septic Tank"], "Public Sewer, Septic Tank"),
        (["Unknown"], None),
        (["None", ""], None),
        ([None, 3], None),
        ([], None),
        (["x" * 500], "x" * 60),
    ],
)
def test_sewers_are_of_the_city_or_septic(
    words: list[object], kind: str | None
) -> None:
    assert sewer_kind(words) == kind


@pytest.mark.parametrize(
    ("words", "own"),
    [
        (["In Ground", "Lap"], True),
        (["Fenced", "Private"], True),
        (["Above Ground"], True),
        (["None"], False),
        (["No Pool"], False),
        (["Community", "In Ground"], None),
        (["Association"], None),
        (["Heated"], None),
        ([None], None),
        ([], None),
    ],
)
def test_a_pool_is_of_the_house_or_of_others(
    words: list[object], *, own: bool | None
) -> None:
    assert private_pool(words) is own


@pytest.mark.parametrize(
    ("stated", "word"),
    [
        ("Active", "Active"),
        ("FOR_SALE", "Active"),
        ("Active Under Contract", "Active Under Contract"),
        ("UNDER_CONTRACT", "Active Under Contract"),
        ("PENDING", "Pending"),
        ("RECENTLY_SOLD", "Closed"),
        ("Off  Market", "Off Market"),
        ("", None),
        (None, None),
        (4, None),
    ],
)
def test_states_are_told_as_in_the_mls(stated: object, word: str | None) -> None:
    assert status_word(stated) == word


@pytest.mark.parametrize(
    ("stated", "value"),
    [(1978, 1978), ("1979", 1979), (-1, None), (0, None), (9, None)],
)
def test_a_year_must_be_one(stated: object, value: int | None) -> None:
    assert year(stated) == value


@pytest.mark.parametrize(
    ("stated", "value"),
    [(True, True), ("Yes", True), ("no", False), ("maybe", None), (1, None)],
)
def test_a_flag_is_yes_or_no(stated: object, *, value: bool | None) -> None:
    assert yes_or_no(stated) is value


@pytest.mark.parametrize(
    ("stated", "number"),
    [
        ("50179577", "501-79-577"),
        ("501-79-577", "501-79-577"),
        ("501 79 577a", "501-79-577A"),
        ("R12-034.5", "R12-034-5"),
        ("N/A", None),
        ("", None),
        (None, None),
        ("--", None),
        ("x" * 99, None),
        (50179577, None),
    ],
)
def test_a_parcel_has_one_number(stated: object, number: str | None) -> None:
    assert parcel_number(stated) == number


@pytest.mark.parametrize(
    ("stated", "words"),
    [
        ("  Ct - Concrete  Tile ", "Ct - Concrete Tile"),
        ("Greenbelt,", "Greenbelt"),
        ("No", "No"),
        ("na", None),
        ("", None),
        (None, None),
        (7, None),
        ("x" * 99, "x" * 60),
    ],
)
def test_own_words_are_one_short_line(stated: object, words: str | None) -> None:
    assert own_words(stated) == words


@given(JSON, JSON)
def test_no_spelling_breaks_the_reading(stated: object, other: object) -> None:
    facts = ListingFacts(
        list_price=size(stated),
        bedrooms_total=number(stated),
        lot_size_square_feet=square_feet(stated, unit=other),
        pool_private=private_pool([stated, other]),
        association_fee=monthly_fee(stated, period=other),
        sewer=sewer_kind([stated, other]),
        year_built=year(stated),
        days_on_market=rounded(stated),
        standard_status=status_word(stated),
        roof=own_words(stated),
        parcel_number=parcel_number(stated),
    )

    numbers = [
        value for value in facts.stated.values() if isinstance(value, int | float)
    ]
    assert all(0 <= value < 2**31 for value in numbers)


@pytest.mark.parametrize(
    "words",
    ["850K", "$1.2M", "2.9e5", "2 1/2", "2\u00bd", "1/2", "3-4", "3 \u2013 4", "2+1",
     "298.500,00", "298 500", "$298,50", "1,791\u20132,000"],
)  # fmt: skip
def test_a_number_written_in_a_way_we_do_not_read_is_none(words: str) -> None:
    assert number(words) is None


@pytest.mark.parametrize("words", ["$1,295/mo", "$1,295 per month", "300 weekly"])
def test_a_rent_is_not_the_price_of_a_house(words: str) -> None:
    assert price(words) is None


@pytest.mark.parametrize("words", ["166 m\u00b2", "166 m2", "166 sq m", "2 hectares"])
def test_a_metric_area_is_not_taken_for_square_feet(words: str) -> None:
    assert square_feet(words, unit="sqft") is None
