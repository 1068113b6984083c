"""Sensor `refresh_views`: the JSON views follow what runs published."""

import multiprocessing
import os
from datetime import datetime

import dagster as dg

from phx_pipeline.catalog.store import Catalog
from phx_pipeline.defs.stores import Stores
from phx_pipeline.settings import Settings
from phx_pipeline.stages.folder_views import rebuild_links
from phx_pipeline.stages.views import VIEWS_LEASE, is_due
from phx_pipeline.stages.views import refresh_views as refresh
from phx_pipeline.wiring import build_context

# In the code server it is the warm one of `code_server`, which runs are forked from.
_FORKS = multiprocessing.get_context("forkserver")


@dg.sensor(
    minimum_interval_seconds=10,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Renders the JSON views when runs have published since.",
)
def refresh_views(stores: dg.ResourceParam[Stores]) -> dg.SkipReason:
    """Start a process that renders stale views; no sensor and no run waits for it."""
    with stores.catalog() as catalog:
        wait = _reason_to_wait(catalog, at=stores.clock())
    if wait:
        return dg.SkipReason(wait)
    _FORKS.Process(target=_render, args=(stores.settings(),)).start()
    return dg.SkipReason("a process of its own renders the views")


def _render(settings: Settings) -> None:
    context = build_context(settings, run_id=f"views-{os.getpid()}")
    try:
        refresh(context, anyway=True)
        rebuild_links(context)
    finally:
        context.catalog.close()


def _reason_to_wait(catalog: Catalog, *, at: datetime) -> str:
    state = catalog.views.state()
    if not state.is_stale:
        return "the views show all that was published"
    if not is_due(state, now_s=at.timestamp()):
        return f"rendered lately, which took {state.took_s:.0f} s"
    lease = catalog.leases.state(VIEWS_LEASE)
    return "another process renders them" if lease and lease.is_live else ""
