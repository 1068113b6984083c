"""What a run's status says to the one who waits for it."""

import dagster as dg
import pytest

from phx_pipeline.defs.submit import state_of
from phx_pipeline.model.job import JobState

_FAILED = dg.DagsterRunStatus.FAILURE


def run(status: dg.DagsterRunStatus, **tags: str) -> dg.DagsterRun:
    return dg.DagsterRun(
        job_name="extract_property",
        status=status,
        tags={
            "dagster/partition": "a-house",
            **{f"dagster/{name}": value for name, value in tags.items()},
        },
    )


@pytest.mark.parametrize(
    ("tags", "state"),
    [
        ({}, JobState.RETRYING),
        ({"will_retry": "true"}, JobState.RETRYING),
        ({"will_retry": "false", "retry_number": "2"}, JobState.FAILED),
        ({"will_retry": "false", "failure_reason": "STEP_FAILURE"}, JobState.FAILED),
        ({"will_retry": "false", "max_retries": "0"}, JobState.FAILED),
        ({"will_retry": "false", "retry_number": "1"}, JobState.RETRYING),
    ],
    ids=["undecided", "to be retried", "used up", "on purpose", "forbidden", "lost"],
)
def test_a_failure_is_final_once_nobody_will_repeat_it(
    tags: dict[str, str], state: JobState
) -> None:
    assert state_of(run(_FAILED, **tags), retries=2) is state


def test_without_retries_a_failure_is_final_at_once() -> None:
    assert state_of(run(_FAILED), retries=0) is JobState.FAILED
