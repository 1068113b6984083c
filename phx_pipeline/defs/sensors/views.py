"""Sensor `refresh_views`: the JSON views follow what runs published."""

import subprocess
import sys
import threading
from datetime import datetime

import dagster as dg

from phx_pipeline.catalog.store import Catalog
from phx_pipeline.defs.stores import Stores
from phx_pipeline.settings import environment
from phx_pipeline.stages.views import VIEWS_LEASE, is_due

_RENDER = [sys.executable, "-P", "-m", "phx_pipeline.cli.main", "rebuild", "--views"]


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
    env = environment(stores.settings())
    work = {"env": env, "stdout": subprocess.DEVNULL, "check": False}
    # A thread only to wait for it: nobody else would, and it would stay a zombie.
    threading.Thread(
        target=subprocess.run, args=(_RENDER,), kwargs=work, daemon=True
    ).start()
    return dg.SkipReason("a process of its own renders the views")


def _reason_to_wait(catalog: Catalog, *, at: datetime) -> str:
    state = catalog.views.state()
    if not state.is_stale:
        return "the views show all that was published"
    if not is_due(state, now_s=at.timestamp()):
        return f"rendered lately, which took {state.took_s:.0f} s"
    lease = catalog.leases.state(VIEWS_LEASE)
    return "another process renders them" if lease and lease.is_live else ""
