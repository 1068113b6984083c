"""`phx status`: what is there, and what is still open."""

import json
from functools import partial
from typing import TYPE_CHECKING

import click

from phx_pipeline.cli.console import (
    NO_HOUSES,
    console,
    print_lines,
    print_sentence,
    print_tallies,
)
from phx_pipeline.cli.options import json_option
from phx_pipeline.cli.service_state import service_json, service_line
from phx_pipeline.cli.session import opened_reads
from phx_pipeline.model.counted import counted
from phx_pipeline.settings import OFF, load_settings

if TYPE_CHECKING:
    from phx_pipeline.model.totals import OpenJobs
    from phx_pipeline.reads.status import Status


@click.command()
@click.option(
    "--all",
    "everything",
    is_flag=True,
    help="Show every house and all lines, however many.",
)
@click.option(
    "--service",
    is_flag=True,
    help="Show only which servers of `phx up` run and answer.",
)
@json_option
def status(*, everything: bool, service: bool, as_json: bool) -> None:
    """Show what each source gave, and what is left to do.

    Each house has a line for each source: how it ended, and how many photos it gave. Of
    more than a hundred houses only those that are not complete have lines, at most
    fifty; the sums are those of all. Below stands what is still open, why, and which
    command helps. The first lines tell whether `phx up` runs, how many jobs are open,
    and when the houses were last looked at.

    \b
    Examples:
      phx status
      phx status --all
      phx status --json
      phx status --service --json
    """
    settings = load_settings()
    if service:
        tell = service_json if as_json else partial(service_line, thorough=True)
        click.echo(tell(settings))
        return
    from phx_pipeline.reads.houses_file import file_lines, waiting_line
    from phx_pipeline.reads.looks import daily_look_line
    from phx_pipeline.reads.status import read_status, status_lines

    with opened_reads(settings) as reads:
        found = read_status(reads)
        lines = [] if as_json else list(status_lines(reads, found))
        jobs = reads.catalog.statistics.open_jobs()
        of_file = list(file_lines(reads))
        if not (found.tallies or of_file):
            of_file = list(filter(None, [waiting_line(reads)]))
        cron = None if settings.look_cron == OFF else settings.look_cron
        look = daily_look_line(reads, cron=cron)
    if as_json:
        _print_json(found)
        return
    print_sentence(service_line(settings, thorough=False))
    if jobs.jobs:
        print_sentence(_jobs_line(jobs))
    print_lines(of_file)
    if not found.tallies:
        print_sentence(NO_HOUSES)
        return
    print_sentence(look)
    print_tallies(found.tallies, everything=everything)
    houses = counted(len(found.tallies), "property")
    console.print(f"{found.complete} of {houses} complete")
    for some in lines:
        print_lines(some, everything=everything)


def _jobs_line(jobs: "OpenJobs") -> str:
    waiting = counted(jobs.waiting, "property")
    return (
        f"jobs: {jobs.jobs} open, {waiting} waiting for a run, {jobs.under_way} under "
        "way (`phx jobs`)"
    )


def _print_json(found: "Status") -> None:
    """One property a line: there may be ten thousand."""
    from phx_pipeline.reads.documents import status_documents

    listed = ",\n".join(map(json.dumps, status_documents(found)))
    click.echo(f"[\n{listed}\n]")
