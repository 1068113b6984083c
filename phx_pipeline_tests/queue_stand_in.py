"""Dagster's queue as far as jobs see it, without processes: for sequences of events.

The real one is behind `phx_pipeline.defs.run_queue`.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import count
from typing import Any

from phx_pipeline.jobs.tick import Launch
from phx_pipeline.model.job import JobState
from phx_pipeline.model.run_queue import SeenBackfill, SeenRun, Stopped

_AT_WORK = JobState.IN_PROGRESS


@dataclass(slots=True)
class QueueStandIn:
    """Both ports; runs begin and end when a test says so."""

    clock: Callable[[], datetime]
    slots: int = 3
    runs: dict[str, SeenRun] = field(default_factory=dict)
    cancelled_backfills: list[str] = field(default_factory=list)
    under_way: list[SeenBackfill] = field(default_factory=list)
    foreign: set[str] = field(default_factory=set)
    asked: int = 0
    numbers: Any = field(default_factory=lambda: count(1))

    # --- RunStates ---

    def open_runs(self) -> Sequence[SeenRun]:
        self.asked += 1
        going = (JobState.PENDING, JobState.QUEUED, _AT_WORK)
        return [run for run in self._newest_first() if run.state in going]

    def of_jobs(
        self, job_ids: Collection[str], *, slugs: Collection[str] = ()
    ) -> Sequence[SeenRun]:
        self.asked += 1
        found = [run for run in self._newest_first() if run.job_id in job_ids]
        return [run for run in found if not slugs or run.slug in slugs]

    def by_id(self, run_ids: Collection[str]) -> Sequence[SeenRun]:
        self.asked += 1
        return [run for run in self._newest_first() if run.run_id in run_ids]

    def since(self, cursor: str) -> tuple[Sequence[SeenRun], str]:
        self.asked += 1
        every = list(self.runs.values())
        return every[int(cursor) :] if cursor else [], str(len(every))

    def backfills(self) -> Sequence[SeenBackfill]:
        self.asked += 1
        return self.under_way

    def taken(self, run_keys: Collection[str]) -> set[str]:
        self.asked += 1
        return self.foreign.intersection(run_keys)

    # --- RunQueue ---

    def cancel(self, run_ids: Collection[str], *, wait_s: float) -> Stopped:
        del wait_s
        for run_id in run_ids:
            if not self.runs[run_id].state.is_final:
                self.end(run_id, JobState.CANCELLED)
        return Stopped(ended=tuple(run_ids))

    def cancel_backfill(self, backfill_id: str) -> None:
        self.cancelled_backfills.append(backfill_id)

    def put(self, run_ids: Collection[str]) -> None:
        for run_id in run_ids:
            self.runs[run_id] = replace(self.runs[run_id], state=JobState.QUEUED)

    def hasten(self, run_ids: Collection[str], *, priority: int) -> None:
        for run_id in run_ids:
            self.runs[run_id] = replace(self.runs[run_id], priority=priority)

    def is_served(self, *, since_s: float = 0.0) -> bool:
        del since_s
        return True

    # --- what happens ---

    def launch(self, launch: Launch) -> str:
        """Make a run, unless one with its key is there, as a sensor's daemon does.

        A run of somebody else that has the key counts, too.
        """
        if launch.run_key in self.foreign:
            return ""
        for run in self.runs.values():
            if run.run_key == launch.run_key:
                if run.state is JobState.PENDING:
                    self.runs[run.run_id] = replace(run, state=JobState.QUEUED)
                return run.run_id
        return self.add(
            launch.slug,
            job_id=launch.job_id,
            attempt=launch.attempt,
            priority=launch.priority,
            user=launch.user,
        )

    def add(self, slug: str, **more: Any) -> str:
        """Make a run in the queue, by default one that no job asked for."""
        run_id = f"run-id-{next(self.numbers):08}"
        given: dict[str, Any] = {
            "run_id": run_id,
            "slug": slug,
            "job_id": None,
            "attempt": 1,
            "state": JobState.QUEUED,
            "priority": 0,
            "created_at": self.clock(),
            "ended_at": None,
            "root_run_id": run_id,
        }
        self.runs[run_id] = SeenRun(**(given | more))
        return run_id

    def begin(self) -> SeenRun | None:
        """Start the run that is next, if a slot is free."""
        busy = {run.slug for run in self.runs.values() if run.state is _AT_WORK}
        free = [
            run
            for run in self.runs.values()
            if run.state is JobState.QUEUED and run.slug not in busy
        ]
        at_work = sum(run.state is _AT_WORK for run in self.runs.values())
        if at_work >= self.slots or not free:
            return None
        run = max(free, key=lambda run: run.priority)  # the oldest of equals
        self.runs[run.run_id] = replace(run, state=_AT_WORK)
        return run

    def end(self, run_id: str, state: JobState = JobState.COMPLETED) -> None:
        run = self.runs[run_id]
        self.runs[run_id] = replace(run, state=state, ended_at=self.clock())

    def _newest_first(self) -> list[SeenRun]:
        return list(self.runs.values())[::-1]
