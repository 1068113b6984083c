"""A run longer than any grace ends once, as a success, under real run monitoring."""

import time
from pathlib import Path

import dagster as dg
import pytest

from phx_pipeline.defs.launcher import GRACE_LIFETIMES
from phx_pipeline.demo.houses import HOUSES
from phx_pipeline.demo.loopback import Answer, Asked, Handler
from phx_pipeline.demo.redfin_site import redfin_sites
from phx_pipeline.supervise.addresses import free_port
from phx_pipeline_tests.deployment import PHOTO_HOST, Deployment, slug_of
from phx_pipeline_tests.served import serving

_HOUSE = HOUSES[0]
_EACH_S = 6.0  # of 16 photos, one after another; an answer may not stand for 10 s


def slow(handler: Handler) -> Handler:
    """The same answers, each after a while."""

    def handle(asked: Asked) -> Answer:
        time.sleep(_EACH_S)
        return handler(asked)

    return handle


@pytest.mark.soak
def test_a_run_of_a_minute_and_a_half_ends_once_and_well(tmp_path: Path) -> None:
    sites = dict(redfin_sites([_HOUSE]))
    sites[PHOTO_HOST] = slow(sites[PHOTO_HOST])
    with Deployment(
        tmp_path, sites, webserver_port=free_port(), downloads=1
    ) as deployment:
        deployment.add_houses([_HOUSE])
        with serving(deployment) as running:
            done = deployment.phx("extract", "--address", slug_of(_HOUSE))

            filters = dg.RunsFilter(tags={"dagster/partition": slug_of(_HOUSE)})
            (record,) = running.instance.get_run_records(filters)

    assert done.returncode == 0, done.stderr
    assert record.dagster_run.status is dg.DagsterRunStatus.SUCCESS
    lasted_s = (record.end_time or 0) - (record.start_time or 0)
    assert lasted_s > GRACE_LIFETIMES * deployment.settings.lease_ttl_s
