"""`phx search proposed`, `accept`, `reject`: what searches found, and what is decided.

Asking the sites is in `run`.
"""

import json
from collections.abc import Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING

import click

from phx_pipeline.cli.console import console, errors, print_sentence
from phx_pipeline.cli.main import Exit
from phx_pipeline.cli.options import DAY_OR_SPAN, FILLED, OneOf, json_option
from phx_pipeline.cli.partitions import reconcile_partitions
from phx_pipeline.cli.search.run import NO_SEARCH
from phx_pipeline.cli.session import note, opened, opened_reads
from phx_pipeline.model.counted import counted
from phx_pipeline.model.fact_words import size_words
from phx_pipeline.model.facts import ListingFacts
from phx_pipeline.model.search import Proposal, ProposalState, SavedSearch
from phx_pipeline.settings import Settings, load_settings
from phx_pipeline.storage.demo_stores import ONLY_BY_DEMO, is_demo

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
    help="Show proposed (the default), accepted, rejected, removed or all.",
)
@click.option(
    "--since",
    type=DAY_OR_SPAN,
    metavar="DAY",
    help="Show only those first seen on this day or later: a date, or 7d or 12h back.",
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
    from phx_pipeline.reads.images import past_day
    from phx_pipeline.reads.searches import read_proposals, require_search

    with opened_reads() as reads:
        require_search(reads, search)
        page = read_proposals(
            reads,
            since=past_day(reads, since),
            state=None if state == "all" else ProposalState(state),
            search=search,
            limit=_MOST,
        )
        saved = reads.catalog.searches.saved()
        elsewhere = _found_by_others(reads, search, state=state)
        known = read_proposals(reads, search=search, limit=1).rows
    if as_json:
        click.echo(json.dumps([proposal_document(it) for it in page.rows], indent=2))
        return
    if not page.rows:
        remedy = ONLY_BY_DEMO if is_demo(reads.layout) else _remedy(saved)
        if known:
            of = f" --search {search}" if search else ""
            remedy = f"`phx search proposed --state all{of}` shows those of all states"
        none = "no such house" if known or elsewhere else "nothing is proposed"
        print_sentence(f"{none}: {elsewhere or remedy}")
        return
    _print(page.rows, saved)
    if elsewhere:
        print_sentence(elsewhere)
    if page.next:
        print_sentence(f"only the last {_MOST}: narrow by --search or --since")


def _remedy(saved: Sequence[SavedSearch]) -> str:
    if not saved:
        return NO_SEARCH
    if all(it.is_paused for it in saved):
        return "all searches are paused: `phx search resume NAME` has one run again"
    return "`phx search run` asks the sites now"


@click.command()
@click.argument("houses", nargs=-1, metavar="[HOUSE]...")
@click.option("--all", "everything", is_flag=True, help="Accept all that are proposed.")
@click.option(
    "--search", type=FILLED, metavar="NAME", help="With --all: of this search alone."
)
def accept(*, houses: tuple[str, ...], everything: bool, search: str | None) -> None:
    """Follow houses that were proposed, and ask for a run of each.

    HOUSE is the key that `phx search proposed` shows, or the address in quotes. One
    that was rejected, or was accepted and then removed, is followed all the same. One
    that is followed stays as it is.

    \b
    Examples:
      phx search accept 5127-w-sage-pipit-ave-glendale-az-85306
      phx search accept --all --search west
    """
    from phx_pipeline.wiring.runs import reads_of
    from phx_pipeline.workflows import searches

    settings = load_settings()
    with opened(settings) as context:
        reads = reads_of(context)
        chosen = _chosen(reads, houses, everything=everything, search=search)
        done = searches.accept(context, chosen)
        new = [it for it in done if it.job_id]
        found_by = ", ".join(sorted({it.proposal.search for it in new}))
        slugs = [it.slug for it in new]
        note(context, "search.accept", *slugs, detail=f"found by {found_by}")
        reconcile_partitions(context, settings)
    for it in done:
        told = f"followed {it.slug}" if it.job_id else f"{it.slug} is followed already"
        console.print(told, soft_wrap=True)
    runs = _runs(settings, count=len(new)) if new else ""
    if not done:
        runs = "; none waits to be decided: `phx search proposed --state all` shows why"
    print_sentence(f"{counted(len(new), 'house')} accepted{runs}")


def _runs(settings: Settings, *, count: int) -> str:
    """Tell what becomes of the runs that were asked for."""
    from phx_pipeline.supervise.lock import running

    if running(settings) is not None:
        told = "its run begins" if count == 1 else "their runs begin"
        return f"; {told} without you (`phx jobs`)"
    told = "its run waits" if count == 1 else "their runs wait"
    return f"; {told} for `phx up`; `phx extract --all --sync` asks for all now"


@click.command()
@click.argument("houses", nargs=-1, metavar="[HOUSE]...")
@click.option("--all", "everything", is_flag=True, help="Reject all that are proposed.")
@click.option(
    "--search", type=FILLED, metavar="NAME", help="With --all: of this search alone."
)
@click.pass_context
def reject(
    ctx: click.Context,
    *,
    houses: tuple[str, ...],
    everything: bool,
    search: str | None,
) -> None:
    """Reject houses that were proposed: no search proposes them again.

    \b
    Examples:
      phx search reject "5127 W Sage Pipit Ave, Glendale, AZ 85306"

    Exit codes: 0 every house is rejected, now or before; 2 none is; 3 some are not,
    because they are followed.
    """
    from phx_pipeline.wiring.runs import reads_of
    from phx_pipeline.workflows import searches

    with opened() as context:
        reads = reads_of(context)
        chosen = _chosen(reads, houses, everything=everything, search=search)
        done = searches.reject(context, chosen)
        note(context, "search.reject", *(it.address.slug for it in done))
    others = [it for it in chosen if it not in done]
    for it in others:
        errors.print(f"phx: {_not_rejected(it)}", soft_wrap=True)
    why = "" if chosen else "; none waits to be decided"
    console.print(f"{counted(len(done), 'house')} rejected{why}")
    followed = [it for it in others if it.state is ProposalState.ACCEPTED]
    if followed:
        ctx.exit(Exit.USAGE if len(followed) == len(chosen) else Exit.PARTIAL)


def _not_rejected(it: Proposal) -> str:
    """Tell why a house was not rejected now."""
    slug = it.slug or it.address.slug
    match it.state:
        case ProposalState.ACCEPTED:
            return (
                f"{slug} was accepted, and is followed: `phx properties remove {slug}` "
                "ends that"
            )
        case ProposalState.REMOVED:
            return f"{slug} was removed: no search proposes it again"
        case _:
            return f"{slug} was rejected before"


def _chosen(
    reads: "Reads", houses: Sequence[str], *, everything: bool, search: str | None
) -> list[Proposal]:
    from phx_pipeline.reads.searches import (
        meant_proposals,
        read_proposals,
        require_search,
    )

    require_search(reads, search)
    if everything == bool(houses):
        raise click.UsageError("name the houses, or give --all")
    if houses:
        return meant_proposals(reads, houses)
    waiting = ProposalState.PROPOSED
    page = read_proposals(reads, state=waiting, search=search, limit=_MOST)
    return list(page.rows)


def _found_by_others(reads: "Reads", search: str | None, *, state: str) -> str:
    """Tell of houses that fit a search, and that another one found first."""
    from phx_pipeline.reads.searches import read_proposals

    saved = {it.name: it for it in reads.catalog.searches.saved()}
    if search not in saved:
        return ""
    wanted = None if state == "all" else ProposalState(state)
    others = [
        it.search
        for it in read_proposals(reads, state=wanted, limit=_MOST).rows
        if it.search != search and saved[search].fits(it)
    ]
    names = ", ".join(sorted(set(others)))
    more = f"{counted(len(others), 'house')} that another search found first"
    shown = f"`phx search proposed --state {state}` shows all"
    return f"{more} ({names}) would fit {search}, too: {shown}" if others else ""


def _print(found: Sequence[Proposal], saved: Sequence[SavedSearch]) -> None:
    """Print a few lines for each house: no table has room for its link."""
    for it in found:
        console.print(it.address.slug, soft_wrap=True)
        print_sentence(_told(it.facts) or "nothing is told of it", indent="  ")
        console.print(f"  {it.url}", soft_wrap=True)
        state = f"{it.state.value}, but {it.doubt}" if it.doubt else it.state.value
        others = (each for each in saved if each.name != it.search)
        fitting = [_fit(each, it) for each in others if each.fits(it)]
        also = f" (also fits {'; '.join(fitting)})" if fitting else ""
        found_by = f"{it.source.value}, search {it.search}{also}, {it.first_seen_on}"
        print_sentence(f"{found_by}; {state}", indent="  ")


def _fit(search: SavedSearch, it: Proposal) -> str:
    """The name of a search that a house fits, with what rows do not tell of it."""
    unstated = search.criteria.unstated_by(it.facts)
    told = f", if it has {' and '.join(unstated)}, which is not told"
    return f"{search.name}{told if unstated else ''}"


def _told(facts: ListingFacts) -> str:
    parts: tuple[object, ...] = (
        facts.list_price and f"${facts.list_price:,}",
        size_words(facts),
        facts.year_built and f"built {facts.year_built}",
    )
    return ", ".join(str(part) for part in parts if part)
