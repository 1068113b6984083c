import pytest

from phx_pipeline.model.moments import end_of_rest, moment

NOON_S = 1_796_065_200.0  # 2026-11-30 12:00:00 in Phoenix


def test_a_moment_is_told_in_phoenix_with_its_zone() -> None:
    assert moment(NOON_S) == "2026-11-30 12:00:00 MST"


@pytest.mark.parametrize(
    ("in_s", "told"),
    [
        (0.0, "12:01 MST"),
        (59.9, "12:01 MST"),
        (60.0, "12:02 MST"),
        (4 * 3600.0 + 300, "16:06 MST"),
        (12 * 3600.0 - 60, "2026-12-01 00:00 MST"),
        (24 * 3600.0, "2026-12-01 12:01 MST"),
    ],
)
def test_a_rest_is_over_by_the_minute_that_is_told(in_s: float, told: str) -> None:
    assert end_of_rest(NOON_S + in_s, now_s=NOON_S) == told
