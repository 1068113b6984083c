"""A moment in a sentence: on any machine that of Phoenix, which it names."""

import time

import pytest

from phx_pipeline.model.moments import moment_text


@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo"])
def test_a_moment_is_told_in_the_time_of_phoenix(
    monkeypatch: pytest.MonkeyPatch, zone: str
) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        told = moment_text(1_741_584_600.0)  # 05:30 in UTC
    finally:
        monkeypatch.undo()
        time.tzset()

    assert told == "2025-03-09 22:30:00 in Phoenix"
