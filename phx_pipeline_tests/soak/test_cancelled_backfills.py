"""Backfills begun in Dagster are listed as jobs, and end by `phx job ID --cancel`."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import dagster as dg
import httpx
import pytest

from phx_pipeline.defs.internals import BulkActionStatus
from phx_pipeline.demo.houses import HOUSES
from phx_pipeline.model.job import JobState
from phx_pipeline_tests.dagster_ui import ASSETS
from phx_pipeline_tests.deployment import Deployment, slug_of
from phx_pipeline_tests.served import wait_for
from phx_pipeline_tests.soak.test_fair_queue import clones, world

pytestmark = pytest.mark.soak

_HOUSES = clones(HOUSES[0], 12, 0, 1, 2)
_SLUGS = [slug_of(house) for house in _HOUSES]
_REPOSITORY = {
    "repositoryName": "__repository__",
    "repositoryLocationName": "phx_pipeline",
}
_OF_ASSETS = {"assetSelection": [{"path": [name]} for name in ASSETS]}
_OF_JOB = {
    "selector": {
        "partitionSetName": "extract_property_partition_set",
        "repositorySelector": _REPOSITORY,
    }
}
_LAUNCH = """mutation($params: LaunchBackfillParams!) {
    launchPartitionBackfill(backfillParams: $params) {
        __typename
        ... on LaunchBackfillSuccess { backfillId }
        ... on PythonError { message }
        ... on PartitionSetNotFoundError { message }
    }
}"""


@pytest.mark.parametrize("what", [_OF_ASSETS, _OF_JOB], ids=["of assets", "of a job"])
def test_a_backfill_of_the_ui_is_a_job_and_is_cancelled_like_one(
    tmp_path: Path, what: dict[str, Any]
) -> None:
    with filling(tmp_path, what) as (made, instance, backfill_id):
        job_id = f"backfill-{backfill_id}"
        begun = wait_for(lambda: at_work(made, job_id))
        listed = [job for job in json_of(made, "jobs") if job["id"] == job_id]

        cancelled = made.phx("job", job_id, "--cancel")

        wait_for(lambda: is_over(instance, backfill_id) or None)
        told = wait_for(lambda: called_off(made, job_id))
        runs = runs_of(instance, backfill_id)
        _looks_again(instance)
        later = runs_of(instance, backfill_id)

    assert (begun["origin"], len(begun["properties"])) == ("backfill", len(_SLUGS))
    assert [job["origin"] for job in listed] == ["backfill"]
    assert 0 < len(runs) <= len(_SLUGS)
    assert cancelled.returncode == 0, cancelled.stderr
    assert {run.status for run in later} <= {
        dg.DagsterRunStatus.CANCELED,
        dg.DagsterRunStatus.SUCCESS,
    }
    assert [run.run_id for run in later] == [run.run_id for run in runs]
    states = {item["status"] for item in told["items"]}
    assert states <= {"cancelled", "completed", "partial"}
    assert "cancelled" in states


@contextmanager
def filling(
    root: Path, what: dict[str, Any]
) -> Iterator[tuple[Deployment, dg.DagsterInstance, str]]:
    """A deployment that has taken a backfill of twelve houses."""
    with world(root, _HOUSES, photo_s=1.0) as (made, instance):
        url = f"http://127.0.0.1:{made.settings.webserver_port}"
        params = {**what, "partitionNames": _SLUGS, "tags": []}
        answer = httpx.post(
            f"{url}/graphql",
            json={"query": _LAUNCH, "variables": {"params": params}},
            headers={"origin": url},
            timeout=120,
        )
        told = answer.json()["data"]["launchPartitionBackfill"]
        assert told["__typename"] == "LaunchBackfillSuccess", told
        yield made, instance, told["backfillId"]


def json_of(made: Deployment, *arguments: str) -> Any:
    """What a command prints for programs."""
    done = made.phx(*arguments, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def job_of(made: Deployment, job_id: str) -> dict[str, Any] | None:
    """A job as it is listed; None as long as it is not."""
    return next((it for it in json_of(made, "jobs") if it["id"] == job_id), None)


def at_work(made: Deployment, job_id: str) -> dict[str, Any] | None:
    """The job once a run of it works; None before."""
    job = job_of(made, job_id)
    return job if job and job["status"] == JobState.IN_PROGRESS else None


def called_off(made: Deployment, job_id: str) -> dict[str, Any] | None:
    """The job once it has ended cancelled; None before."""
    job: dict[str, Any] = json_of(made, "job", job_id)
    return job if job["status"] == JobState.CANCELLED else None


def is_over(instance: dg.DagsterInstance, backfill_id: str) -> bool:
    """Whether Dagster has ended a backfill, and all its runs."""
    backfill = instance.get_backfill(backfill_id)
    going = [run for run in runs_of(instance, backfill_id) if not run.is_finished]
    return bool(backfill and backfill.status is BulkActionStatus.CANCELED and not going)


def runs_of(instance: dg.DagsterInstance, backfill_id: str) -> list[dg.DagsterRun]:
    """The runs of a backfill, the newest first."""
    tags = {"dagster/backfill": backfill_id}
    return list(instance.get_runs(dg.RunsFilter(tags=tags)))


def _looks_again(instance: dg.DagsterInstance) -> None:
    """Wait until the daemon has looked for work of backfills twice more."""
    for _ in range(2):
        before = _looked_at(instance)
        wait_for(partial(_has_looked_since, instance, before))


def _has_looked_since(instance: dg.DagsterInstance, before: float) -> bool | None:
    return _looked_at(instance) > before or None


def _looked_at(instance: dg.DagsterInstance) -> float:
    return float(instance.get_daemon_heartbeats()["BACKFILL"].timestamp)
