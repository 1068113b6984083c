"""Following jobs until the runs of some properties have ended."""

import time
from collections.abc import Iterable, Mapping

from rich.live import Live
from rich.table import Table

from phx_pipeline.cli.console import console, errors
from phx_pipeline.defs.submit import (
    ItemRun,
    daemon_is_running,
    item_runs,
    open_instance,
)
from phx_pipeline.model.counted import counted
from phx_pipeline.model.job import JobState
from phx_pipeline.model.outcome import VerdictKind
from phx_pipeline.settings import Settings
from phx_pipeline.stages.context import StageContext

_POLL_S = 1.0
_ROWS = 20


class Follower:
    """Shows where each property of some jobs is; the runs do not depend on it.

    *job_id* is followed whole: a property of it may get another key meanwhile.
    """

    def __init__(
        self, context: StageContext, settings: Settings, *, job_id: str
    ) -> None:
        self._context = context
        self._job_id = job_id
        self._instance = open_instance(settings)

    def warn_without_daemon(self) -> None:
        """Say so when nothing will take the job for now."""
        if not daemon_is_running(self._instance):
            errors.print("no Dagster daemon is running: the job waits for `phx up`")

    def wait(self, jobs: Mapping[str, str]) -> int | None:
        """Follow properties until their runs have ended.

        Args:
            jobs: by property the job whose run is followed.

        Returns:
            How many runs did not succeed; None when Ctrl-C stopped following.
        """
        try:
            if console.is_terminal:
                return self._watch(jobs)
            return self._narrate(jobs)
        except KeyboardInterrupt:
            named = ", ".join(dict.fromkeys(jobs.values()))
            errors.print(f"stopped following; job {named} goes on (`phx status`)")
            return None

    def _watch(self, jobs: Mapping[str, str]) -> int:
        with Live(console=console, auto_refresh=False) as live:
            while True:
                runs = self._runs(jobs)
                live.update(self._table(jobs, runs), refresh=True)
                if self._ended(jobs, runs):
                    return _failures(runs)
                time.sleep(_POLL_S)

    def _narrate(self, jobs: Mapping[str, str]) -> int:
        told: dict[str, JobState] = {}
        while True:
            runs = self._runs(jobs)
            for slug, run in runs.items():
                if told.get(slug) is not run.state:
                    told[slug] = run.state
                    console.print(f"{slug}: {run.state.value}", self._photos(slug))
            if self._ended(jobs, runs):
                return _failures(runs)
            time.sleep(_POLL_S)

    def _runs(self, jobs: Mapping[str, str]) -> dict[str, ItemRun]:
        """The newest run of each property in its job, as far as there is one."""
        return {
            slug: run
            for job_id in dict.fromkeys(jobs.values())
            for slug, run in item_runs(self._instance, job_id).items()
            if jobs.get(slug, self._job_id) == job_id
        }

    def _ended(self, jobs: Mapping[str, str], runs: Mapping[str, ItemRun]) -> bool:
        """Whether nothing more will happen; items may go when their house does."""
        book = self._context.catalog.jobs
        waits = any(
            item.dispatched_at is None and item.slug not in runs
            for job_id in dict.fromkeys(jobs.values())
            for item in book.items(job_id)
            if jobs.get(item.slug, self._job_id) == job_id
        )
        return not waits and all(run.state.is_final for run in runs.values())

    def _table(self, jobs: Mapping[str, str], runs: Mapping[str, ItemRun]) -> Table:
        done = sum(run.state.is_final for run in runs.values())
        named = ", ".join(dict.fromkeys(jobs.values()))
        title = f"job {named}: {done} of {counted(len(jobs), 'property')} done"
        table = Table("property", "state", "photos", title=title)
        for slug in _most_telling(jobs, runs):
            state = runs[slug].state if slug in runs else JobState.PENDING
            table.add_row(slug, state.value, self._photos(slug))
        return table

    def _photos(self, slug: str) -> str:
        tally = self._context.tally(slug)
        if not tally.discovered:
            return ""
        ready = tally.discovered - tally.count(VerdictKind.PENDING)
        return f"{ready} of {tally.discovered} decided"


def _failures(runs: Mapping[str, ItemRun]) -> int:
    return sum(run.state is not JobState.COMPLETED for run in runs.values())


def _most_telling(slugs: Iterable[str], runs: Mapping[str, ItemRun]) -> list[str]:
    """The first rows that fit a screen: what moves before what waits or is done."""

    def rank(slug: str) -> int:
        state = runs[slug].state if slug in runs else JobState.PENDING
        return 0 if state in {JobState.IN_PROGRESS, JobState.RETRYING} else 1

    return sorted(slugs, key=rank)[:_ROWS]
