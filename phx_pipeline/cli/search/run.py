"""`phx search run`: asking the sites now, in this process."""

import asyncio
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from phx_pipeline.cli.console import console, errors, few_warnings, print_sentence
from phx_pipeline.cli.main import Exit
from phx_pipeline.cli.options import json_option
from phx_pipeline.cli.session import opened
from phx_pipeline.model.counted import counted
from phx_pipeline.model.outcome import ListingOutcome
from phx_pipeline.model.search import SavedSearch, SearchTurn
from phx_pipeline.settings import load_settings
from phx_pipeline.storage.demo_stores import ONLY_BY_DEMO, is_demo

if TYPE_CHECKING:
    from phx_pipeline.workflows.searches import SearchReport

NO_SEARCH = (
    "no search is saved: `phx search add NAME --zip 85306 --max-price 450000` saves one"
)
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

    A search that rests runs all the same if it is named. A search asks each source
    for at most three pages a day, whoever runs it. A source that refuses is not asked
    again.

    \b
    Examples:
      phx search run
      phx search run west --rows

    Exit codes: 0 every source that is on answered; 3 some did not; 4 none was asked.
    """
    from phx_pipeline.workflows.searches import ask_searches, named_search, within

    settings = load_settings()
    with opened(settings) as context, few_warnings():
        saved = context.catalog.searches.saved()
        named = [named_search(context.catalog, name) for name in names]
        chosen = named or [it for it in saved if not it.is_paused]
        report = asyncio.run(
            ask_searches(
                context, chosen, may_ask=within(context, most=settings.daily_pages)
            )
        )
    if as_json:
        from phx_pipeline.reads.documents import turn_document

        click.echo(json.dumps([turn_document(it) for it in report.turns], indent=2))
    else:
        _tell_pauses(named)
        _print(report, saved, rows=rows)
    if not report.asked:
        if chosen:
            _tell_none(report, as_json=as_json, is_of_demo=is_demo(context.layout))
        ctx.exit(Exit.NOTHING)
    if not {turn.outcome for turn in report.turns if turn.outcome} <= _WELL:
        ctx.exit(Exit.PARTIAL)


def _tell_pauses(named: Sequence[SavedSearch]) -> None:
    for it in named:
        if it.is_paused:
            print_sentence(
                f"search {it.name} is paused, and is run now because it was named; "
                f"`phx search resume {it.name}` has it run each morning"
            )


def _tell_none(report: "SearchReport", *, as_json: bool, is_of_demo: bool) -> None:
    """Tell why no source was asked, and what to do; each reason once."""
    told = [f"{turn.source.value}: {turn.detail}" for turn in report.turns]
    why = "; ".join(dict.fromkeys(told))
    if told and not as_json:
        why = "why, stands above"
    elif not told:
        why = "none of those that PHX_SOURCES and the search name has search pages"
    why = ONLY_BY_DEMO if is_of_demo else why
    errors.print(f"phx: no source was asked: {why}", soft_wrap=True)


def _print(report: "SearchReport", saved: Sequence[SavedSearch], *, rows: bool) -> None:
    if not report.turns:
        if not saved:
            print_sentence(NO_SEARCH)
        elif all(it.is_paused for it in saved):
            print_sentence(
                "no search was run: all of them are paused. `phx search resume NAME` "
                "ends that, `phx search run NAME` runs one all the same"
            )
        return
    for turn in report.turns:
        is_asked = (turn.search, turn.source) in report.asked
        _print_turn(turn, when="today" if is_asked else "earlier today")
    for proposal in report.proposed:
        told = f" ({proposal.doubt})" if proposal.doubt else ""
        print_sentence(f"new: {proposal.address}{told}")
    for row in report.left if rows else ():
        told = f" ({row.detail})" if row.detail else ""
        shown = row.told or "a row without an address"
        console.print(f"{row.source.value}: {shown}: {row.why}{told}", soft_wrap=True)
    found = counted(len(report.proposed), "house")
    print_sentence(
        f"{found} proposed by this run"
        + ("; `phx search proposed` shows them" if report.proposed else "")
    )


def _print_turn(turn: SearchTurn, *, when: str) -> None:
    """Tell what a search found at a source today, in all its runs, or before this."""
    outcome = turn.outcome.value if turn.outcome else "under way"
    told = f"{outcome}: {turn.detail}" if turn.detail else outcome
    print_sentence(f"{turn.search}, {turn.source.value}: {told}")
    if not turn.pages:
        return
    counts = [f"{turn.proposed} proposed"]
    counts += [f"{count} {why}" for why, count in turn.left_out.items()]
    pages = f"{counted(turn.pages, 'page')} {when} with {counted(turn.rows, 'row')}"
    print_sentence(f"{pages}: {', '.join(counts)}", indent="  ")
