"""Sensor `dispatch_jobs`: waiting job items become runs, each exactly once."""

from collections.abc import Collection, Sequence

import dagster as dg

from phx_pipeline.catalog.dispatch import Seen
from phx_pipeline.catalog.store import Catalog
from phx_pipeline.defs.jobs import extract_property
from phx_pipeline.defs.partitions import PROPERTIES
from phx_pipeline.defs.tags import JOB_TAG, MODE_TAG, RUN_KEY_TAG, SOURCES_TAG
from phx_pipeline.model.job import JobItem, Mode
from phx_pipeline.settings import load_settings
from phx_pipeline.wiring import build_catalog, utc_now

_BATCH = 25


@dg.sensor(
    job=extract_property,
    minimum_interval_seconds=5,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Turns the items of `phx extract` jobs into queued runs.",
)
def dispatch_jobs(
    context: dg.SensorEvaluationContext,
) -> dg.SensorResult | dg.SkipReason:
    """Request a run for each waiting item; note those whose run exists by now."""
    catalog = build_catalog(load_settings())
    try:
        return _dispatch(catalog, context.instance)
    finally:
        catalog.close()


def _dispatch(
    catalog: Catalog, instance: dg.DagsterInstance
) -> dg.SensorResult | dg.SkipReason:
    waiting = catalog.jobs.waiting(limit=_BATCH)
    launched = {it.run_key: run for it in waiting if (run := _run_of(instance, it))}
    done, due = split(waiting, launched=launched)
    seen = [Seen(item=item, run_id=launched[item.run_key]) for item in done]
    catalog.dispatch.book(seen, at=utc_now())
    if not due:
        return dg.SkipReason("no job item waits for a run")
    known = set(instance.get_dynamic_partitions(str(PROPERTIES.name)))
    missing = sorted({item.slug for item in due} - known)
    return dg.SensorResult(
        run_requests=[request_of(item) for item in due],
        dynamic_partitions_requests=[PROPERTIES.build_add_request(missing)]
        if missing
        else [],
    )


def split(
    waiting: Sequence[JobItem], *, launched: Collection[str]
) -> tuple[list[JobItem], list[JobItem]]:
    """Return (items whose run exists, items to request).

    An item counts as dispatched only once its run is seen: a crash between asking and
    launching asks again, and the run key keeps Dagster from launching twice.
    """
    done = [item for item in waiting if item.run_key in launched]
    return done, [item for item in waiting if item.run_key not in launched]


def _run_of(instance: dg.DagsterInstance, item: JobItem) -> str | None:
    """Its run in the queue or further on; one only created is asked for again.

    A daemon that was killed between the two would leave it so.
    """
    runs = instance.get_runs(dg.RunsFilter(tags={RUN_KEY_TAG: item.run_key}))
    created = dg.DagsterRunStatus.NOT_STARTED
    return next((run.run_id for run in runs if run.status is not created), None)


def request_of(item: JobItem) -> dg.RunRequest:
    """What is asked of Dagster for an item; the tags say all a run needs to know."""
    tags = {JOB_TAG: item.job_id}
    if item.mode is not Mode.FRESH:
        tags[MODE_TAG] = item.mode.value
    if item.sources:
        tags[SOURCES_TAG] = ",".join(item.sources)
    return dg.RunRequest(run_key=item.run_key, partition_key=item.slug, tags=tags)
