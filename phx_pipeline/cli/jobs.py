"""`phx jobs` and `phx job`: what was handed in, how far it is, and calling it off."""

from collections.abc import Callable, Iterator, Mapping, Sequence

import click
from rich.table import Table

from phx_pipeline.cli.console import console, print_lines, print_table
from phx_pipeline.cli.enqueue import print_documents, take_up
from phx_pipeline.cli.follow import warn_unserved, watching
from phx_pipeline.cli.options import FILLED, OneOf, json_option, server_option
from phx_pipeline.cli.session import connected
from phx_pipeline.cli.times import phoenix_minute, phoenix_text
from phx_pipeline.client.base import Client
from phx_pipeline.errors import InputError
from phx_pipeline.model.counted import counted
from phx_pipeline.model.job import OF_JOBS, Job, JobProperty, JobState, Priority
from phx_pipeline.model.nearest import did_you_mean
from phx_pipeline.settings import load_settings

_NEWEST = 20
_MOST = 1000
_OF_JOBS = [it.value for it in OF_JOBS]
_ROWS = 100
_NO_JOBS = "there are no jobs: `phx extract --all --async` hands one in"
_NO_JOBS_SERVED = (
    "there are no jobs: the key of an operator or an admin hands one in by `phx "
    "extract --all --async`"
)
_OTHERS = "; `phx jobs` lists them all"


@click.command()
@click.option("--user", type=FILLED, metavar="NAME", help="Show this user's jobs only.")
@click.option(
    "--state",
    "states",
    multiple=True,
    type=OneOf(_OF_JOBS),
    metavar="STATE",
    help=f"Show jobs in this state only: {', '.join(_OF_JOBS)}. Repeat it for several.",
)
@click.option(
    "--all",
    "everything",
    is_flag=True,
    help=f"Show the newest {_MOST} jobs, not {_NEWEST}.",
)
@server_option
@json_option
def jobs(
    *,
    user: str | None,
    states: tuple[str, ...],
    everything: bool,
    server: str | None,
    as_json: bool,
) -> None:
    """List jobs: who asked for how many houses, and how far each is.

    The newest come first. Runs that began in the UI, by a backfill, by a sensor or by
    `dagster job launch` are listed too; `from` tells where a job began.

    \b
    Examples:
      phx jobs
      phx jobs --state in_progress --state pending
      phx jobs --user ada --all --json
    """
    with connected(server) as client:
        found = client.jobs(
            user=user,
            states=tuple(map(JobState, states)),
            limit=_MOST if everything else _NEWEST,
        )
        if not as_json and any(not job.state.is_final for job in found):
            warn_unserved(client)
        if not found and not as_json:
            is_served = server or load_settings().server
            none = _NO_JOBS_SERVED if is_served else _NO_JOBS
            told = _none(client, user=user, states=states) or none
            console.print(told, soft_wrap=True)
    if as_json:
        print_documents(found)
    elif found:
        print_table(_table(found))


def _none(client: Client, *, user: str | None, states: Sequence[str]) -> str:
    """Why no job is shown that is like what was asked for; empty if there is none."""
    known = client.jobs(limit=_NEWEST)
    if not known:
        return ""
    told = " ".join(["there are no", " or ".join(states), "jobs"]).replace("  ", " ")
    if user:
        users = {job.user for job in known}
        near = "" if user in users else did_you_mean(user, sorted(users - {""}))
        told += f" of user {user!r}{near}"
    return f"{told}{_OTHERS}"


def _table(found: Sequence[Job]) -> Table:
    table = Table("job", "state", "houses", "user", "from", "asked at")
    table.columns[2].justify = "right"
    for job in found:
        normal = job.priority is Priority.NORMAL
        first = "" if normal else f", {job.priority.value}"
        table.add_row(
            job.job_id,
            job.state.value,
            _houses(job),
            job.user,
            f"{job.origin.value}{first}",
            phoenix_minute(job.created_at),
        )
    return table


def _houses(job: Job) -> str:
    """Which house it is, by its folder, or how many of several have ended."""
    if len(job.items) == 1:
        return job.items[0].folder
    return f"{job.done}/{len(job.items)}"


