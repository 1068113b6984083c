"""Scalars of pages, wrapped or not, become bounded values or nothing."""

from datetime import date

import pytest

from phx_pipeline.sources.stated import day, identifier, pixels, text, whole


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
