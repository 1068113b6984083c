"""Sensor `refresh_views`: the JSON views follow what runs published."""

import multiprocessing
import os
from collections.abc import Sequence
from datetime import datetime

import dagster as dg

from phx_pipeline.catalog.store import Catalog
from phx_pipeline.catalog.views import ViewState
from phx_pipeline.defs.stores import Stores
from phx_pipeline.settings import Settings
from phx_pipeline.stages.folder_views import rebuild_links
from phx_pipeline.stages.views import VIEWS_LEASE, is_due
from phx_pipeline.stages.views import refresh_views as refresh
from phx_pipeline.wiring.runs import build_context

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
        every, history = catalog.views.states()
        wait = _reason_to_wait(catalog, [every, history], at=stores.clock())
    if wait:
        return dg.SkipReason(wait)
    whole = is_due(every, now_s=stores.clock().timestamp())
    _FORKS.Process(target=_render, args=(stores.settings(), whole)).start()
    return dg.SkipReason("a process of its own renders the views")


def _render(settings: Settings, whole: bool) -> None:  # noqa: FBT001 - of a process
    context = build_context(settings, run_id=f"views-{os.getpid()}")
    try:
        refresh(context, anyway=whole, only_history=not whole)
        if whole:
            rebuild_links(context)
    finally:
        context.catalog.close()


def _reason_to_wait(
    catalog: Catalog, states: Sequence[ViewState], *, at: datetime
) -> str:
    stale = [state for state in states if state.is_stale]
    if not stale:
        return "the views show all that was published"
    if not any(is_due(state, now_s=at.timestamp()) for state in stale):
        return f"rendered lately, which took {stale[0].took_s:.0f} s"
    lease = catalog.leases.state(VIEWS_LEASE)
    return "another process renders them" if lease and lease.is_live else ""
