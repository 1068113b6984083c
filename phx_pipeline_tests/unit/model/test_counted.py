"""A number and its noun agree."""

import pytest

from phx_pipeline.model.counted import counted


@pytest.mark.parametrize(
    ("count", "noun", "told"),
    [
        (0, "photo", "0 photos"),
        (1, "photo", "1 photo"),
        (2, "property", "2 properties"),
        (1, "property", "1 property"),
        (3, "day", "3 days"),
        (2, "hash", "2 hashes"),
        (1, "row of attempt", "1 row of attempt"),
        (2, "row of attempt", "2 rows of attempt"),
        (2, "published file", "2 published files"),
    ],
)
def test_a_noun_agrees_with_its_number(count: int, noun: str, told: str) -> None:
    assert counted(count, noun) == told
