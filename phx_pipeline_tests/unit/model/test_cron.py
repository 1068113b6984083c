"""Which texts say when, why others do not, and whether that has come today."""

from datetime import datetime

import pytest

from phx_pipeline.model.cron import has_come, why_not
from phx_pipeline.model.moments import PHOENIX

FRIDAY = datetime(2026, 11, 27, 7, 30, tzinfo=PHOENIX)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("7:00", "it has 1 field, not the five of cron"),
        ("0 24 * * *", "its hour 24 is none: numbers from 0 to 23 are taken"),
        ("0 7 * * MON", "its weekday MON is none: numbers from 0 to 7"),
        ("0 7 * 1,13 *", "its month 1,13 is none"),
        ("@daily", "it has 1 field"),
        ("0 7 30 2 *", "no month has that day"),
    ],
)
def test_what_is_wrong_names_the_field_and_what_it_takes(text: str, told: str) -> None:
    assert why_not(text).startswith(told)


@pytest.mark.parametrize(
    ("text", "come"),
    [
        ("0 7 * * *", True),
        ("30 7 * * *", True),
        ("31 7 * * *", False),
        ("59 6,8 * * *", True),
        ("0 8-20/2 * * *", False),
        ("0 7 * * 5", True),
        ("0 7 * * 0,1-4,6", False),
        ("0 7 27 * *", True),
        ("0 7 27 12 *", False),
        ("0 7 1 * 5", True),  # as cron has it, one of the two is enough
        ("0 7 1 * 7", False),
        ("0 7 27 11 1-5", True),
    ],
)
def test_whether_a_time_has_come_today(text: str, *, come: bool) -> None:
    assert why_not(text) == ""
    assert has_come(text, by=FRIDAY) is come


def test_sunday_has_two_numbers() -> None:
    sunday = FRIDAY.replace(day=29)

    assert has_come("0 7 * * 0", by=sunday)
    assert has_come("0 7 * * 7", by=sunday)
