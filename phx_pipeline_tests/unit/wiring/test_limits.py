"""Which setting each limit of a user is."""

from phx_pipeline.jobs.quota import Limits
from phx_pipeline.settings import load_settings
from phx_pipeline.wiring.limits import quota_limits

GIVEN = {
    "PHX_JOBS_PER_HOUR": "1",
    "PHX_JOBS_PER_DAY": "2",
    "PHX_JOBS_AT_ONCE": "3",
    "PHX_IMAGES_PER_DAY": "4",
}


def test_each_limit_is_that_of_its_setting() -> None:
    assert quota_limits(load_settings(GIVEN)) == Limits(
        jobs_per_hour=1, jobs_per_day=2, jobs_at_once=3, images_per_day=4
    )
