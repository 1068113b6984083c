"""`phx search`: the searches by name. What they proposed is in `proposed`."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from phx_pipeline.cli.console import console, print_sentence
from phx_pipeline.cli.nearest import NearestGroup
from phx_pipeline.cli.options import FILLED, json_option, one_of_two
from phx_pipeline.cli.search.amounts import Amount, Count
from phx_pipeline.cli.search.proposed import accept, proposed, reject
from phx_pipeline.cli.search.run import NO_SEARCH, run
from phx_pipeline.cli.session import opened_catalog
from phx_pipeline.errors import InputError
from phx_pipeline.model.counted import counted
from phx_pipeline.model.search import (
    MOST_ACCEPTED,
    Criteria,
    SavedSearch,
    require_name,
)
from phx_pipeline.model.source import Source
from phx_pipeline.settings import Settings, load_settings, parse_sources

if TYPE_CHECKING:
    from phx_pipeline.catalog.searches import SearchBook

_DOLLARS = Amount(such_as="450000, 450,000 or 450k")
_SQFT = Amount(such_as="1500 or 1,500")


@click.group(cls=NearestGroup)
def search() -> None:
    """Look for new houses on the sites' search pages."""


for _command in (run, proposed, accept, reject):
    search.add_command(_command)


@search.command()
@click.argument("name", type=FILLED)
@click.option(
    "--zip",
    "zip_codes",
    multiple=True,
    metavar="ZIP",
    help="Look in this ZIP code of Arizona. May be given again.",
)
@click.option(
    "--city",
    "cities",
    multiple=True,
    metavar="CITY",
    help="Look in this city of Arizona. May be given again.",
)
@click.option(
    "--min-price", type=_DOLLARS, metavar="DOLLARS", help="Leave out what costs less."
)
@click.option(
    "--max-price", type=_DOLLARS, metavar="DOLLARS", help="Leave out what costs more."
)
@click.option(
    "--min-beds",
    type=Count(such_as="3"),
    metavar="COUNT",
    help="Ask for so many bedrooms at least.",
)
@click.option(
    "--min-baths",
    type=Count(such_as="2 or 2.5"),
    metavar="COUNT",
    help="Ask for so many bathrooms at least; half a bath is 0.5.",
)
@click.option(
    "--min-area",
    type=_SQFT,
    metavar="SQFT",
    help="Ask for so much living area at least.",
)
@click.option(
    "--max-area",
    type=_SQFT,
    metavar="SQFT",
    help="Ask for so much living area at most.",
)
@click.option(
    "--min-year",
    type=Amount(such_as="1990"),
    metavar="YEAR",
    help="Leave out what was built before.",
)
@click.option(
    "--min-lot", type=_SQFT, metavar="SQFT", help="Ask for a lot of so much at least."
)
@click.option(
    "--pool/--no-pool",
    multiple=True,
    callback=one_of_two,
    help="Ask for a pool of its own, or for none.",
)
@click.option(
    "--accept",
    "accept_per_day",
    type=click.IntRange(0, MOST_ACCEPTED),
    default=0,
    show_default=True,
    metavar="COUNT",
    help="Follow up to so many of the houses found each day without asking.",
)
@click.option(
    "--sources",
    type=FILLED,
    metavar="NAMES",
    help="Ask only these sources, separated by commas; by default all that have "
    "search pages.",
)
def add(*, name: str, accept_per_day: int, sources: str | None, **asked: Any) -> None:
    """Save a search under NAME; at least one --zip or --city says where.

    The sites are asked each morning, or by `phx search run`. What a site cannot filter
    by is judged by the facts its row tells. Where the row does not tell a fact, the
    house is proposed, and never accepted by itself.

    \b
    Examples:
      phx search add west --zip 85306 --max-price 450000 --min-beds 3
      phx search add glendale --city Glendale --min-area 1500 --pool --accept 5
    """
    from phx_pipeline.wiring.clock import utc_now

    require_name(name)
    settings, at = load_settings(), utc_now()
    named = _named(settings, sources) if sources else ()
    saved = SavedSearch(
        name=name,
        criteria=Criteria(**asked).checked(this_year=at.year),
        created_at=at,
        accept_per_day=accept_per_day,
        sources=named,
    )
    with opened_catalog(settings) as catalog:
        if not catalog.searches.add(saved):
            raise InputError(
                f"there is a search {name!r} already: choose another name, or "
                f"`phx search remove {name}` first"
            )
        catalog.audit.note(user=settings.user, action="search.add", target=name, at=at)
    print_sentence(
        f"search {name} is saved: it is run each morning while `phx up` runs, and now "
        f"by `phx search run {name}`"
    )


