"""Dagster's queue as the daemon takes runs from it; which jobs come, `jobs` decides."""

import logging
from collections.abc import Iterable
from contextlib import closing
from typing import Any

import dagster as dg
from dagster._daemon.run_coordinator.queued_run_coordinator_daemon import (
    QueuedRunCoordinatorDaemon,
)

from phx_pipeline.defs.lineage import in_order
from phx_pipeline.defs.run_queue import DagsterRuns
from phx_pipeline.jobs.tick import unwanted
from phx_pipeline.model.printable import printable
from phx_pipeline.settings import load_settings
from phx_pipeline.wiring.catalog import build_catalog

logger = logging.getLogger(__name__)


class FairQueue(QueuedRunCoordinatorDaemon):
    """Dagster's loop over its queue: no launch outranks jobs, nothing unwanted begins.

    The dispatcher ends what nobody wants any more, but under load its next look may
    come long after the run is in the queue.
    """

    def _priority_sort(self, runs: Iterable[dg.DagsterRun]) -> list[dg.DagsterRun]:
        return in_order(runs)

    def _dequeue_run(
        self,
        instance: dg.DagsterInstance,
        workspace: Any,
        run: dg.DagsterRun,
        concurrency_config: Any,
        fixed_iteration_time: float | None,
    ) -> bool:
        if was_called_off(instance, run.run_id):
            return False
        return super()._dequeue_run(
            instance, workspace, run, concurrency_config, fixed_iteration_time
        )


def was_called_off(instance: dg.DagsterInstance, run_id: str) -> bool:
    """Cancel a run that waits if nobody wants it any more, and tell whether it was so.

    Where that cannot be told the run is wanted.
    """
    try:
        with closing(build_catalog(load_settings())) as catalog:
            runs = DagsterRuns(instance, catalog.leases)
            found = unwanted(catalog.dispatch, runs.by_id([run_id]))
            runs.cancel(found, wait_s=0)
    except Exception as error:  # noqa: BLE001 - whatever a database raises
        logger.warning("%s: begins, wanted or not: %s", run_id, printable(repr(error)))
        return False
    return bool(found)
