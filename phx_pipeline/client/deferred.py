"""Dagster's runs, opened by the first call that needs them and not before."""

from collections.abc import Collection, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING

from phx_pipeline.catalog.leases import Leases
from phx_pipeline.model.run_queue import SeenBackfill, SeenRun, Stopped
from phx_pipeline.settings import Settings

if TYPE_CHECKING:
    from phx_pipeline.defs.run_queue import DagsterRuns, NoRuns


class DeferredRuns:
    """`RunStates` and `RunQueue`; until one of its methods is called it costs nothing.

    To import Dagster and to open its store takes longer than all that is done to the
    rows of a job.
    """

    def __init__(self, settings: Settings, leases: Leases) -> None:
        self._settings = settings
        self._leases = leases
        self._stack = ExitStack()
        self._opened: DagsterRuns | None = None

    @property
    def _runs(self) -> "DagsterRuns | NoRuns":
        """Where there is no store yet, there may be one the next time."""
        from phx_pipeline.defs.run_queue import (  # noqa: PLC0415 - Dagster
            NoRuns,
            opened_runs,
        )

        if self._opened is None:
            opening = opened_runs(self._settings, self._leases)
            runs = self._stack.enter_context(opening)
            if isinstance(runs, NoRuns):
                return runs
            self._opened = runs
        return self._opened

    def close(self) -> None:
        """Close the store if it was opened."""
        self._stack.close()
        self._opened = None

    def open_runs(self) -> Sequence[SeenRun]:
        """Every run of a property that has not ended."""
        return self._runs.open_runs()

    def of_jobs(
        self, job_ids: Collection[str], *, slugs: Collection[str] = ()
    ) -> Sequence[SeenRun]:
        """All runs of jobs."""
        return self._runs.of_jobs(job_ids, slugs=slugs)

    def by_id(self, run_ids: Collection[str]) -> Sequence[SeenRun]:
        """The runs with these ids."""
        return self._runs.by_id(run_ids)

    def since(self, cursor: str) -> tuple[Sequence[SeenRun], str]:
        """The runs that were made since."""
        return self._runs.since(cursor)

    def backfills(self) -> Sequence[SeenBackfill]:
        """Those that are under way."""
        return self._runs.backfills()

    def taken(self, run_keys: Collection[str]) -> set[str]:
        """Run keys that other runs have."""
        return self._runs.taken(run_keys)

    @property
    def slots(self) -> int:
        """How many runs work at once."""
        return self._runs.slots

    def cancel(self, run_ids: Collection[str], *, wait_s: float) -> Stopped:
        """End runs."""
        return self._runs.cancel(run_ids, wait_s=wait_s)

    def cancel_backfill(self, backfill_id: str) -> None:
        """Keep a backfill from making more runs."""
        self._runs.cancel_backfill(backfill_id)

    def is_served(self, *, since_s: float = 0.0) -> bool:
        """Whether a daemon gave a sign of life lately, and since that moment."""
        return self._runs.is_served(since_s=since_s)
