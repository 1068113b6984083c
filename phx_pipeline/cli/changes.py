"""`phx changes`: what changed at houses, the newest first."""

import json
from collections.abc import Sequence
from datetime import date, timedelta
from itertools import groupby, islice
from typing import TYPE_CHECKING

import click
from rich.padding import Padding
from rich.text import Text

from phx_pipeline.cli.console import NO_HOUSES, console
from phx_pipeline.cli.options import DAY_OR_SPAN, FILLED, OneOf, json_option
from phx_pipeline.cli.session import opened_reads
from phx_pipeline.model.counted import counted
from phx_pipeline.model.event import EventKind
from phx_pipeline.model.event_words import event_words

if TYPE_CHECKING:
    from phx_pipeline.reads.base import Reads
    from phx_pipeline.reads.history import ToldEvent


@click.command()
@click.option(
    "--since",
    type=DAY_OR_SPAN,
    metavar="DAY",
    help="Show only changes of this day or later: a date, or 7d or 12h back.",
)
@click.option(
    "--house",
    type=FILLED,
    metavar="HOUSE",
    help="Show one house only: its key, folder or address, or the URL of its listing.",
)
@click.option(
    "--kind",
    "kinds",
    type=OneOf([each.value for each in EventKind]),
    multiple=True,
    metavar="KIND",
    help=f"Show only changes of a kind: {', '.join(EventKind)}. May be given again.",
)
@click.option(
    "--source", type=FILLED, metavar="SOURCE", help="Show only what one source says."
)
@click.option(
    "--limit",
    type=click.IntRange(1, 10_000),
    default=100,
    show_default=True,
    metavar="COUNT",
    help="Show at most so many, 1 to 10,000.",
)
@json_option
def changes(
    *,
    since: date | timedelta | None,
    house: str | None,
    kinds: tuple[str, ...],
    source: str | None,
    limit: int,
    as_json: bool,
) -> None:
    """Show what changed at houses, the newest first.

    Prices, status, facts, photos that came, left or were replaced, and houses that
    are back on the market or listed under another number. Each source tells its own.

    \b
    Examples:
      phx changes --since 7d
      phx changes --house "4732 W Davis Rd, Glendale, AZ 85306"
      phx changes --kind price_cut --kind back_on_market --since 2026-11-01
      phx changes --source zillow --limit 500 --json
    """
    from phx_pipeline.reads.houses import meant_house
    from phx_pipeline.reads.images import past_day, source_named

    with opened_reads() as reads:
        from phx_pipeline.reads.history import find_events, with_photos

        first = past_day(reads, since)
        found = find_events(
            reads,
            since=first,
            slug=meant_house(reads, house).slug if house else None,
            source=source_named(reads, source) if source else None,
            kinds=[EventKind(kind) for kind in kinds],
        )
        some = list(islice(found, limit + 1))
        told = [with_photos(reads, event) for event in some[:limit]]
        if as_json:
            _print_json(told)
        elif not told:
            is_chosen = any((house, kinds, source))
            console.print(_nothing(reads, first, is_chosen=is_chosen), soft_wrap=True)
        else:
            _print(told, is_all=len(some) <= limit)


def _print_json(told: Sequence["ToldEvent"]) -> None:
    from phx_pipeline.reads.documents import event_document

    click.echo(json.dumps(list(map(event_document, told)), indent=2))


def _print(told: Sequence["ToldEvent"], *, is_all: bool) -> None:
    """Print a heading for each day, then for each house, then a line per change."""
    for day, of_day in groupby(told, key=lambda it: it.event.on):
        console.print(str(day))
        in_order = sorted(of_day, key=lambda it: it.event.slug)
        for slug, of_house in groupby(in_order, key=lambda it: it.event.slug):
            console.print(f"  {slug}", soft_wrap=True)
            for it in of_house:
                line = Text(f"{it.event.source}: {_line(it)}")
                console.print(Padding(line, (0, 0, 0, 4), expand=False))
    more = "" if is_all else "; there are more: raise --limit, or narrow by --since"
    console.print(f"{counted(len(told), 'change')}{more}", soft_wrap=True)


def _line(told: "ToldEvent") -> str:
    words = event_words(told.event)
    if told.photos is None:
        return words
    old, new = set(told.photos.old), set(told.photos.new)
    return (
        f"{words}\n  {counted(len(old), 'photo')} before, {len(new)} now, "
        f"{len(old & new)} of them in both"
    )


def _nothing(reads: "Reads", since: date | None, *, is_chosen: bool) -> str:
    if not reads.catalog.pages.houses(limit=1):
        return NO_HOUSES
    when = f" since {since}" if since else " so far"
    if is_chosen:
        return f"no such change{when}; leave out the options to see all"
    return (
        f"nothing changed{when}; changes are noted from the second time on that a "
        "source is asked for a house"
    )
