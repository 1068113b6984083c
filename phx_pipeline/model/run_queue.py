"""What jobs ask of the machine that runs them; `defs` answers for Dagster.

Ports and the values that pass through them. Where Dagster was never used with a data
folder, there are no runs, and nothing to cancel.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from phx_pipeline.model.job import JobState, Mode, Origin, run_key_of
from phx_pipeline.model.source import Source

HASTENED: Final = 400
"""Dagster's number for the one run of a job that goes before all others.

It has waited for too long; no run has a higher number.
"""
MOST_BY_HAND: Final = 200
"""The most that counts of a number that no job gave: it is less than an urgent job's.

Anybody who launches may write any number into a tag.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenRun:
    """One run of one property, as Dagster knows it.

    `state` is never `PARTIAL`. `PENDING` is a run that was only created: if its maker
    was killed before it came into the queue, nobody launches it until it is asked for
    again. A failed run that will be repeated is `RETRYING`.

    `job_id`, `attempt` and `slug` are those of the run key, the last the key its
    property had then; `job_id` is None where no job of ours asked for it. A run that
    somebody had executed again is of no job, and the first of its kind. `priority` is
    Dagster's number, as far as it counts. `root_run_id` is the first of the runs that
    repeat one another by themselves, its own id where it repeats none. `user` is None
    if nobody is named, `error` tells why a run failed.
    """

    run_id: str
    slug: str
    job_id: str | None
    attempt: int
    state: JobState
    priority: int
    created_at: datetime
    ended_at: datetime | None
    root_run_id: str
    backfill_id: str | None = None
    user: str | None = None
    origin: Origin = Origin.CLI
    sources: tuple[Source, ...] = ()
    mode: Mode = Mode.FRESH
    error: str = ""

    @property
    def run_key(self) -> str | None:
        """The run key it was launched for; None without a job of ours."""
        return self.job_id and run_key_of(self.job_id, self.attempt, self.slug)

    @property
    def is_repetition(self) -> bool:
        """Whether it was made by itself in the place of a run that failed."""
        return self.root_run_id != self.run_id


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenBackfill:
    """A backfill under way: Dagster makes its runs still, or they have not all ended.

    `slugs` are all properties it is for, in order; those that cannot be told are left
    out. `user` is None if nobody is named.
    """

    backfill_id: str
    slugs: tuple[str, ...]
    created_at: datetime
    user: str | None = None
    sources: tuple[Source, ...] = ()
    mode: Mode = Mode.FRESH


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopped:
    """The ids of runs that have ended, and of those that still go on."""

    ended: tuple[str, ...] = ()
    going_on: tuple[str, ...] = ()


class RunStates(Protocol):
    """Where runs are; each method asks Dagster's store once, however many there are."""

    def open_runs(self) -> Sequence[SeenRun]:
        """Every run of a property that has not ended, the newest first."""
        ...

    def of_jobs(
        self, job_ids: Collection[str], *, slugs: Collection[str] = ()
    ) -> Sequence[SeenRun]:
        """All runs of jobs, ended ones too, the newest first.

        Args:
            job_ids: those of the runs' tags.
            slugs: only runs of these properties; all if empty.
        """
        ...

    def by_id(self, run_ids: Collection[str]) -> Sequence[SeenRun]:
        """Those of *run_ids* that Dagster still has."""
        ...

    def since(self, cursor: str) -> tuple[Sequence[SeenRun], str]:
        """The runs of properties that were made since, whoever asked for them.

        Args:
            cursor: what the last call returned. With an empty one no run is told, as
                all that went on before is history.

        Returns:
            The runs, the oldest first, and the cursor for the next call. There may be
            more than are told at once.
        """
        ...

    def backfills(self) -> Sequence[SeenBackfill]:
        """The newest backfills that are under way.

        Asked before runs are: so of one that is not told, all runs are there.
        """
        ...

    def taken(self, run_keys: Collection[str]) -> set[str]:
        """Those of *run_keys* for which Dagster takes another run as launched.

        Whatever is asked for under such a key, Dagster launches nothing.
        """
        ...


class RunQueue(Protocol):
    """What may be done to runs."""

    @property
    def slots(self) -> int:
        """How many runs work at once."""
        ...

    def cancel(self, run_ids: Collection[str], *, wait_s: float) -> Stopped:
        """Cancel queued runs, ask running ones to end, write off those without worker.

        Args:
            run_ids: unknown ones and ended ones count as ended.
            wait_s: how long running ones may take to end; 0 only asks them.
        """
        ...

    def cancel_backfill(self, backfill_id: str) -> None:
        """Keep a backfill from making more runs; its runs are cancelled by `cancel`."""
        ...

    def is_served(self, *, since_s: float = 0.0) -> bool:
        """Whether a daemon that launches runs gave a sign of life lately.

        Args:
            since_s: signs of before that moment (since 1970) do not count.
        """
        ...
