"""Sensor `prune_history`: what nothing rests on any more is forgotten, bit by bit."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping

import dagster as dg

from phx_pipeline.catalog.store import Catalog
from phx_pipeline.defs.retention import Removed, RunHistory, oldest_kept, prune
from phx_pipeline.defs.stores import Stores
from phx_pipeline.model.counted import counted

# The daemon evaluates one sensor after the other: `dispatch_jobs` waits for so long.
_BUDGET_S = 5.0
_AT_MOST_RUNS = 500


@dg.sensor(
    minimum_interval_seconds=900,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Forgets old runs, logs and rows; never the newest of their kind.",
)
def prune_history(
    context: dg.SensorEvaluationContext, stores: dg.ResourceParam[Stores]
) -> dg.SkipReason:
    """Remove for some seconds; the cursor tells the next tick where to go on."""
    runs = RunHistory(context.instance, folder=stores.settings().dagster_dir)
    with stores.catalog() as catalog:
        cursor, told = _prune(catalog, runs, stores=stores, after=context.cursor or "")
    context.update_cursor(cursor)
    return dg.SkipReason(told)


def _prune(
    catalog: Catalog, runs: RunHistory, *, stores: Stores, after: str
) -> tuple[str, str]:
    days = stores.settings().keep_runs_days
    before = oldest_kept(catalog.history, now=stores.clock(), days=days)
    steps = prune(runs, catalog.history, before=before, after=after)
    deadline = time.monotonic() + _BUDGET_S
    cursor, removed = take(steps, is_late=lambda: time.monotonic() > deadline)
    return cursor, describe(removed, days=days)


def take(
    steps: Iterable[Removed], *, is_late: Callable[[], bool]
) -> tuple[str, Counter[str]]:
    """Take steps until late; return where to go on, and what was removed.

    An empty cursor means that all was looked at: the next time begins anew.
    """
    removed: Counter[str] = Counter()
    for step in steps:
        removed[step.what] += step.count
        if removed["run"] >= _AT_MOST_RUNS or is_late():
            return step.after, removed
    return "", removed


def describe(removed: Mapping[str, int], *, days: int) -> str:
    """Say in one line what was removed."""
    told = [counted(count, what) for what, count in sorted(removed.items()) if count]
    return f"older than {counted(days, 'day')}: {', '.join(told) or 'nothing'} removed"
