"""Following a job until it has ended; the runs do not depend on it."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import click
from rich.console import Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from phx_pipeline.cli.console import console, errors, fits
from phx_pipeline.cli.main import Exit
from phx_pipeline.client.base import Client
from phx_pipeline.client.progress import Progress
from phx_pipeline.model.counted import counted
from phx_pipeline.model.job import Job, JobProperty, JobState
from phx_pipeline.model.moments import span_text

_ROWS = 20
_TOLD_EVERY_S = 30.0
_MOVING = frozenset({JobState.IN_PROGRESS, JobState.RETRYING})


def warn_unserved(client: Client) -> None:
    """Say so when nothing will take up jobs for now."""
    if not client.is_served():
        errors.print("no Dagster daemon is running: jobs wait for `phx up`")


def follow(client: Client, job_id: str) -> Job:
    """Show a job until it has ended.

    A terminal shows a table that changes; elsewhere each change is a line.
    """
    if not console.is_terminal:
        return client.wait(job_id, on_progress=_Narrator())
    with Live(console=console, auto_refresh=False) as live:
        return client.wait(
            job_id,
            on_progress=lambda seen: live.update(_shown(seen), refresh=True),
        )


@contextmanager
def watching(job_id: str) -> Iterator[None]:
    """Take Ctrl-C in the body, from its first moment on, for the end of watching.

    It says that the job goes on, and how to follow it again, and ends the command.
    """
    try:
        yield
    except KeyboardInterrupt:
        errors.print(
            f"stopped following: job {job_id} goes on; `phx job {job_id} --follow` "
            f"follows it again, `phx job {job_id} --cancel` calls it off",
            soft_wrap=True,
        )
        raise click.exceptions.Exit(Exit.COMPLETE) from None


class _Narrator:
    """Prints a line for each change of a property, and now and then how far all is."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._told: dict[str, JobState] = {}
        self._clock = clock
        self._said_s = clock()
        self._waits_for = ""

    def __call__(self, seen: Progress) -> None:
        for item in seen.job.items:
            if self._told.get(item.slug, JobState.PENDING) is not item.state:
                self._told[item.slug] = item.state
                console.print(f"{item.slug}: {_told_state(item, seen)}", soft_wrap=True)
        is_late = self._clock() - self._said_s >= _TOLD_EVERY_S
        is_new = seen.waits_for != self._waits_for and bool(seen.waits_for)
        if not seen.job.state.is_final and (is_late or is_new):
            self._said_s, self._waits_for = self._clock(), seen.waits_for
            for line in _far_lines(seen):
                console.print(line, soft_wrap=True)


def _shown(seen: Progress) -> Group:
    """The table of a terminal, and below it how far all is."""
    job = seen.job
    table = Table("property", "state", "photos", title=f"job {job.job_id}")
    items = _most_telling(job.items)
    for item in items:
        table.add_row(item.slug, item.state.value, _photos(item, seen))
    far = [Text(line) for line in _far_lines(seen)]
    if fits(table):
        return Group(table, *far)
    lines = (f"{item.slug}: {_told_state(item, seen)}" for item in items)
    return Group(Text(f"job {job.job_id}"), *map(Text, lines), *far)


def _far_lines(seen: Progress) -> Iterator[str]:
    job = seen.job
    told = [f"{job.done} of {counted(len(job.items), 'property')} ended"]
    moving = (it for it in JobState if it in _MOVING and job.counts[it])
    told += [f"{job.counts[state]} {state.value}" for state in moving]
    if seen.photos_per_s:
        told.append(f"{seen.photos_per_s:.1f} verdicts a second")
    if left := seen.remaining_s:
        told.append(f"about {span_text(left)} left")
    yield ", ".join(told)
    if seen.waits_for:
        yield f"waits for {seen.waits_for}"


def _told_state(item: JobProperty, seen: Progress) -> str:
    told = item.state.value
    if item.error and item.state in {JobState.FAILED, JobState.RETRYING}:
        told += f" ({item.error})"
    return f"{told} {_photos(item, seen)}".rstrip()


def _photos(item: JobProperty, seen: Progress) -> str:
    photos = seen.photos.get(item.slug)
    return f"{photos.decided} of {photos.listed} decided" if photos else ""


def _most_telling(items: Sequence[JobProperty]) -> list[JobProperty]:
    """The first rows that fit a screen: what moves before what waits or has ended."""
    rows = sorted(items, key=lambda it: (it.state not in _MOVING, it.state.is_final))
    return rows[:_ROWS]
