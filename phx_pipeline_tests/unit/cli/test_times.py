"""Times for people tell their zone, whatever they are made of."""

from datetime import UTC, datetime

import pytest

from phx_pipeline.cli.times import phoenix_minute, phoenix_text

AT = datetime(2026, 11, 28, 17, 55, 28, tzinfo=UTC)


@pytest.mark.parametrize("at", [AT, AT.timestamp(), AT.isoformat()])
def test_a_moment_is_told_in_phoenix_with_the_zone(at: object) -> None:
    assert phoenix_text(at) == "2026-11-28 10:55:28 MST"
    assert phoenix_minute(at) == "2026-11-28 10:55 MST"


def test_no_moment_is_no_text() -> None:
    assert (phoenix_text(None), phoenix_minute(None)) == ("", "")
