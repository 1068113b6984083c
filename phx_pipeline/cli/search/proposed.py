"""`phx search proposed`, `accept`, `reject`: what searches found, and what is decided.

Asking the sites is in `run`.
"""

import json
from collections.abc import Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING

import click
from rich.table import Table

from phx_pipeline.cli.console import console, print_table
from phx_pipeline.cli.options import DAY_OR_SPAN, FILLED, OneOf, json_option
from phx_pipeline.cli.partitions import reconcile_partitions
from phx_pipeline.cli.session import note, opened, opened_reads
from phx_pipeline.model.counted import counted
from phx_pipeline.model.facts import ListingFacts
from phx_pipeline.model.search import Proposal, ProposalState
from phx_pipeline.settings import load_settings

if TYPE_CHECKING:
    from phx_pipeline.reads.base import Reads

_MOST = 500


@click.command()
@click.option(
    "--search", type=FILLED, metavar="NAME", help="Show only those of one search."
)
@click.option(
    "--state",
    type=OneOf([*ProposalState, "all"]),
    default=ProposalState.PROPOSED.value,
    metavar="STATE",
    help="Show proposed (the default), accepted, rejected or all.",
)
@click.option(
    "--since",
    type=DAY_OR_SPAN,
    metavar="DAY",
    help="Show only those first seen on this day or later: a date, or 7d.",
)
@json_option
def proposed(
    *,
    search: str | None,
    state: str,
    since: "date | timedelta | None",
    as_json: bool,
) -> None:
    """List the houses that searches found, those seen last first.

    \b
    Examples:
      phx search proposed
      phx search proposed --search west --since 7d
      phx search proposed --state rejected --json
    """
    from phx_pipeline.reads.documents import proposal_document
    from phx_pipeline.reads.images import first_day
    from phx_pipeline.reads.searches import read_proposals

    with opened_reads() as reads:
        page = read_proposals(
            reads,
            since=first_day(reads, since),
            state=None if state == "all" else ProposalState(state),
            search=search,
            limit=_MOST,
        )
    if as_json:
        click.echo(json.dumps([proposal_document(it) for it in page.rows], indent=2))
        return
    if not page.rows:
        console.print(
            "no such house: `phx search run` asks the sites now", soft_wrap=True
        )
        return
    _print(page.rows)
    if page.next:
        console.print(f"only the last {_MOST}: narrow by --search or --since")


@click.command()
@click.argument("houses", nargs=-1, metavar="[HOUSE]...")
@click.option("--all", "everything", is_flag=True, help="Accept all that are proposed.")
@click.option(
    "--search", type=FILLED, metavar="NAME", help="With --all: of this search alone."
)
def accept(*, houses: tuple[str, ...], everything: bool, search: str | None) -> None:
    """Follow houses that were proposed, and ask for a run of each.

    HOUSE is the key that `phx search proposed` shows, or the address in quotes. One
    that was rejected is followed all the same.

    \b
    Examples:
      phx search accept 5127-w-sage-pipit-ave-glendale-az-85306
      phx search accept --all --search west
    """
    from phx_pipeline.wiring import reads_of
    from phx_pipeline.workflows import searches

    settings = load_settings()
    with opened(settings) as context:
        reads = reads_of(context)
        chosen = _chosen(reads, houses, everything=everything, search=search)
        done = searches.accept(context, chosen)
        note(context, "search.accept", *(it.slug for it in done))
        reconcile_partitions(context, settings)
    for it in done:
        console.print(f"followed {it.slug}", soft_wrap=True)
    console.print(
        f"{counted(len(done), 'house')} accepted; their runs wait for `phx up`, or "
        "`phx extract --all --sync` works them off now",
        soft_wrap=True,
    )


@click.command()
@click.argument("houses", nargs=-1, metavar="[HOUSE]...")
@click.option("--all", "everything", is_flag=True, help="Reject all that are proposed.")
@click.option(
    "--search", type=FILLED, metavar="NAME", help="With --all: of this search alone."
)
def reject(*, houses: tuple[str, ...], everything: bool, search: str | None) -> None:
    """Reject houses that were proposed: no search proposes them again.

    \b
    Examples:
      phx search reject "5127 W Sage Pipit Ave, Glendale, AZ 85306"
    """
    from phx_pipeline.wiring import reads_of
    from phx_pipeline.workflows import searches

    with opened() as context:
        reads = reads_of(context)
        chosen = _chosen(reads, houses, everything=everything, search=search)
        count = searches.reject(context, chosen)
        note(context, "search.reject", *(it.address.slug for it in chosen))
    console.print(f"{counted(count, 'house')} rejected")


def _chosen(
    reads: "Reads", houses: Sequence[str], *, everything: bool, search: str | None
) -> list[Proposal]:
    from phx_pipeline.reads.searches import meant_proposals, read_proposals

    if everything == bool(houses):
        raise click.UsageError("name the houses, or give --all")
    if houses:
        return meant_proposals(reads, houses)
    waiting = ProposalState.PROPOSED
    page = read_proposals(reads, state=waiting, search=search, limit=_MOST)
    return list(page.rows)


def _print(found: Sequence[Proposal]) -> None:
    table = Table("key", "seen", "search", "source", "what it is", "state")
    for it in found:
        state = f"{it.state.value}: {it.doubt}" if it.doubt else it.state.value
        table.add_row(
            it.address.slug,
            str(it.first_seen_on),
            it.search,
            it.source.value,
            _told(it.facts),
            state,
        )
    print_table(table)


def _told(facts: ListingFacts) -> str:
    parts: tuple[object, ...] = (
        facts.list_price and f"${facts.list_price:,}",
        facts.bedrooms_total and f"{facts.bedrooms_total:g} bd",
        facts.bathrooms_total and f"{facts.bathrooms_total:g} ba",
        facts.living_area and f"{facts.living_area:,} sqft",
        facts.year_built and f"built {facts.year_built}",
    )
    return ", ".join(str(part) for part in parts if part)
