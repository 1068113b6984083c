"""Following a job until all its runs have ended."""

import time
from collections.abc import Mapping, Sequence

from rich.live import Live
from rich.table import Table

from phx_pipeline.cli.console import console, errors
from phx_pipeline.defs.submit import (
    ItemRun,
    ItemState,
    daemon_is_running,
    item_runs,
    open_instance,
)
from phx_pipeline.model.outcome import VerdictKind
from phx_pipeline.settings import Settings
from phx_pipeline.stages.context import StageContext

_POLL_S = 1.0
_ROWS = 20


class Follower:
    """Shows where each property of a job is; the runs do not depend on it."""

    def __init__(
        self,
        context: StageContext,
        settings: Settings,
        *,
        job_id: str,
        slugs: Sequence[str],
    ) -> None:
        self._context = context
        self._job_id = job_id
        self._slugs = slugs
        self._instance = open_instance(settings)

    def warn_without_daemon(self) -> None:
        """Say so when nothing will take the job for now."""
        if not daemon_is_running(self._instance):
            errors.print("no Dagster daemon is running: the job waits for `phx up`")

    def wait(self) -> int | None:
        """Return how many runs did not succeed; None when Ctrl-C stopped following."""
        try:
            if console.is_terminal:
                return self._watch()
            return self._narrate()
        except KeyboardInterrupt:
            errors.print(
                f"stopped following; job {self._job_id} goes on (`phx status`)"
            )
            return None

    def _watch(self) -> int:
        with Live(console=console, auto_refresh=False) as live:
            while True:
                runs = item_runs(self._instance, self._job_id)
                live.update(self._table(runs), refresh=True)
                if self._ended(runs):
                    return _failures(runs)
                time.sleep(_POLL_S)

    def _narrate(self) -> int:
        told: dict[str, ItemState] = {}
        while True:
            runs = item_runs(self._instance, self._job_id)
            for slug, run in runs.items():
                if told.get(slug) is not run.state:
                    told[slug] = run.state
                    console.print(f"{slug}: {run.state.value}", self._photos(slug))
            if self._ended(runs):
                return _failures(runs)
            time.sleep(_POLL_S)

    def _ended(self, runs: Mapping[str, ItemRun]) -> bool:
        """Whether nothing more will happen; items may go or change their key."""
        items = self._context.catalog.jobs.items(self._job_id)
        waits = any(it.dispatched_at is None and it.slug not in runs for it in items)
        return not waits and all(run.state.is_final for run in runs.values())

    def _table(self, runs: Mapping[str, ItemRun]) -> Table:
        done = sum(run.state.is_final for run in runs.values())
        title = f"job {self._job_id}: {done} of {len(self._slugs)} properties done"
        table = Table("property", "state", "photos", title=title)
        for slug in self._most_telling(runs):
            state = runs[slug].state if slug in runs else ItemState.WAITING
            table.add_row(slug, state.value, self._photos(slug))
        return table

    def _most_telling(self, runs: Mapping[str, ItemRun]) -> list[str]:
        """The first rows that fit a screen: what moves before what waits or is done."""

        def rank(slug: str) -> int:
            state = runs[slug].state if slug in runs else ItemState.WAITING
            return 0 if state in {ItemState.RUNNING, ItemState.RETRYING} else 1

        return sorted(self._slugs, key=rank)[:_ROWS]

    def _photos(self, slug: str) -> str:
        tally = self._context.tally(slug)
        if not tally.discovered:
            return ""
        ready = tally.discovered - tally.count(VerdictKind.PENDING)
        return f"{ready} of {tally.discovered} decided"


def _failures(runs: Mapping[str, ItemRun]) -> int:
    return sum(run.state is not ItemState.DONE for run in runs.values())