@click.command()
@click.argument("job_id", type=FILLED)
@click.option(
    "--cancel",
    "deeds",
    flag_value="cancel",
    multiple=True,
    help="Call it off: what waits never runs, what runs is asked to end.",
)
@click.option(
    "--retry",
    "deeds",
    flag_value="retry",
    multiple=True,
    help="Ask again for its houses that failed or are partial.",
)
@click.option(
    "--follow",
    "deeds",
    flag_value="follow",
    multiple=True,
    help="Show it until it has ended; the exit code tells the result.",
)
@server_option
@json_option
@click.pass_context
def job(
    ctx: click.Context,
    *,
    job_id: str,
    deeds: tuple[str, ...],
    server: str | None,
    as_json: bool,
) -> None:
    """Show one job and its houses; cancel, retry or follow it.

    A house of a cancelled job keeps the photos that came, and the next `phx extract`
    goes on from there. A run that another job waits for, too, goes on for that one.

    \b
    Examples:
      phx job 5f0c2b7a91de
      phx job 5f0c2b7a91de --follow
      phx job 5f0c2b7a91de --cancel
      phx job 5f0c2b7a91de --retry --json
    """
    if len(set(deeds)) > 1:
        raise InputError(f"give one of {' and '.join(f'--{it}' for it in deeds)}")
    deed = deeds[0] if deeds else None
    if deed == "follow" and as_json:
        raise InputError("--follow shows a job for people: leave --json out")
    if deed == "follow":
        with watching(job_id), connected(server) as client:
            ctx.exit(take_up(client, job_id))
    with connected(server) as client:
        before = client.job(job_id) if deed == "cancel" else None
        found = _DEEDS[deed](client, job_id)
        if as_json:
            print_documents(found)
            return
        if before and (nothing := _nothing_to_cancel(before)):
            console.print(nothing, soft_wrap=True)
            return
        for line in _told(found, deed=deed):
            console.print(line, soft_wrap=True)
        if not found.state.is_final:
            warn_unserved(client)
    _print_houses(found)


_DEEDS: Mapping[str | None, Callable[[Client, str], Job]] = {
    None: lambda client, job_id: client.job(job_id),
    "cancel": lambda client, job_id: client.cancel(job_id),
    "retry": lambda client, job_id: client.retry(job_id),
}


def _nothing_to_cancel(before: Job) -> str:
    """What is told of a job that was called off or had ended; else nothing."""
    if before.cancelled_at:
        at = phoenix_text(before.cancelled_at)
        ending = "" if before.state.is_final else "; its last runs are ending still"
        return f"job {before.job_id} was cancelled already, at {at}{ending}"
    if before.state.is_final:
        state = before.state.value
        return f"job {before.job_id} is {state} already: nothing was cancelled"
    return ""


def _told(job: Job, *, deed: str | None) -> Iterator[str]:
    counts = ", ".join(
        f"{count} {state.value}" for state, count in job.counts.items() if count
    )
    yield f"job {job.job_id}: {job.state.value}"
    yield f"  {counted(len(job.items), 'property')}: {counts or 'none'}"
    yield (
        f"  photos: {job.total_images} seen, {job.new_images} new, "
        f"{job.duplicate_images} copies"
    )
    yield f"  asked for by {job.user or 'nobody'} ({job.origin.value}), {_how(job)}"
    times = {"at": job.created_at, "begun": job.started_at, "ended": job.completed_at}
    told = (f"{name} {phoenix_text(at)}" for name, at in times.items() if at)
    yield f"  {', '.join(told)}"
    if deed == "cancel" and not job.state.is_final:
        yield f"  its runs are ending: `phx job {job.job_id} --follow` shows that"
    if deed == "retry":
        yield f"  `phx job {job.job_id} --follow` follows it"


def _how(job: Job) -> str:
    sources = ", ".join(source.value for source in job.sources) or "all sources"
    told = [f"priority {job.priority.value}", job.mode.value, sources]
    if job.isolation:
        told.append(f"isolation {job.isolation.value}")
    return ", ".join(told)


def _print_houses(job: Job) -> None:
    table = Table("property", "state", "photos", "new", "copies")
    for column in table.columns[2:]:
        column.justify = "right"
    for item in job.items[:_ROWS]:
        counts = (item.counts.total, item.counts.new, item.counts.duplicate)
        table.add_row(item.slug, item.state.value, *map(str, counts))
    print_table(table, lines=map(_house_line, job.items[:_ROWS]))
    if (left_out := len(job.items) - _ROWS) > 0:
        console.print(f"{counted(left_out, 'more property')} (--json shows all)")
    why = [f"{it.state.value}: {it.slug}: {it.error}" for it in job.items if it.error]
    print_lines(why)


def _house_line(item: JobProperty) -> str:
    """A row of the table without its zeros."""
    counts = item.counts
    told = {"seen": counts.total, "new": counts.new, "copies": counts.duplicate}
    photos = ", ".join(f"{count} {name}" for name, count in told.items() if count)
    return f"{item.slug}: {item.state.value}{f', photos: {photos}' if photos else ''}"
