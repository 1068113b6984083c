"""Who began what: runs that somebody had repeated, and runs that Dagster repeats.

A run that is executed again in the UI gets all tags of the one it repeats, whoever asks
for it and whatever became of the job that they name. It is work of its own. What is
done about it is decided elsewhere.
"""

from collections.abc import Iterable, Mapping
from typing import Self

import dagster as dg

from phx_pipeline.defs.cancel import records_of
from phx_pipeline.defs.repeats import (
    BACKFILL_TAG,
    NUMBER_TAG,
    backfill_of,
    root_of,
)
from phx_pipeline.defs.tags import JOB_TAG, LAUNCH_TAG, PRIORITY_TAG, number_in
from phx_pipeline.model.job import USER_TAG
from phx_pipeline.model.run_queue import HASTENED, MOST_BY_HAND


class Lineage:
    """Some runs, and those that they repeat."""

    def __init__(self, known: Mapping[str, dg.DagsterRun]) -> None:
        self._known = known

    @classmethod
    def of(cls, instance: dg.DagsterInstance, runs: Iterable[dg.DagsterRun]) -> Self:
        """Read what *runs* repeat: one query for each time that any was repeated."""
        edge = list(runs)
        known = {run.run_id: run for run in edge}
        while missing := _parents(edge) - known.keys():
            found = [it.dagster_run for it in records_of(instance, missing)]
            known |= {run.run_id: run for run in found}
            again = _parents(it for it in edge if _is_retry(it))
            edge = [known[run_id] for run_id in again & known.keys()]
        return cls(known)

    def job_of(self, run: dg.DagsterRun) -> str | None:
        """The job that asked for a run; None if somebody began it, whatever it says."""
        return None if self.is_by_hand(run) else run.tags.get(JOB_TAG)

    def root_of(self, run: dg.DagsterRun) -> str:
        """The first of the runs of the same work that repeat one another."""
        first = self._first(run)
        return first.run_id if _is_by_hand(first) else root_of(run)

    def backfill_of(self, run: dg.DagsterRun) -> str | None:
        """The backfill that a run was made for.

        One that Dagster executes from failure repeats runs, too; a run that somebody
        had repeated has the tag of the one before as long as that backfill goes on.
        """
        first = self._first(run)
        if not _is_by_hand(first):
            return backfill_of(run)
        own, before = first.tags.get(BACKFILL_TAG), self._before(first)
        return None if before and before.tags.get(BACKFILL_TAG) == own else own

    def user_of(self, run: dg.DagsterRun) -> str | None:
        """Who asked for a run, where that is known.

        Of one that was executed again outside our web server nobody knows: its tag
        names whoever asked for the run before it. Where that was deleted, the tag is
        believed if our web server launched either.
        """
        first = self._first(run)
        if _is_by_hand(first) and _is_copied(first, self._before(first)):
            return None
        return run.tags.get(USER_TAG)

    def is_by_hand(self, run: dg.DagsterRun) -> bool:
        """Whether somebody had another run executed again, of which this one comes."""
        return _is_by_hand(self._first(run))

    def _first(self, run: dg.DagsterRun) -> dg.DagsterRun:
        """The run that Dagster has repeated by itself to make this one."""
        while _is_retry(run) and (before := self._before(run)):
            run = before
        return run

    def _before(self, run: dg.DagsterRun) -> dg.DagsterRun | None:
        return self._known.get(run.parent_run_id or "")


def _is_retry(run: dg.DagsterRun) -> bool:
    return bool(run.parent_run_id) and NUMBER_TAG in run.tags


def _is_by_hand(run: dg.DagsterRun) -> bool:
    return bool(run.parent_run_id) and NUMBER_TAG not in run.tags


def number_of(run: dg.DagsterRun, *, is_of_job: bool) -> int:
    """Dagster's number of a run as far as it counts in the queue.

    Anybody may write the tag, and who has a run executed again copies it; what is none
    counts as not given, as for Dagster.
    """
    number = number_in(run.tags.get(PRIORITY_TAG, "")) or 0
    return min(number, HASTENED if is_of_job else MOST_BY_HAND)


def in_order(runs: Iterable[dg.DagsterRun]) -> list[dg.DagsterRun]:
    """The runs of Dagster's queue, the next one first; equals keep their order.

    A run counts as that of a job by its own tags alone: this is asked every second.
    """

    def number(run: dg.DagsterRun) -> int:
        is_of_job = JOB_TAG in run.tags and not _is_by_hand(run)
        return number_of(run, is_of_job=is_of_job)

    return sorted(runs, key=number, reverse=True)


def _parents(runs: Iterable[dg.DagsterRun]) -> set[str]:
    return {run.parent_run_id for run in runs if run.parent_run_id}


def _is_copied(run: dg.DagsterRun, before: dg.DagsterRun | None) -> bool:
    """Whether no launch by our web server named the user of this very run."""
    known = before.tags.get(LAUNCH_TAG) if before else None
    return run.tags.get(LAUNCH_TAG) in {None, known}
