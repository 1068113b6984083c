"""The code location: `defs`, and a builder that takes overrides for tests."""

from collections.abc import Mapping
from typing import Any

import dagster as dg

from phx_pipeline.defs.assets.categorized_images import categorized_images
from phx_pipeline.defs.assets.deduped_images import deduped_images
from phx_pipeline.defs.assets.discovered_urls import discovered_urls
from phx_pipeline.defs.assets.look import look
from phx_pipeline.defs.assets.manifest import manifest
from phx_pipeline.defs.assets.new_listings import new_listings
from phx_pipeline.defs.assets.raw_images import raw_images
from phx_pipeline.defs.code_links import with_code_links
from phx_pipeline.defs.jobs import (
    categorize_property,
    extract_property,
    look_at_houses,
    search_listings,
)
from phx_pipeline.defs.resources import pipeline
from phx_pipeline.defs.schedules.daily_digest import daily_digest
from phx_pipeline.defs.schedules.daily_look import daily_look
from phx_pipeline.defs.schedules.daily_search import daily_search
from phx_pipeline.defs.sensors.alerts import alerts
from phx_pipeline.defs.sensors.dispatcher import dispatch_jobs
from phx_pipeline.defs.sensors.history import prune_history
from phx_pipeline.defs.sensors.looks import go_on_looking
from phx_pipeline.defs.sensors.properties import reconcile_properties
from phx_pipeline.defs.sensors.properties_file import properties_file
from phx_pipeline.defs.sensors.proposals import propose_houses
from phx_pipeline.defs.sensors.repeats import repeat_lost_runs
from phx_pipeline.defs.sensors.views import refresh_views
from phx_pipeline.defs.stores import Stores
from phx_pipeline.settings import (
    OFF,
    code_url,
    digest_cron,
    look_cron,
    search_cron,
)

_ASSETS = [
    discovered_urls,
    raw_images,
    deduped_images,
    categorized_images,
    manifest,
    look,
    new_listings,
]


def build_definitions(
    *, resources: Mapping[str, Any] | None = None, code_url: str | None = None
) -> dg.Definitions:
    """Return fresh definitions, with *resources* replacing the defaults.

    Assets link to their code, at *code_url* if it is given.

    Runs execute in one process: the default executor starts a process per step, which
    costs five times the time and would lose the run's lease between steps.
    """
    return dg.Definitions(
        assets=with_code_links(_ASSETS, code_url=code_url),
        jobs=[
            categorize_property,
            extract_property,
            look_at_houses,
            search_listings,
        ],
        sensors=[
            alerts,
            dispatch_jobs,
            go_on_looking,
            properties_file,
            propose_houses,
            prune_history,
            reconcile_properties,
            refresh_views,
            repeat_lost_runs,
        ],
        schedules=_schedules(),
        resources={"pipeline": pipeline, "stores": Stores(), **(resources or {})},
        executor=dg.in_process_executor,
    )


def _schedules() -> list[dg.ScheduleDefinition]:
    """The schedules that settings do not switch off."""
    timed = (
        (daily_look, look_cron()),
        (daily_search, search_cron()),
        (daily_digest, digest_cron()),
    )
    return [make(cron) for make, cron in timed if cron != OFF]


defs = build_definitions(code_url=code_url())
