"""The run launcher: Dagster's default one, plus worker health from the lease.

A run is failed only for what proves that nobody works on it. Clocks may jump and
databases be away: then a run is taken to be at work, and `max_runtime_seconds` of
`dagster.yaml` is its bound.
"""

import logging
import os
import signal
import time
from collections.abc import Callable, Hashable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import dagster as dg

from phx_pipeline.catalog.leases import Leases, LeaseState, is_dead, living_pid
from phx_pipeline.defs.internals import (
    CheckRunHealthResult,
    DagsterLaunchFailedError,
    DagsterUserCodeUnreachableError,
    LaunchRunContext,
    WorkerStatus,
)
from phx_pipeline.model.identity import run_lease
from phx_pipeline.model.moments import APART_S
from phx_pipeline.settings import load_settings
from phx_pipeline.wiring.catalog import build_catalog

logger = logging.getLogger(__name__)

# Lifetimes of a lease that a started run may be without a worker: one imports for some
# seconds before it takes the lease, and ends some moments after it gave it back.
GRACE_LIFETIMES: Final = 2
_SHUTTING_DOWN: Final = "after telling it to shut down"  # the code server, of itself
_MOST_DOUBTS: Final = 100  # runs; only those going on are asked about


class LeaseAwareRunLauncher(dg.DefaultRunLauncher):
    """Lets run monitoring see a killed worker, which the default launcher cannot."""

    def __init__(self, inst_data: Any = None) -> None:
        super().__init__(inst_data)
        self._doubts = Doubts()

    def launch_run(self, context: LaunchRunContext) -> None:
        """Start a run's worker.

        Raises:
            DagsterUserCodeUnreachableError: the code server is away, or about to be;
                the queue keeps the run, where another error would fail it.
        """
        try:
            super().launch_run(context)
        except DagsterLaunchFailedError as error:
            if _SHUTTING_DOWN not in str(error):
                raise
            raise DagsterUserCodeUnreachableError(str(error)) from error

    @property
    def supports_check_run_worker_health(self) -> bool:
        """Monitoring asks for health only where this is true."""
        return True

    def check_run_worker_health(self, run: dg.DagsterRun) -> CheckRunHealthResult:
        """Judge the worker by the heartbeat of its run lease."""
        try:
            return self._judged(run)
        # Without the catalogue nothing can be said, and to raise would end the round of
        # monitoring for this run: then not even its longest time would be watched.
        except Exception as error:  # noqa: BLE001 - whatever a database raises
            told = " ".join(str(error).split())[:200]
            logger.warning("%s: nothing is known of its worker: %s", run.run_id, told)
            return CheckRunHealthResult(WorkerStatus.RUNNING, told)

    def _judged(self, run: dg.DagsterRun) -> CheckRunHealthResult:
        catalog = build_catalog(load_settings())
        try:
            leases = catalog.leases
            state = leases.state(run_lease(run.run_id))
        finally:
            catalog.close()
        health = judge(state, age_s=self._age_s(run), grace_s=grace_s(leases))
        if state and is_dead(state.owner):  # no clock has a part in it
            return health
        sign = (state.owner, state.epoch, state.heartbeat_at) if state else None
        told = self._doubts.settled(run.run_id, sign, health, wait_s=leases.ttl_s)
        if state and told.status is WorkerStatus.FAILED:
            end_worker(state.owner)
        return told

    def _age_s(self, run: dg.DagsterRun) -> float:
        record = self._instance.get_run_record_by_id(run.run_id)
        started = record.start_time if record else None
        return time.time() - started if started else 0.0


def end_worker(owner: str) -> None:
    """Kill a worker without signs of life, as far as this host can: its run is failed.

    One that was only paused would go on, and tell Dagster that the failed run succeeded
    while another one repeats it.
    """
    pid = living_pid(owner)
    if pid is not None and pid != os.getpid():
        with suppress(OSError):  # it ended just now, or is another user's
            os.kill(pid, signal.SIGKILL)


def grace_s(leases: Leases) -> float:
    """How long a started run may be without a worker before it counts as lost."""
    return GRACE_LIFETIMES * leases.ttl_s


def judge(
    state: LeaseState | None, *, age_s: float, grace_s: float
) -> CheckRunHealthResult:
    """Tell a worker's health from its lease.

    A lease that was given back is a worker's last act but one: Dagster writes the end
    of the run after it. So it is neither dead nor lost, until that end is overdue.

    Args:
        state: of the run's lease; None if no worker ever took it.
        age_s: since STARTED, less than zero after a clock was set back.
        grace_s: as of `grace_s`.
    """
    if age_s < -APART_S:  # it began by a clock that was ahead: nobody knows when
        age_s = grace_s
    if state is None or not state.owner:
        return _judge_absence(state, age_s=age_s, grace_s=grace_s)
    if is_dead(state.owner):
        return CheckRunHealthResult(WorkerStatus.FAILED, f"{state.owner} is gone")
    if not state.is_live:
        told = f"last heartbeat {state.heartbeat_age_s:.0f} s ago"
        return CheckRunHealthResult(WorkerStatus.FAILED, told)
    return CheckRunHealthResult(WorkerStatus.RUNNING)


def _judge_absence(
    state: LeaseState | None, *, age_s: float, grace_s: float
) -> CheckRunHealthResult:
    if state is None:
        if age_s < grace_s:
            return CheckRunHealthResult(WorkerStatus.RUNNING, "no heartbeat yet")
        told = f"no worker came in {age_s:.0f} s"
        return CheckRunHealthResult(WorkerStatus.NOT_FOUND, told)
    # A run may be started again under its id: then the lease was given back before.
    idle_s = min(age_s, state.heartbeat_age_s)
    if idle_s < grace_s:
        return CheckRunHealthResult(WorkerStatus.RUNNING, "its worker has ended")
    told = f"its worker ended {idle_s:.0f} s ago and left no end of the run"
    return CheckRunHealthResult(WorkerStatus.NOT_FOUND, told)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Doubt:
    sign: Hashable
    since_s: float


class Doubts:
    """Verdicts against workers, each held back until a second look agrees.

    A clock that jumps ahead, or a computer that slept, makes every heartbeat look old.
    A worker that lives gives a new sign within the lifetime of its lease, counted while
    this process is awake.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._doubts: dict[str, _Doubt] = {}

    def settled(
        self,
        run_id: str,
        sign: Hashable,
        health: CheckRunHealthResult,
        *,
        wait_s: float,
    ) -> CheckRunHealthResult:
        """Return *health*, or that the run goes on while the doubt is younger.

        Args:
            run_id: of the run.
            sign: the worker's last sign of life; a new one ends the doubt.
            health: by the clocks.
            wait_s: a living worker gives a sign within this time.
        """
        if health.status is WorkerStatus.RUNNING:
            self._doubts.pop(run_id, None)
            return health
        doubt = self._doubts.get(run_id)
        if doubt is None or doubt.sign != sign:
            doubt = _Doubt(sign=sign, since_s=self._clock())
            self._remember(run_id, doubt)
        if self._clock() - doubt.since_s >= wait_s:
            return health
        return CheckRunHealthResult(WorkerStatus.RUNNING, f"in doubt: {health.msg}")

    def _remember(self, run_id: str, doubt: _Doubt) -> None:
        self._doubts.pop(run_id, None)
        self._doubts[run_id] = doubt
        if len(self._doubts) > _MOST_DOUBTS:
            del self._doubts[next(iter(self._doubts))]