def _named(settings: Settings, text: str) -> tuple[Source, ...]:
    """Read the names of sources that have search pages."""
    from phx_pipeline.wiring.sources import equipped_sources
    from phx_pipeline.workflows.searches import searchable

    known = searchable(equipped_sources(settings))
    named = parse_sources(text, by="--sources", among=known)
    if without := [it.value for it in named if it not in known]:
        raise InputError(
            f"--sources: {', '.join(without)} {'has' if len(without) == 1 else 'have'} "
            f"no search pages: choose from {', '.join(known)}"
        )
    return named


@search.command("list")
@json_option
def list_(*, as_json: bool) -> None:
    """List the saved searches.

    \b
    Examples:
      phx search list
      phx search list --json
    """
    from phx_pipeline.reads.documents import search_document

    with opened_catalog() as catalog:
        saved = catalog.searches.saved()
    if as_json:
        click.echo(json.dumps([search_document(it) for it in saved], indent=2))
        return
    if not saved:
        print_sentence(NO_SEARCH)
        return
    for it in saved:
        print_sentence(f"{it.name}: in {it.criteria.place}; {_told(it.criteria)}")
        print_sentence(_asked(it), indent="  ")


def _asked(it: SavedSearch) -> str:
    """Tell in a sentence whether, where and with what effect a search is run."""
    where = ", ".join(it.sources) or "all sources that have search pages"
    when = "paused" if it.is_paused else "run each morning"
    then = (
        f"follows up to {counted(it.accept_per_day, 'house')} a day by itself"
        if it.accept_per_day
        else "a person accepts what it finds"
    )
    return f"{when}; asks {where}; {then}"


@search.command()
@click.argument("name", type=FILLED)
def remove(*, name: str) -> None:
    """Forget a search; the houses it proposed stay, and are not proposed again.

    \b
    Examples:
      phx search remove west
    """
    with _changed(name, "remove") as book:
        book.remove(name)
    console.print(f"search {name} is removed")


@search.command()
@click.argument("name", type=FILLED)
def pause(*, name: str) -> None:
    """Let a search rest: no site is asked, and nothing is accepted by itself.

    \b
    Examples:
      phx search pause west
    """
    with _changed(name, "pause") as book:
        book.pause(name, is_paused=True)
    console.print(f"search {name} rests until `phx search resume {name}`")


@search.command()
@click.argument("name", type=FILLED)
def resume(*, name: str) -> None:
    """Let a search that rests go on.

    \b
    Examples:
      phx search resume west
    """
    with _changed(name, "resume") as book:
        book.pause(name, is_paused=False)
    console.print(f"search {name} goes on")


@contextmanager
def _changed(name: str, action: str) -> Iterator["SearchBook"]:
    """Give the book of searches, of which *name* is one; note the deed afterwards."""
    from phx_pipeline.wiring.clock import utc_now
    from phx_pipeline.workflows.searches import named_search

    settings = load_settings()
    with opened_catalog(settings) as catalog:
        named_search(catalog, name)
        yield catalog.searches
        catalog.audit.note(
            user=settings.user, action=f"search.{action}", target=name, at=utc_now()
        )


def _told(criteria: Criteria) -> str:
    return ", ".join(criteria.told()) or "any house"
