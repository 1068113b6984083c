"""Sensor `repeat_lost_runs`: what Dagster gave up repeating is asked for again."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial

import dagster as dg

from phx_pipeline.defs.again import request_again
from phx_pipeline.defs.jobs import extract_property
from phx_pipeline.defs.lineage import Lineage
from phx_pipeline.defs.partitions import PROPERTIES
from phx_pipeline.defs.repeats import (
    PARTITION_TAG,
    WILL_RETRY_TAG,
    give_up,
    is_announced,
    is_lost,
    is_repeated,
    is_wanted,
    retries_of,
)
from phx_pipeline.defs.run_queue import known_time, readable, seen
from phx_pipeline.defs.stores import Stores
from phx_pipeline.defs.tags import CLAIMED_TAG
from phx_pipeline.jobs.fates import is_unwanted
from phx_pipeline.model.moments import has_been

_PAGE = 500
_BATCH = 25
# Who writes at once with others may be seen after them: so much is looked at twice.
_OVERLAP = timedelta(seconds=60)
# Dagster repeats a run some seconds after it said it would, a minute if all is slow.
_PATIENCE = timedelta(seconds=90)
_LOOK_BACK = timedelta(days=1)


@dg.sensor(
    job=extract_property,
    minimum_interval_seconds=10,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Repeats runs whose retry failed because no code server answered.",
)
def repeat_lost_runs(
    context: dg.SensorEvaluationContext, stores: dg.ResourceParam[Stores]
) -> dg.SensorResult | dg.SkipReason:
    """Request what was lost since the cursor, which waits until it is there."""
    instance, now = context.instance, stores.clock()
    retries = retries_of(instance)
    _claim(instance, now=now)
    records = _given_up(instance, after=known_time(context.cursor or "", now=now))
    lost = [
        record
        for record in records
        if is_lost(record.dagster_run, retries=retries)
        and not is_repeated(instance, record.dagster_run)
    ]
    if records:
        edge = min(_edge(records, lost=lost), now)  # a run may have ended ahead
        context.update_cursor(edge.isoformat())
    ripe = [record for record in lost if _is_ripe(record, now=now)]
    unwanted = _called_off(stores, instance, ripe) if ripe else set()
    wanted = []
    for run in (record.dagster_run for record in ripe):
        if run.run_id not in unwanted and _is_due(instance, run):
            wanted.append(run)
        else:
            give_up(instance, run)
    if not wanted:
        return dg.SkipReason("no run was lost")
    return dg.SensorResult(run_requests=_requests(instance, wanted[:_BATCH]))


def _requests(
    instance: dg.DagsterInstance, runs: Sequence[dg.DagsterRun]
) -> list[dg.RunRequest]:
    retries, lineage = retries_of(instance), Lineage.of(instance, runs)
    return [request_again(run, retries=retries, lineage=lineage) for run in runs]


def _claim(instance: dg.DagsterInstance, *, now: datetime) -> None:
    """Take over the runs that Dagster said it would repeat, and forgot.

    It reads of a failure in its event log. If it does so in the moment before the run
    is stored as failed, it passes on.
    """
    filters = dg.RunsFilter(
        statuses=[dg.DagsterRunStatus.FAILURE],
        tags={WILL_RETRY_TAG: "true"},
        updated_after=now - _LOOK_BACK,
        updated_before=now - _PATIENCE,
    )
    claimed = {WILL_RETRY_TAG: "false", CLAIMED_TAG: "true"}
    for run in instance.get_runs(filters, limit=_PAGE):
        if is_announced(run) and not is_repeated(instance, run):
            instance.add_run_tags(run.run_id, claimed)


def _is_ripe(record: dg.RunRecord, *, now: datetime) -> bool:
    """Whether Dagster, if it was about to repeat a claimed run, would have done so."""
    is_claimed = CLAIMED_TAG in record.dagster_run.tags
    at = record.update_timestamp
    return not is_claimed or at < now - _PATIENCE or not has_been(at, now=now)


def _given_up(
    instance: dg.DagsterInstance, *, after: datetime | None
) -> Sequence[dg.RunRecord]:
    """Failed runs that Dagster will not repeat, by the time of their last change."""
    filters = dg.RunsFilter(
        statuses=[dg.DagsterRunStatus.FAILURE],
        tags={WILL_RETRY_TAG: "false"},
        updated_after=after,
    )
    return instance.get_run_records(
        filters, limit=_PAGE, order_by="update_timestamp", ascending=True
    )


def _edge(records: Sequence[dg.RunRecord], *, lost: Sequence[dg.RunRecord]) -> datetime:
    """From where to look the next time: not past a run that is asked for just now."""
    if not lost and len(records) == _PAGE:
        return records[-1].update_timestamp
    edge = lost[0] if lost else records[-1]
    return edge.update_timestamp - _OVERLAP


def _called_off(
    stores: Stores, instance: dg.DagsterInstance, records: Sequence[dg.RunRecord]
) -> set[str]:
    """The ids of the runs whose jobs were cancelled meanwhile."""
    retries = retries_of(instance)
    lineage = Lineage.of(instance, [record.dagster_run for record in records])
    runs = readable(records, partial(seen, retries=retries, lineage=lineage))
    with stores.catalog() as catalog:
        items = catalog.dispatch.of_runs(runs)
    return {
        run.run_id
        for run in runs
        if is_unwanted([it for it in items if it.run_key == run.run_key], run)
    }


def _is_due(instance: dg.DagsterInstance, run: dg.DagsterRun) -> bool:
    """Whether its house is still followed, and its backfill not called off."""
    known = instance.has_dynamic_partition(
        str(PROPERTIES.name), run.tags[PARTITION_TAG]
    )
    return known and is_wanted(instance, run)
