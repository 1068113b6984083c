"""Sensor `go_on_looking`: the next look of a day, while houses are due."""

import dagster as dg

from phx_pipeline.defs.internals import NOT_FINISHED_STATUSES
from phx_pipeline.defs.jobs import look_at_houses
from phx_pipeline.defs.stores import Stores
from phx_pipeline.model.look import (
    LOOK_LEASE,
    LookDay,
    cursor_of,
    next_number,
    run_key,
    why_not_on,
)
from phx_pipeline.model.moments import PHOENIX
from phx_pipeline.settings import OFF


@dg.sensor(
    job=look_at_houses,
    minimum_interval_seconds=60,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Goes on with the day's look while houses are due.",
)
def go_on_looking(
    context: dg.SensorEvaluationContext, stores: dg.ResourceParam[Stores]
) -> dg.SensorResult | dg.SkipReason:
    """Ask for the next look; what none has begun today is the schedule's to begin."""
    today, why_not = _today(stores)
    if why_not or today is None:
        return dg.SkipReason(why_not)
    if _is_asked_for(context.instance):
        return dg.SkipReason("a look waits for its turn")
    number = next_number(context.cursor or "", today=today)
    context.update_cursor(cursor_of(today.day, number))
    return dg.SensorResult(run_requests=[dg.RunRequest(run_key(today.day, number))])


def _today(stores: Stores) -> tuple[LookDay | None, str]:
    """The looks of this day, and why none is to go on."""
    if stores.settings().look_cron == OFF:
        return None, "PHX_LOOK_CRON is off"
    now = stores.clock()
    with stores.catalog() as catalog:
        today = catalog.looks.day(now.astimezone(PHOENIX).date())
        lease = catalog.leases.state(LOOK_LEASE)
    is_at_work = lease is not None and lease.is_live
    return today, why_not_on(today, now=now, is_at_work=is_at_work)


def _is_asked_for(instance: dg.DagsterInstance) -> bool:
    filters = dg.RunsFilter(
        job_name=look_at_houses.name, statuses=NOT_FINISHED_STATUSES
    )
    return bool(instance.get_run_ids(filters, limit=1))
