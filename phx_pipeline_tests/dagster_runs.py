"""Runs as Dagster stores them, for tests that need no daemon to make them."""

from dataclasses import dataclass

import dagster as dg
from dagster._core.remote_origin import (
    RegisteredCodeLocationOrigin,
    RemoteJobOrigin,
    RemoteRepositoryOrigin,
)

from phx_pipeline.defs.repeats import PARTITION_TAG, retries_of
from phx_pipeline.defs.stores import Stores
from phx_pipeline.defs.submit import state_of
from phx_pipeline.defs.tags import JOB_TAG
from phx_pipeline.model.job import JobState

_ORIGIN = RemoteJobOrigin(
    RemoteRepositoryOrigin(
        RegisteredCodeLocationOrigin("phx_pipeline"), "__repository__"
    ),
    "extract_property",
)


def run_of(slug: str, status: dg.DagsterRunStatus, **tags: str) -> dg.DagsterRun:
    """A run of a property that somebody is about to store.

    One whose tags name the run that it repeats has that as its parent, as Dagster's do.
    """
    parent = tags.get("dagster/parent_run_id")
    return dg.DagsterRun(
        job_name="extract_property",
        status=status,
        tags={"dagster/partition": slug, **tags},
        remote_job_origin=_ORIGIN,
        parent_run_id=parent,
        root_run_id=tags.get("dagster/root_run_id", parent),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemRun:
    """The newest run of one job item."""

    run_id: str
    state: JobState


def sensor_context(
    instance: dg.DagsterInstance,
    *,
    stores: Stores | None = None,
    cursor: str | None = None,
) -> dg.SensorEvaluationContext:
    """What the daemon gives a sensor; by default the stores of the environment."""
    return dg.build_sensor_context(
        instance=instance, cursor=cursor, resources={"stores": stores or Stores()}
    )


def item_runs(instance: dg.DagsterInstance, job_id: str) -> dict[str, ItemRun]:
    """Return the newest run per property of a job; none for those still waiting."""
    records = instance.get_run_records(dg.RunsFilter(tags={JOB_TAG: job_id}))
    newest: dict[str, ItemRun] = {}
    retries = retries_of(instance)
    for record in sorted(records, key=lambda record: record.storage_id):
        run = record.dagster_run
        newest[run.tags[PARTITION_TAG]] = ItemRun(
            run_id=run.run_id,
            state=state_of(run, retries=retries),
        )
    return newest
