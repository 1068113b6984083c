"""When a source may be asked again, by whichever client."""

import pytest

from phx_pipeline.fetch.circuits import source_try_s
from phx_pipeline.model.source import Source
from phx_pipeline.model.source_state import SourceState

NOW_S = 1_796_000_000.0
H = 3600.0
MONTH_S = 30 * 24 * H


def refused(name: str, until_s: float, **changed: float) -> SourceState:
    return SourceState(
        name=name,
        opened_at=NOW_S - 60,
        blocked_at=NOW_S - 60,
        open_until=NOW_S + until_s,
        **changed,  # type: ignore[arg-type]  # only times
    )


def failed(name: str, until_s: float) -> SourceState:
    return SourceState(name=name, opened_at=NOW_S - 9, open_until=NOW_S + until_s)


@pytest.mark.parametrize(
    ("states", "has_browser", "in_s"),
    [
        ([], True, None),
        ([refused("zillow", 4 * H)], True, None),
        ([refused("zillow", 4 * H)], False, 4 * H),
        ([refused("zillow", 4 * H), refused("zillow/browser", 3 * H)], True, 3 * H),
        ([refused("zillow", 2 * H), refused("zillow/browser", 3 * H)], True, 2 * H),
        ([refused("zillow", 4 * H), failed("zillow/browser", 300.0)], True, 300.0),
        ([refused("zillow", 4 * H, not_before=NOW_S + 90)], True, 90.0),
        ([failed("zillow", 300.0)], True, 300.0),
        ([refused("zillow/browser", 4 * H)], True, None),
        ([refused("zillow", 4 * H), refused("zillow/photos", H)], True, H),
        ([refused("maricopa_assessor", 4 * H)], True, None),
        # Noted by a clock that was ahead, which no request has met yet:
        ([failed("zillow", MONTH_S)], False, None),
        ([refused("zillow", MONTH_S)], False, None),
        ([refused("zillow", 4 * H), refused("zillow/browser", MONTH_S)], True, None),
        ([SourceState(name="zillow", not_before=NOW_S + MONTH_S)], False, None),
        ([refused("zillow", -9, probe_until=NOW_S + MONTH_S)], False, None),
        ([refused("zillow/photos", MONTH_S)], False, None),
    ],
)
def test_a_source_waits_for_the_first_client_that_may_ask_it(
    states: list[SourceState], in_s: float | None, *, has_browser: bool
) -> None:
    known = {state.name: state for state in states}

    browsed = ["zillow"] if has_browser else []
    at_s = source_try_s(Source.ZILLOW, known, now_s=NOW_S, browsed=browsed)

    assert (at_s and at_s - NOW_S) == in_s


def test_a_source_without_a_browser_route_waits_for_plain_http() -> None:
    known = {"maricopa_assessor": refused("maricopa_assessor", 4 * H)}

    at_s = source_try_s(Source.MARICOPA, known, now_s=NOW_S, browsed=["zillow"])

    assert at_s == NOW_S + 4 * H
