"""The run launcher: Dagster's default one, plus worker health from the lease."""

import time

from dagster import DagsterRun
from dagster._core.launcher.base import CheckRunHealthResult, WorkerStatus
from dagster._core.launcher.default_run_launcher import DefaultRunLauncher

from phx_pipeline.catalog.leases import LeaseState, is_dead
from phx_pipeline.errors import PhxError
from phx_pipeline.model.identity import run_lease
from phx_pipeline.settings import load_settings
from phx_pipeline.wiring import build_catalog

# A worker imports for some seconds between STARTED and its first heartbeat.
_GRACE_S = 60.0


class LeaseAwareRunLauncher(DefaultRunLauncher):
    """Lets run monitoring see a killed worker, which the default launcher cannot."""

    @property
    def supports_check_run_worker_health(self) -> bool:
        """Monitoring asks for health only where this is true."""
        return True

    def check_run_worker_health(self, run: DagsterRun) -> CheckRunHealthResult:
        """Judge the worker by the heartbeat of its run lease."""
        try:
            catalog = build_catalog(load_settings())
        except PhxError as error:
            # Without the catalogue nothing can be said, and saying so fails the run.
            return CheckRunHealthResult(WorkerStatus.RUNNING, str(error))
        try:
            state = catalog.leases.state(run_lease(run.run_id))
        finally:
            catalog.close()
        return judge(state, age_s=self._age_s(run))

    def _age_s(self, run: DagsterRun) -> float:
        record = self._instance.get_run_record_by_id(run.run_id)
        started = record.start_time if record else None
        return time.time() - started if started else 0.0


def judge(state: LeaseState | None, *, age_s: float) -> CheckRunHealthResult:
    """Tell a worker's health from its lease; *age_s* is the time since STARTED."""
    if state is None or not state.owner:
        if age_s < _GRACE_S:
            return CheckRunHealthResult(WorkerStatus.RUNNING, "no heartbeat yet")
        return CheckRunHealthResult(WorkerStatus.NOT_FOUND, "no worker keeps the lease")
    if is_dead(state.owner):
        return CheckRunHealthResult(WorkerStatus.FAILED, f"{state.owner} is gone")
    if not state.is_live:
        return CheckRunHealthResult(
            WorkerStatus.FAILED, f"last heartbeat {state.heartbeat_age_s:.0f} s ago"
        )
    return CheckRunHealthResult(WorkerStatus.RUNNING)
