"""`phx look`: the daily look by hand."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from phx_pipeline.cli.console import NO_HOUSES, errors, few_warnings, print_sentence
from phx_pipeline.cli.main import Exit
from phx_pipeline.cli.options import FILLED, json_option
from phx_pipeline.cli.session import opened
from phx_pipeline.errors import InputError
from phx_pipeline.model.counted import counted
from phx_pipeline.model.look import Found, Looked, LookReport, told_waiting
from phx_pipeline.settings import load_settings

if TYPE_CHECKING:
    from phx_pipeline.stages.context import StageContext
    from phx_pipeline.workflows.look import Look


@click.command()
@click.argument("houses", nargs=-1, type=FILLED, metavar="[ADDRESS]...")
@click.option(
    "--all",
    "everything",
    is_flag=True,
    help="Look at every house that is followed, also if it was looked at today.",
)
@json_option
@click.pass_context
def look(
    ctx: click.Context, /, houses: tuple[str, ...], *, everything: bool, as_json: bool
) -> None:
    """Ask what the sources say today, and fetch no photos.

    By default the houses that are due are looked at, as the schedule of `phx up` does
    every morning: those that no source was asked about today, and those that are to be
    tried again. A house where something changed, or that is open, gets a run of its
    own, which waits for `phx up`. Ctrl-C stops, and loses nothing: the same command
    goes on with what is left.

    \b
    Examples:
      phx look
      phx look "4732 W Davis Rd, Glendale, AZ 85306"
      phx look --all --json
    """
    if houses and everything:
        raise InputError("name houses, or give --all, not both")
    settings = load_settings()
    with opened(settings) as context, few_warnings():
        from phx_pipeline.stages.views import refresh_views
        from phx_pipeline.workflows.look import Look

        work = Look(context, most_pages=settings.daily_pages)
        found = []
        with _telling_the_end(work.report):
            for looked in _looks(context, work, houses, everything=everything):
                found.append(looked)
                if not as_json:
                    tell_looked(looked, number=len(found))
        refresh_views(context)
    if as_json:
        from phx_pipeline.reads.documents import look_document

        click.echo(json.dumps(look_document(work.report, found), indent=2))
    else:
        _tell_end(work.report)
    ctx.exit(_code(work.report))


@contextmanager
def _telling_the_end(report: LookReport) -> Iterator[None]:
    """Tell what becomes of the rest, if Ctrl-C ends the body."""
    try:
        yield
    except KeyboardInterrupt:
        errors.print(
            f"stopped after {counted(report.looked, 'house')}: what was answered is "
            "kept, and `phx look` goes on with what is left",
            soft_wrap=True,
        )
        raise


def _looks(
    context: "StageContext",
    work: "Look",
    houses: tuple[str, ...],
    *,
    everything: bool,
) -> Iterator[Looked]:
    from phx_pipeline.workflows.intake import find_property

    slugs = context.catalog.slugs()
    if not slugs:
        raise InputError(NO_HOUSES)
    if not houses and not everything:
        return (it for it in work.all_due() if not it.judged)
    named = [find_property(context, text).slug for text in houses]
    return work.houses(slugs if everything else list(dict.fromkeys(named)))


def tell_looked(looked: Looked, *, number: int) -> None:
    """Print what a look found at one house."""
    more = "; a run of its own was asked for" if looked.called else ""
    detail = f" ({looked.detail})" if looked.detail else ""
    print_sentence(f"[{number}] {looked.slug}: {_word(looked.found)}{detail}{more}")


def _tell_end(report: LookReport) -> None:
    parts = [
        f"{report.counts[found]} {_word(found)}"
        for found in Found
        if report.counts[found]
    ]
    told = f": {', '.join(parts)}" if parts else ""
    houses = counted(report.looked, "house")
    print_sentence(f"{houses} looked at{told}; {report.ended}")
    if report.waiting:
        print_sentence(told_waiting(report.waiting, next_at=report.next_at))


def _word(found: Found) -> str:
    return found.value.replace("_", " ")


def _code(report: LookReport) -> Exit:
    if report.is_vain:
        return Exit.NOTHING
    left = report.counts[Found.OPEN] + report.counts[Found.FAILED]
    return Exit.PARTIAL if left else Exit.COMPLETE
