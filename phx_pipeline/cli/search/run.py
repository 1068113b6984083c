"""`phx search run`: asking the sites now, in this process."""

import asyncio
import json
from typing import TYPE_CHECKING

import click
from rich.table import Table

from phx_pipeline.cli.console import console, few_warnings, print_table
from phx_pipeline.cli.main import Exit
from phx_pipeline.cli.options import json_option
from phx_pipeline.cli.session import opened
from phx_pipeline.model.counted import counted
from phx_pipeline.model.outcome import ListingOutcome
from phx_pipeline.settings import load_settings

if TYPE_CHECKING:
    from phx_pipeline.workflows.searches import SearchReport

_WELL = {
    ListingOutcome.LISTED,
    ListingOutcome.LISTED_EMPTY,
    ListingOutcome.DISABLED,
}


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--rows", is_flag=True, help="Tell of each row that was not proposed.")
@json_option
@click.pass_context
def run(
    ctx: click.Context, *, names: tuple[str, ...], rows: bool, as_json: bool
) -> None:
    """Ask the sites now: those searches that are named, or all that do not rest.

    A search asks each source for at most three pages a day, whoever runs it. A source
    that refuses is not asked again.

    \b
    Examples:
      phx search run
      phx search run west --rows

    Exit codes: 0 every source answered; 3 some did not.
    """
    from phx_pipeline.workflows.searches import ask_searches, named_search, within

    settings = load_settings()
    with opened(settings) as context, few_warnings():
        saved = [named_search(context.catalog, name) for name in names]
        chosen = saved or [
            it for it in context.catalog.searches.saved() if not it.is_paused
        ]
        report = asyncio.run(
            ask_searches(
                context, chosen, may_ask=within(context, most=settings.daily_pages)
            )
        )
    if as_json:
        from phx_pipeline.reads.documents import turn_document

        click.echo(json.dumps([turn_document(it) for it in report.turns], indent=2))
    else:
        _print(report, rows=rows)
    if any(turn.outcome not in _WELL for turn in report.turns if turn.outcome):
        ctx.exit(Exit.PARTIAL)


def _print(report: "SearchReport", *, rows: bool) -> None:
    if not report.turns:
        console.print("no search was run: `phx search list` lists those there are")
        return
    table = Table("search", "source", "today", "pages", "rows", "proposed", "left out")
    for turn in report.turns:
        left = ", ".join(f"{n} {why}" for why, n in turn.left_out.items())
        outcome = turn.outcome.value if turn.outcome else "under way"
        told = f"{outcome}: {turn.detail}" if turn.detail else outcome
        counts = (str(turn.pages), str(turn.rows), str(turn.proposed))
        table.add_row(turn.search, turn.source.value, told, *counts, left)
    print_table(table)
    for proposal in report.proposed:
        told = f" ({proposal.doubt})" if proposal.doubt else ""
        console.print(f"new: {proposal.address}{told}", soft_wrap=True)
    for row in report.left if rows else ():
        told = f" ({row.detail})" if row.detail else ""
        shown = row.told or "a row without an address"
        console.print(f"{row.source.value}: {shown}: {row.why}{told}", soft_wrap=True)
    console.print(
        f"{counted(len(report.proposed), 'house')} proposed by this run",
        soft_wrap=True,
    )
