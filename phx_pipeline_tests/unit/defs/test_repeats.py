"""Which failed runs are repeated in the place of Dagster, and as what."""

import dagster as dg
import pytest

from phx_pipeline.defs.again import request_again
from phx_pipeline.defs.lineage import Lineage
from phx_pipeline.defs.repeats import is_lost, retries_left
from phx_pipeline.defs.tags import GIVEN_UP_TAG

_LOST = {"dagster/partition": "a-house", "dagster/will_retry": "false"}


def run(
    status: dg.DagsterRunStatus = dg.DagsterRunStatus.FAILURE, **tags: str
) -> dg.DagsterRun:
    """A run that Dagster should have repeated, but for these tags."""
    named = {f"dagster/{name}": value for name, value in tags.items()}
    return dg.DagsterRun(job_name="extract_property", status=status, tags=_LOST | named)


@pytest.mark.parametrize("reason", ["UNKNOWN", "RUN_EXCEPTION", "START_TIMEOUT"])
def test_a_crash_that_dagster_will_not_repeat_though_it_may_is_lost(
    reason: str,
) -> None:
    assert is_lost(run(), retries=2)
    assert is_lost(run(failure_reason=reason), retries=1)
    assert is_lost(run(retry_number="1"), retries=2)
    assert is_lost(run(retry_number="4", max_retries="5"), retries=2)


@pytest.mark.parametrize(
    "other",
    [
        run(will_retry="true"),
        run(failure_reason="STEP_FAILURE"),
        run(retry_number="2"),
        run(max_retries="0"),
        run(max_retries="none"),
        run(max_retries="9" * 5_000),
        run(max_retries="٣"),
        run(retry_number="x"),
        run(retry_number="-1"),
        run(retry_number="9" * 5_000),
        run(dg.DagsterRunStatus.CANCELED),
        run(dg.DagsterRunStatus.SUCCESS),
        run().with_tags(_LOST | {GIVEN_UP_TAG: "true"}),
        run().with_tags({"dagster/will_retry": "false"}),
    ],
)
def test_what_dagster_repeats_or_nobody_may_repeat_is_not_lost(
    other: dg.DagsterRun,
) -> None:
    assert not is_lost(other, retries=2)


def test_without_retries_nothing_is_lost() -> None:
    assert not is_lost(run(), retries=0)


def test_the_same_is_asked_for_with_one_retry_less() -> None:
    failed = run(retry_number="1", max_retries="4", priority="3", backfill="b")
    mine = {"phx/job": "j", "phx/sources": "redfin", "mine": "x"}
    failed = failed.with_tags({**failed.tags, **mine})

    asked = request_again(failed, retries=2, lineage=Lineage({}))

    assert asked.partition_key == "a-house"
    assert asked.run_key == f"again:{failed.run_id}"
    assert asked.tags == mine | {
        "phx/repeats": failed.run_id,
        "dagster/priority": "3",
        "dagster/max_retries": "2",
        ".dagster/phx_root": failed.run_id,
        ".dagster/phx_backfill": "b",
    }


def test_a_run_that_is_lost_again_and_again_is_repeated_as_often_as_a_crash() -> None:
    failed, repeated = run(), 0
    while is_lost(failed, retries=2):
        repeated += 1
        again = dict(request_again(failed, retries=2, lineage=Lineage({})).tags)
        failed = run().with_tags(_LOST | again)

    assert repeated == 2
    assert retries_left(failed, retries=2) == 0
