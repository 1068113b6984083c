"""What a run's status says to the one who waits for it."""

import dagster as dg
import pytest

from phx_pipeline.defs.submit import ItemState, state_of

_FAILED = dg.DagsterRunStatus.FAILURE


def run(status: dg.DagsterRunStatus, **tags: str) -> dg.DagsterRun:
    return dg.DagsterRun(
        job_name="extract_property",
        status=status,
        tags={f"dagster/{name}": value for name, value in tags.items()},
    )


@pytest.mark.parametrize(
    ("tags", "state"),
    [
        ({}, ItemState.RETRYING),
        ({"will_retry": "true"}, ItemState.RETRYING),
        ({"will_retry": "false"}, ItemState.FAILED),
    ],
    ids=["undecided", "to be retried", "decided"],
)
def test_a_failure_is_final_once_dagster_decided_against_a_retry(
    tags: dict[str, str], state: ItemState
) -> None:
    assert state_of(run(_FAILED, **tags), retries=True) is state


def test_without_retries_a_failure_is_final_at_once() -> None:
    assert state_of(run(_FAILED), retries=False) is ItemState.FAILED
