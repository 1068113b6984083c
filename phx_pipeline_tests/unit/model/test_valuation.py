import pytest

from phx_pipeline.model.valuation import MOST_YEARS, Valuation, plausible_valuations


def test_years_are_told_once_and_the_newest_first() -> None:
    stated = [
        Valuation(tax_year=2024, full_cash_value=389_700),
        Valuation(tax_year=2025, full_cash_value=355_100),
        Valuation(tax_year=2024, full_cash_value=1),
    ]

    assert plausible_valuations(stated) == (stated[1], stated[0])


@pytest.mark.parametrize(
    "stated",
    [
        Valuation(tax_year=2025),
        Valuation(tax_year=20_250, full_cash_value=1),
        Valuation(tax_year=2025, full_cash_value=0),
        Valuation(tax_year=2025, full_cash_value=-5, limited_property_value=10**10),
    ],
)
def test_what_no_house_can_be_worth_is_left_out(stated: Valuation) -> None:
    assert plausible_valuations([stated]) == ()


def test_one_value_beyond_reason_leaves_the_other() -> None:
    stated = Valuation(tax_year=2025, full_cash_value=10**10, limited_property_value=9)

    (held,) = plausible_valuations([stated])

    assert held.stated == {"limited_property_value": 9}


def test_a_history_without_end_keeps_its_newest_years() -> None:
    stated = [Valuation(tax_year=1700 + n, full_cash_value=1) for n in range(300)]

    held = plausible_valuations(stated)

    assert [it.tax_year for it in held] == list(range(1999, 1999 - MOST_YEARS, -1))
