"""Schedule `daily_digest`: once a day what happened is due to be told.

It only notes that; the sensor `alerts` sends, and again where it fails.
"""

import dagster as dg

from phx_pipeline.defs.jobs import extract_property
from phx_pipeline.defs.stores import Stores
from phx_pipeline.model.message import Channel
from phx_pipeline.model.moments import PHOENIX, phoenix_day
from phx_pipeline.workflows.digest import book_digest

NO_CHANNEL = "nobody is told: PHX_SMTP_HOST and PHX_WEBHOOK_URL are not set"


def daily_digest(cron: str) -> dg.ScheduleDefinition:
    """Return the schedule, due by *cron* in Phoenix."""

    # Dagster wants a job, and shows it as the target; none is ever asked for.
    @dg.schedule(
        name="daily_digest",
        job=extract_property,
        cron_schedule=cron,
        execution_timezone=str(PHOENIX),
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Has the day's digest sent where a channel is set up. It begins "
        "no run; `alerts` sends.",
    )
    def begin(stores: dg.ResourceParam[Stores]) -> dg.SkipReason:
        return dg.SkipReason(book(stores, stores.settings().channels))

    return begin


def book(stores: Stores, channels: tuple[Channel, ...]) -> str:
    """Note the digest of today as due, and tell what came of it."""
    if not channels:
        return NO_CHANNEL
    at = stores.clock()
    with stores.catalog() as catalog:
        booked = book_digest(catalog, channels, at=at)
    day = phoenix_day(at)
    if not booked:
        return f"the digest of {day} was noted before: nothing is left to do"
    return f"the digest of {day} is due by {', '.join(channels)}; `alerts` sends it"
