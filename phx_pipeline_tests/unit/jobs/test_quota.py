"""How much a user may ask for."""

from datetime import timedelta
from typing import Any

import pytest

from phx_pipeline.errors import QuotaError
from phx_pipeline.jobs.quota import Limits, refuse_too_much
from phx_pipeline.model.usage import Usage
from phx_pipeline_tests.jobs import NOON

LIMITS = Limits(jobs_per_hour=2, jobs_per_day=3, jobs_at_once=4, images_per_day=100)


def asked(*minutes_ago: int, **more: Any) -> Usage:
    times = tuple(NOON - timedelta(minutes=minutes) for minutes in minutes_ago)
    return Usage(asked_at=times, **more)


@pytest.mark.parametrize(
    ("usage", "setting", "wait_s"),
    [
        (asked(50, 10), "PHX_JOBS_PER_HOUR", 600),
        (asked(50, 20, 10), "PHX_JOBS_PER_HOUR", 2400),
        (asked(1430, 600, 90), "PHX_JOBS_PER_DAY", 600),
        (asked(open_jobs=4), "PHX_JOBS_AT_ONCE", None),
        (asked(images=100), "PHX_IMAGES_PER_DAY", 3600),
    ],
)
def test_too_much_is_refused_with_the_setting_and_when_to_ask_again(
    usage: Usage, setting: str, wait_s: float
) -> None:
    with pytest.raises(QuotaError, match=setting) as refused:
        refuse_too_much(LIMITS, usage, at=NOON)

    assert refused.value.retry_after_s == wait_s
    if setting.startswith("PHX_JOBS_PER"):
        assert str(refused.value).endswith(f"ask again in {wait_s / 60:.0f} min")
    refuse_too_much(Limits(), usage, at=NOON)


def test_what_is_less_may_be_asked() -> None:
    usage = asked(1430, 61, open_jobs=3, images=99)

    refuse_too_much(LIMITS, usage, at=NOON)


@pytest.mark.parametrize(
    ("usage", "more", "told"),
    [
        (asked(50), 2, "ask for 2 more at once: 2 are allowed .*: ask again in 10 min"),
        (asked(), 3, "2 are allowed .PHX_JOBS_PER_HOUR.: ask for fewer"),
        (asked(open_jobs=3), 2, "3 jobs of yours .*: 4 may be open .*: wait until"),
        (asked(), 5, "4 may be open at once .PHX_JOBS_AT_ONCE.: ask for fewer"),
    ],
)
def test_what_is_asked_for_together_counts_together(
    usage: Usage, more: int, told: str
) -> None:
    limits = Limits(jobs_at_once=4) if "open" in told else LIMITS

    with pytest.raises(QuotaError, match=told):
        refuse_too_much(limits, usage, at=NOON, more=more)
