"""Ending the runs of one property; the CLI reaches this lazily.

No daemon, code server or webserver is needed: a queued run is cancelled in Dagster's
store, a running one is asked to end, and one whose worker is gone is only written off.
"""

import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import dagster as dg

from phx_pipeline.catalog.leases import Leases
from phx_pipeline.defs.internals import WorkerStatus
from phx_pipeline.defs.launcher import grace_s, judge
from phx_pipeline.defs.submit import open_instance
from phx_pipeline.model.identity import run_lease
from phx_pipeline.settings import Settings

logger = logging.getLogger(__name__)

_PARTITION_TAG = "dagster/partition"
_POLL_S = 0.2
_OPEN = (
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopped:
    """How many runs were cancelled or ended, and the ids of those still going on."""

    ended: int
    going_on: tuple[str, ...]


def has_store(settings: Settings) -> bool:
    """Whether Dagster was ever used with these settings."""
    return settings.dagster_dir.is_dir()


def stop_runs(
    settings: Settings, slug: str, *, leases: Leases, wait_s: float
) -> Stopped:
    """Cancel all runs of a property and wait until they have ended, up to *wait_s*."""
    if not has_store(settings):
        return Stopped(ended=0, going_on=())
    with open_instance(settings) as instance:
        return end_runs(instance, slug, leases=leases, wait_s=wait_s)


def end_runs(
    instance: dg.DagsterInstance, slug: str, *, leases: Leases, wait_s: float
) -> Stopped:
    """Cancel all runs of a property in an open instance; see `stop_runs`."""
    found = open_runs(instance, slug)
    # Cancelling changes the time, so the age of a run without a heartbeat is taken now.
    since = {r.dagster_run.run_id: r.update_timestamp.timestamp() for r in found}
    for record in found:
        _cancel(instance, record.dagster_run)
    deadline = time.monotonic() + wait_s
    while True:
        left = _write_off(instance, slug, leases=leases, since=since)
        if not left or time.monotonic() >= deadline:
            break
        time.sleep(_POLL_S)
    return Stopped(ended=len(found) - len(left), going_on=tuple(left))


def open_runs(instance: dg.DagsterInstance, slug: str) -> Sequence[dg.RunRecord]:
    """The runs of a property that have not ended, the newest first."""
    filters = dg.RunsFilter(statuses=list(_OPEN), tags={_PARTITION_TAG: slug})
    return instance.get_run_records(filters)


def _cancel(instance: dg.DagsterInstance, run: dg.DagsterRun) -> None:
    if run.status is dg.DagsterRunStatus.CANCELING:
        return
    try:
        asked = instance.run_coordinator.cancel_run(run.run_id)
    except Exception as error:  # noqa: BLE001 - whatever gRPC raises without a code server
        asked = False
        logger.info("run %s: %s", run.run_id, " ".join(str(error).split())[:200])
    if not asked:
        logger.info("run %s cannot be asked to end, waiting for it", run.run_id)


def _write_off(
    instance: dg.DagsterInstance,
    slug: str,
    *,
    leases: Leases,
    since: Mapping[str, float],
) -> list[str]:
    """Mark runs nobody works on as cancelled; return the ids of those that go on."""
    left = []
    for record in open_runs(instance, slug):
        run, now_s = record.dagster_run, time.time()
        if run.status is dg.DagsterRunStatus.QUEUED:  # it came meanwhile
            _cancel(instance, run)
            continue
        age_s = now_s - since.get(run.run_id, now_s)
        state = leases.state(run_lease(run.run_id))
        health = judge(state, age_s=age_s, grace_s=grace_s(leases))
        if health.status is WorkerStatus.RUNNING:
            left.append(run.run_id)
        elif _goes_on(instance, run.run_id):  # it may have ended in this moment
            instance.report_run_canceled(run, message=health.msg)
    return left


def _goes_on(instance: dg.DagsterInstance, run_id: str) -> bool:
    run = instance.get_run_by_id(run_id)
    return run is not None and not run.is_finished
