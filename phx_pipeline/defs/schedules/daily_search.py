"""Schedule `daily_search`: the saved searches are run once a day."""

import dagster as dg

from phx_pipeline.defs.jobs import search_listings
from phx_pipeline.defs.stores import Stores
from phx_pipeline.model.moments import PHOENIX


def daily_search(cron: str) -> dg.ScheduleDefinition:
    """Return the schedule that asks for a run of `new_listings` on each day."""

    @dg.schedule(
        name="daily_search",
        job=search_listings,
        cron_schedule=cron,
        execution_timezone=str(PHOENIX),
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Runs the saved searches (PHX_SEARCH_CRON).",
    )
    def begin(
        context: dg.ScheduleEvaluationContext, stores: dg.ResourceParam[Stores]
    ) -> dg.RunRequest | dg.SkipReason:
        with stores.catalog() as catalog:
            saved = catalog.searches.saved()
        if all(search.is_paused for search in saved):
            return dg.SkipReason("no search is saved, or all of them rest")
        at = context.scheduled_execution_time.astimezone(PHOENIX)
        return dg.RunRequest(run_key=f"search:{at:%Y-%m-%dT%H:%M}")

    return begin
