"""Why a text is no cron, told by its field."""

import pytest

from phx_pipeline.model.cron import why_not


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("7:00", "it has 1 field, not the five of cron"),
        ("0 24 * * *", "its hour cannot be 24: numbers from 0 to 23 are taken"),
        ("0 7 * * MON", "its weekday cannot be MON: numbers from 0 to 7"),
        ("0 7 * 1,13 *", "its month cannot be 1,13"),
        ("@daily", "it has 1 field"),
        ("0 7 30 2 *", "no month has that day"),
    ],
)
def test_what_is_wrong_names_the_field_and_what_it_takes(text: str, told: str) -> None:
    assert why_not(text).startswith(told)
