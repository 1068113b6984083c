import pytest
from hypothesis import given
from hypothesis import strategies as st

from phx_pipeline.catalog.rows import signed, unsigned

EXTREMES = [0, 1, 2**63 - 1, 2**63, 2**64 - 1]


@given(st.integers(0, 2**64 - 1) | st.sampled_from(EXTREMES))
def test_a_hash_fits_a_signed_column_and_comes_back(value: int) -> None:
    stored = signed(value)

    assert -(2**63) <= stored < 2**63
    assert unsigned(stored) == value


@pytest.mark.parametrize(
    ("value", "stored"),
    [(0, 0), (2**63 - 1, 2**63 - 1), (2**63, -(2**63)), (2**64 - 1, -1)],
)
def test_the_extremes_are_stored_as_twos_complement(value: int, stored: int) -> None:
    assert signed(value) == stored
