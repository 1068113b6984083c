"""Schedule `daily_look`: the first look of a day; `go_on_looking` asks for others."""

import dagster as dg

from phx_pipeline.defs.jobs import look_at_houses
from phx_pipeline.defs.stores import Stores
from phx_pipeline.model.look import run_key
from phx_pipeline.model.moments import PHOENIX


def daily_look(cron: str) -> dg.ScheduleDefinition:
    """Return the schedule that asks for the first look of each day."""

    @dg.schedule(
        name="daily_look",
        job=look_at_houses,
        cron_schedule=cron,
        execution_timezone=str(PHOENIX),
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Begins the day's look at all houses (PHX_LOOK_CRON).",
    )
    def begin(
        context: dg.ScheduleEvaluationContext, stores: dg.ResourceParam[Stores]
    ) -> dg.RunRequest | dg.SkipReason:
        with stores.catalog() as catalog:
            if not catalog.slugs():
                return dg.SkipReason("no house is followed")
        day = context.scheduled_execution_time.astimezone(PHOENIX).date()
        return dg.RunRequest(run_key=run_key(day, 1))

    return begin
