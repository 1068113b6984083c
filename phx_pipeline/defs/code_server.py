"""The code server: Dagster's own, but the workers of its runs are forked, not spawned.

A spawned worker imports everything anew, which takes most of the time of a run that
finds nothing. What the process is that they are forked from, and how it ends, belongs
to `supervise.fork_server`.

Sensors are given an instance that stays open (`sensors.instance`).

A run that is being cancelled and whose worker is gone is cancelled here, not failed:
Dagster would repeat a failed one, which nobody wants.
"""

import multiprocessing
from collections.abc import Iterable
from multiprocessing import forkserver
from multiprocessing.process import BaseProcess
from typing import Any

import dagster as dg
from dagster._cli import ENV_PREFIX, create_dagster_cli
from dagster._grpc import impl, server
from dagster._grpc.server import DagsterApiServer

from phx_pipeline.defs.internals import InstanceRef
from phx_pipeline.defs.sensors.instance import LookContext

FORKED_FROM = "phx_pipeline.supervise.fork_server"


class ForkingServer(DagsterApiServer):
    """Dagster's code server with a warm process to fork workers from."""

    def __init__(self, **told: Any) -> None:
        super().__init__(**told)
        forks = multiprocessing.get_context("forkserver")
        forks.set_forkserver_preload([FORKED_FROM])
        self._mp_ctx = forks  # type: ignore[assignment]  # both have what it uses
        # It imports while the other services start; the first run finds it ready. If it
        # is killed, the next run starts another.
        forkserver.ensure_running()

    def _check_for_orphaned_runs(self) -> None:
        with self._execution_lock:
            running = dict(self._executions)
        book_cancelled((run_id, *it) for run_id, it in running.items())
        super()._check_for_orphaned_runs()


def book_cancelled(workers: Iterable[tuple[str, BaseProcess, InstanceRef]]) -> None:
    """Note the end of each run that is being cancelled and whose worker has ended.

    A worker may be asked to end before it has begun its run, or be killed because it
    does not: then it leaves no end.
    """
    for run_id, process, instance_ref in workers:
        if process.is_alive():
            continue
        with dg.DagsterInstance.from_ref(instance_ref) as instance:
            run = instance.get_run_by_id(run_id)
            if run and run.status is dg.DagsterRunStatus.CANCELING:
                instance.report_run_canceled(run, message="its worker has ended")


def main() -> None:
    """Be `dagster api grpc`, whose arguments it reads itself."""
    vars(server)["DagsterApiServer"] = ForkingServer
    vars(impl)["SensorEvaluationContext"] = LookContext
    create_dagster_cli()(auto_envvar_prefix=ENV_PREFIX)  # type: ignore[no-untyped-call]  # Dagster's
