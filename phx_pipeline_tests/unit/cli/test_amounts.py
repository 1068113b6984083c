"""Amounts as people type them."""

import pytest

from phx_pipeline.cli.search.amounts import amount_of
from phx_pipeline.errors import InputError


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("450000", 450_000),
        ("450,000", 450_000),
        ("$450000", 450_000),
        (" $ 1,450,000 ", 1_450_000),
        ("450k", 450_000),
        ("$449.5K", 449_500),
        ("1.25m", 1_250_000),
        ("0", 0),
    ],
)
def test_an_amount_is_read_as_it_is_meant(text: str, amount: int) -> None:
    assert amount_of(text) == amount


@pytest.mark.parametrize(
    "text",
    ["", "3+", "45,00", "450.5", "-1", "1e6", "0.0001k", "3000m", "9" * 99, "4 5"],
)
def test_what_may_mean_anything_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        amount_of(text)
