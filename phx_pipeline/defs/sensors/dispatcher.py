"""Sensor `dispatch_jobs`: the edge between Dagster and the tick of `jobs`.

What is launched, booked and cancelled is decided there.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import dagster as dg

from phx_pipeline.catalog.store import Catalog
from phx_pipeline.defs.jobs import extract_property
from phx_pipeline.defs.partitions import PROPERTIES
from phx_pipeline.defs.run_queue import DagsterRuns
from phx_pipeline.defs.stores import Stores
from phx_pipeline.defs.tags import (
    ATTEMPT_TAG,
    ISOLATION_TAG,
    JOB_TAG,
    MODE_TAG,
    PRIORITY_TAG,
    SOURCES_TAG,
)
from phx_pipeline.jobs.tick import Launch, Ticked, tick
from phx_pipeline.model.job import USER_TAG, Mode

# A tick may take a minute, and to cancel a run takes some tenths of a second.
_MOST_CANCELLED: Final = 50


@dg.sensor(
    job=extract_property,
    minimum_interval_seconds=1,  # `daemon` says when to look
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Turns the items of jobs into queued runs, each user's in turn.",
)
def dispatch_jobs(
    context: dg.SensorEvaluationContext, stores: dg.ResourceParam[Stores]
) -> dg.SensorResult | dg.SkipReason:
    """Request the runs whose turn it is; cancel those that nobody wants any more."""
    cursor, instance = context.cursor or "", context.instance
    with stores.catalog() as catalog:
        ticked = _tick(catalog, instance, cursor=cursor, at=stores.clock())
    context.update_cursor(ticked.cursor)
    if not ticked.launches:
        return dg.SkipReason("no job item waits for a run, or the queue is full")
    return dg.SensorResult(
        run_requests=[request_of(launch) for launch in ticked.launches],
        dynamic_partitions_requests=_additions(instance, ticked.launches),
    )


def _tick(
    catalog: Catalog, instance: dg.DagsterInstance, *, cursor: str, at: datetime
) -> Ticked:
    runs = DagsterRuns(instance, catalog.leases)
    ticked = tick(catalog.dispatch, runs, slots=runs.slots, cursor=cursor, at=at)
    runs.cancel(ticked.cancel[:_MOST_CANCELLED], wait_s=0)
    runs.put(ticked.put)
    for run_id, number in ticked.hasten.items():
        runs.hasten([run_id], priority=number)
    return ticked


def _additions(
    instance: dg.DagsterInstance, launches: Sequence[Launch]
) -> list[dg.AddDynamicPartitionsRequest]:
    """The partitions that are missing: `reconcile_properties` may not have come yet."""
    known = set(instance.get_dynamic_partitions(str(PROPERTIES.name)))
    missing = sorted({launch.slug for launch in launches} - known)
    return [PROPERTIES.build_add_request(missing)] if missing else []


def request_of(launch: Launch) -> dg.RunRequest:
    """What is asked of Dagster; the tags say all a run needs to know."""
    told = {
        JOB_TAG: launch.job_id,
        ATTEMPT_TAG: str(launch.attempt) if launch.attempt > 1 else "",
        USER_TAG: launch.user,
        SOURCES_TAG: ",".join(launch.sources),
        MODE_TAG: launch.mode.value if launch.mode is not Mode.FRESH else "",
        ISOLATION_TAG: launch.isolation.value if launch.isolation else "",
        PRIORITY_TAG: str(launch.priority),
    }
    return dg.RunRequest(
        run_key=launch.run_key,
        partition_key=launch.slug,
        tags={name: text for name, text in told.items() if text},
    )
