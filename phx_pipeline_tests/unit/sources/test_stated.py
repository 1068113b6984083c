"""Scalars of pages, wrapped or not, become bounded values or nothing."""

from datetime import date

import pytest

from phx_pipeline.errors import SourceChangedError
from phx_pipeline.sources.stated import (
    day,
    days,
    identifier,
    mls_number,
    part,
    pixels,
    text,
    whole,
)


@pytest.mark.parametrize(
    ("value", "read_as"),
    [
        (7, "7"),
        ("x7", "x7"),
        ({"value": "6801242", "label": "MLS#"}, "6801242"),
        ({"value": {"value": 7}}, "7"),
        ({"label": "MLS#"}, None),
        (True, None),
        (None, None),
        ("", None),
        (["7"], None),
        (10**59, "1" + "0" * 59),
        (10**4000, None),
        (-(10**60), None),
        ("9" * 61, None),
        (1.5, None),
    ],
)
def test_an_id_is_a_number_or_a_text(value: object, read_as: str | None) -> None:
    assert identifier(value) == read_as


@pytest.mark.parametrize(
    ("value", "read_as"),
    [
        (0, 0),
        (7, 7),
        ({"value": 7}, 7),
        (2**31 - 1, 2**31 - 1),
        (2**31, None),
        (10**400, None),
        (-1, None),
        (True, None),
        ("8", None),
        (float("nan"), None),
    ],
)
def test_a_count_is_a_number_from_zero_that_can_be_stored(
    value: object, read_as: int | None
) -> None:
    assert whole(value) == read_as
    assert pixels(value) == (read_as or None)


@pytest.mark.parametrize(
    ("value", "read_as"),
    [
        ("2025-03-08T00:00:00.000Z", date(2025, 3, 8)),
        ({"value": "2025-03-08"}, date(2025, 3, 8)),
        ("2025-13-08", None),
        ("20250308", None),
        ("\u0662\u0660\u0662\u0665-03-08", None),
        (20250309, None),
        (["2025-03-08"], date(2025, 3, 8)),
        ({"date": "2025-03-08"}, date(2025, 3, 8)),
        ("2025/03/08", date(2025, 3, 8)),
        ("3/8/2025", date(2025, 3, 8)),
        ("March 8, 2025", date(2025, 3, 8)),
        ("Mar. 8 2025", date(2025, 3, 8)),
        ("8 of March 2025", None),
        (1741392000000, date(2025, 3, 8)),  # midnight in UTC
        ("1741392000", date(2025, 3, 8)),
        (1741392000000 + 3_600_000, date(2025, 3, 7)),  # an evening in Phoenix
        (1741392000, date(2025, 3, 8)),
        (99999999999999, None),
    ],
)
def test_a_day_stands_at_the_start_of_a_text(
    value: object, read_as: date | None
) -> None:
    assert day(value) == read_as


def test_a_wrapped_text_is_read_and_a_wrapper_without_end_is_not() -> None:
    inner: object = "deep"
    for _ in range(500):
        inner = {"value": inner}

    assert text({"value": "Active"}) == "Active"
    assert text(inner) == ""


@pytest.mark.parametrize(
    ("value", "read_as"),
    [
        ("6801242", "6801242"),
        (6801242, "6801242"),
        ({"value": "6801242"}, "6801242"),
        (["6801242"], "6801242"),
        ("ML81929841", "ML81929841"),
        ("24-388903", "24-388903"),
        ("MLS# 6801242", "6801242"),
        ("ARMLS #6801242", "6801242"),
        ("ARMLS-6801242", "6801242"),
        ("MLS ID: 6801242", "6801242"),
        ("MLSListings Inc #ML81929841", "ML81929841"),
        ("6801242 (ARMLS)", "6801242"),
        ("6801242 6801243", None),
        (["6801242", "6801243"], None),
        ("N/A", None),
        ("-", None),
        ("0", None),
        (0, None),
        (-6801242, None),
        ("\x1b[31m6801242", None),
        (True, None),
        (None, None),
        ({}, None),
        (6801242.0, "6801242"),
        ({"mlsId": "6801242"}, "6801242"),
        ({"text": "MLS# 6801242"}, "6801242"),
        ({"id": {"a": 1}}, None),
    ],
    ids=repr,
)
def test_a_number_in_an_mls_is_read_without_what_stands_before_it(
    value: object, read_as: str | None
) -> None:
    assert mls_number(value) == read_as


@pytest.mark.parametrize(
    ("value", "read_as"),
    [
        (7, 7),
        ({"value": 7}, 7),
        ("7", 7),
        ("1 day", 1),
        ("12 Days", 12),
        ("90+ days", 90),
        ("13 hours", 0),
        ("40 minutes", 0),
        ("2 weeks", 14),
        ("3 months", None),
        ([7], 7),
        ([7, 8], None),
        ("1,205 days", 1205),
        ("less than 1 day", 0),
        ("soon", None),
        (-1, None),
        (True, None),
        (float("nan"), None),
        ("9" * 50, None),
    ],
    ids=repr,
)
def test_a_duration_is_read_in_whole_days(value: object, read_as: int | None) -> None:
    assert days(value) == read_as


@pytest.mark.parametrize(
    ("value", "read_as"),
    [("1418", "1418"), (1418, "1418"), (1418.0, "1418"), ({"value": 7}, "7"),
     (None, ""), ("", "")],
    ids=repr,
)  # fmt: skip
def test_a_part_of_an_address_is_a_text_or_a_number(
    value: object, read_as: str
) -> None:
    assert part(value, what="the number") == read_as


@pytest.mark.parametrize("value", [["12"], {"text": "12"}, True, 1.5, float("nan")])
def test_a_part_of_an_address_in_another_shape_is_a_changed_page(value: object) -> None:
    with pytest.raises(SourceChangedError, match="the unit"):
        part(value, what="the unit")


@pytest.mark.parametrize("value", ["0001-01-01", "9999-12-31", "2025-03-081"])
def test_a_day_no_listing_can_begin_on_is_none(value: str) -> None:
    assert day(value) is None
