"""Ending runs, many at once; the CLI reaches this lazily.

No daemon, code server or webserver is needed: a queued run is cancelled in Dagster's
store, a running one is asked to end, and one whose worker is gone is only written off.
Which runs belong to a job is not known here.
"""

import logging
import time
from collections.abc import Collection, Sequence
from typing import Final

import dagster as dg

from phx_pipeline.catalog.leases import Leases
from phx_pipeline.defs.internals import NOT_FINISHED_STATUSES, WorkerStatus
from phx_pipeline.defs.launcher import end_worker, grace_s, judge
from phx_pipeline.defs.repeats import (
    PARTITION_TAG,
    REPEATED_BY_TAG,
    give_up,
    may_come_again,
    retries_of,
)
from phx_pipeline.defs.submit import has_store, open_instance
from phx_pipeline.model.batches import batches
from phx_pipeline.model.identity import run_lease
from phx_pipeline.model.run_queue import Stopped
from phx_pipeline.settings import Settings

logger = logging.getLogger(__name__)

_POLL_S: Final = 0.1
_MOST_IDS: Final = 500  # in one query
# Of the time to wait, a worker may use so much to end by itself. One that does not, for
# it is inside a library, is killed: what it has stored is whole at every moment.
_SHARE_OF_GRACE: Final = 0.6
_NEVER_QUEUED: Final = "it was cancelled before it came into the queue"


def stop_runs(
    settings: Settings, slug: str, *, leases: Leases, wait_s: float
) -> Stopped:
    """Cancel all runs of a property and wait until they have ended, up to *wait_s*."""
    if not has_store(settings):
        return Stopped(ended=(), going_on=())
    with open_instance(settings) as instance:
        return end_runs_of(instance, slug, leases=leases, wait_s=wait_s)


def end_runs_of(
    instance: dg.DagsterInstance, slug: str, *, leases: Leases, wait_s: float
) -> Stopped:
    """Cancel all runs of a property, also those that come meanwhile."""
    deadline = time.monotonic() + wait_s
    ended: tuple[str, ...] = ()
    while found := [record.dagster_run.run_id for record in open_runs(instance, slug)]:
        left_s = max(deadline - time.monotonic(), 0)
        done = end_runs(instance, found, leases=leases, wait_s=left_s)
        ended += done.ended
        if done.going_on:
            return Stopped(ended=ended, going_on=done.going_on)
    return Stopped(ended=ended, going_on=())


def open_runs(instance: dg.DagsterInstance, slug: str) -> Sequence[dg.RunRecord]:
    """The runs of a property that have not ended, the newest first."""
    filters = dg.RunsFilter(
        statuses=list(NOT_FINISHED_STATUSES), tags={PARTITION_TAG: slug}
    )
    return instance.get_run_records(filters)


def end_runs(
    instance: dg.DagsterInstance,
    run_ids: Collection[str],
    *,
    leases: Leases,
    wait_s: float,
) -> Stopped:
    """Cancel runs and wait until they have ended, up to *wait_s*.

    A failed one that would be started again is given up. Those that had ended for good,
    and ids of no run, are told as ended.
    """
    records = records_of(instance, run_ids)
    _give_up(instance, [record.dagster_run for record in records])
    going = [record for record in records if not record.dagster_run.is_finished]
    left = _Ending(instance, leases).left_after(going, wait_s=wait_s)
    ended = tuple(run_id for run_id in dict.fromkeys(run_ids) if run_id not in left)
    return Stopped(ended=ended, going_on=tuple(left))


def _give_up(instance: dg.DagsterInstance, runs: Sequence[dg.DagsterRun]) -> None:
    retries = retries_of(instance)
    for run in runs:
        is_repeated = REPEATED_BY_TAG in run.tags
        if may_come_again(run, retries=retries) and not is_repeated:
            give_up(instance, run)


def records_of(
    instance: dg.DagsterInstance, run_ids: Collection[str]
) -> list[dg.RunRecord]:
    """The runs of these ids that are there, whatever their state."""
    ids = list(dict.fromkeys(run_ids))
    return [
        record
        for some in batches(ids, _MOST_IDS)
        for record in instance.get_run_records(dg.RunsFilter(run_ids=some))
    ]


class _Ending:
    """Some runs on their way to the end."""

    def __init__(self, instance: dg.DagsterInstance, leases: Leases) -> None:
        self._instance = instance
        self._leases = leases
        self._since: dict[str, float] = {}

    def left_after(self, going: Sequence[dg.RunRecord], *, wait_s: float) -> list[str]:
        """Ask all to end, and again until they have; return who goes on."""
        # Asking changes the time, so the age of a run without a heartbeat is taken now.
        self._since = {
            record.dagster_run.run_id: record.update_timestamp.timestamp()
            for record in going
        }
        started = time.monotonic()
        left = self._look_at(going, may_kill=False)
        while left and (passed_s := time.monotonic() - started) < wait_s:
            time.sleep(_POLL_S)
            records = records_of(self._instance, left)
            going = [one for one in records if not one.dagster_run.is_finished]
            left = self._look_at(going, may_kill=passed_s > wait_s * _SHARE_OF_GRACE)
        return left

    def _look_at(self, records: Sequence[dg.RunRecord], *, may_kill: bool) -> list[str]:
        """Ask whom nobody asked yet, write off the dead; return who goes on.

        Those at work are asked first: they need their time.
        """
        runs = [record.dagster_run for record in records]
        made = [run for run in runs if self._is_only_made(run)]
        rest = [run for run in runs if run not in made]
        for run in sorted(rest, key=is_queued):
            _cancel(self._instance, run)
        for run in made:  # the coordinator would ask a worker, and wait for its word
            self._instance.report_run_canceled(run, message=_NEVER_QUEUED)
        queued = [run.run_id for run in runs if is_queued(run) or run in made]
        begun = [run for run in rest if not is_queued(run)]
        # The daemon may have taken one out of the queue just before it was cancelled.
        still = [it.dagster_run for it in records_of(self._instance, queued)]
        return [run.run_id for run in still if not run.is_finished] + [
            run.run_id for run in begun if not self._is_dead(run, may_kill=may_kill)
        ]

    def _is_only_made(self, run: dg.DagsterRun) -> bool:
        """Whether a run is not in the queue yet, and nobody works on it in place."""
        is_made = run.status is dg.DagsterRunStatus.NOT_STARTED
        return is_made and self._leases.state(run_lease(run.run_id)) is None

    def _is_dead(self, run: dg.DagsterRun, *, may_kill: bool) -> bool:
        """Whether nobody works on a run; then it is marked as cancelled."""
        now_s = time.time()
        age_s = now_s - self._since.get(run.run_id, now_s)
        state = self._leases.state(run_lease(run.run_id))
        health = judge(state, age_s=age_s, grace_s=grace_s(self._leases))
        if health.status is WorkerStatus.RUNNING:
            if may_kill and state and state.owner:
                end_worker(state.owner)
            return False
        if _goes_on(self._instance, run.run_id):  # it may have ended in this moment
            self._instance.report_run_canceled(run, message=health.msg)
        return True


def is_queued(run: dg.DagsterRun) -> bool:
    """Whether no worker was asked for yet."""
    return run.status is dg.DagsterRunStatus.QUEUED


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


def _goes_on(instance: dg.DagsterInstance, run_id: str) -> bool:
    run = instance.get_run_by_id(run_id)
    return run is not None and not run.is_finished
