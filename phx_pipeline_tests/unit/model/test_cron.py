"""When a cron was due last."""

from datetime import datetime

import pytest

from phx_pipeline.model.cron import last_due
from phx_pipeline.model.moments import PHOENIX

NOW = datetime(2025, 3, 10, 6, 30, tzinfo=PHOENIX)  # a Monday


@pytest.mark.parametrize(
    ("cron", "due"),
    [
        ("0 6 * * *", "2025-03-10 06:00"),
        ("30 6 * * *", "2025-03-10 06:30"),
        ("31 6 * * *", "2025-03-09 06:31"),
        ("*/20 5-6,22 * * *", "2025-03-10 06:20"),
        ("0 7 * * 1-5", "2025-03-07 07:00"),
        ("0 6 * * 7", "2025-03-09 06:00"),
        ("0 6 1 * *", "2025-03-01 06:00"),
        ("0 6 1 * 6", "2025-03-08 06:00"),  # the first, and each Saturday
        ("0 6 * 2 *", "2025-02-28 06:00"),
        ("0 6 * 1 *", None),
    ],
)
def test_a_cron_tells_when_it_was_due_last(cron: str, due: str | None) -> None:
    found = last_due(cron, by=NOW)

    assert (found and f"{found:%Y-%m-%d %H:%M}") == due
