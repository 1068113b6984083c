"""What is done by itself day by day, and when a house is due again."""

from dataclasses import dataclass

from phx_pipeline.model.fault_days import FINAL_AFTER_DAYS, MOST_FAULT_DAYS
from phx_pipeline.settings.variables import MANY, Environment, cron, whole


@dataclass(frozen=True, kw_only=True, repr=False, eq=False)
class Daily:
    """The daily look, saved searches, and what is due."""

    stale_days: int
    final_after_days: int
    look_cron: str  # or `off`
    look_minutes: int
    daily_pages: int
    search_cron: str  # or `off`


def read_daily(given: Environment) -> Daily:
    """Read what is done day by day."""
    return Daily(
        stale_days=whole(given, "STALE_DAYS", default=7, low=0, high=3650),
        final_after_days=whole(
            given,
            "FINAL_AFTER_DAYS",
            default=FINAL_AFTER_DAYS,
            low=1,
            high=MOST_FAULT_DAYS,
        ),
        look_cron=look_cron(given),
        look_minutes=whole(given, "LOOK_MINUTES", default=30, low=1, high=1440),
        daily_pages=whole(given, "DAILY_PAGES", default=20_000, low=1, high=MANY),
        search_cron=search_cron(given),
    )


def look_cron(environ: Environment | None = None) -> str:
    """When the daily look begins, as cron says it, in Phoenix; `OFF` if never.

    Raises:
        InputError: it cannot be used.
    """
    return cron(environ, "LOOK_CRON", default="0 6 * * *")


def search_cron(environ: Environment | None = None) -> str:
    """When saved searches are run, as cron says it, in Phoenix; `OFF` if never.

    Raises:
        InputError: it cannot be used.
    """
    return cron(environ, "SEARCH_CRON", default="30 5 * * *")
