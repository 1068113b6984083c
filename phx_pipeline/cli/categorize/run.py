"""`phx categorize run`: pictures that are here already are named anew."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from phx_pipeline.cli.console import NO_HOUSES, console, errors, followed
from phx_pipeline.cli.options import FILLED, json_option
from phx_pipeline.cli.session import opened
from phx_pipeline.errors import InputError
from phx_pipeline.model.counted import counted

if TYPE_CHECKING:
    from phx_pipeline.stages.context import StageContext
    from phx_pipeline.stages.recategorize import Recategorized


@click.command()
@click.argument("houses", nargs=-1, type=FILLED)
@click.option("--all", "everything", is_flag=True, help="Name those of all houses.")
@json_option
def run(houses: tuple[str, ...], *, everything: bool, as_json: bool) -> None:
    """Name the pictures of houses anew, and publish those whose name changed.

    HOUSES are keys, folders, addresses, or URLs of listings. No site is asked and no
    picture is encoded: each backend is asked only for what it has not said before. A
    second run changes nothing.

    \b
    Examples:
      phx categorize run 686067a4
      phx categorize run --all
    """
    from phx_pipeline.stages.categorize import missing_lines
    from phx_pipeline.workflows.intake import find_property

    if everything and houses:
        raise InputError("name houses or give --all, not both")
    if not (everything or houses):
        raise InputError("say whose pictures to name: some houses, or --all")
    with opened() as context:
        found = (
            context.catalog.slugs()
            if everything
            else (find_property(context, house).slug for house in houses)
        )
        slugs = list(dict.fromkeys(found))
        for line in missing_lines(context):
            errors.print(line, soft_wrap=True)
        done = _named(context, slugs, quiet=as_json)
    if as_json:
        click.echo(json.dumps(_sums(done), indent=2))
    else:
        console.print(_told(done) if slugs else NO_HOUSES, soft_wrap=True)


def _named(
    context: "StageContext", slugs: Sequence[str], *, quiet: bool
) -> "list[Recategorized]":
    from phx_pipeline.stages.recategorize import recategorize
    from phx_pipeline.stages.views import refresh_views

    done = [
        recategorize(context, slug) for slug in followed(slugs, "naming", hidden=quiet)
    ]
    if context.catalog.views.is_stale():
        refresh_views(context)
    return done


def _sums(done: "Sequence[Recategorized]") -> dict[str, int]:
    counts = ("pictures", "named", "unknown", "disputed")
    return {
        "properties": len(done),
        **{name: sum(getattr(it.report, name) for it in done) for name in counts},
        "renamed": sum(it.renamed for it in done),
    }


def _told(done: "Sequence[Recategorized]") -> str:
    sums = _sums(done)
    of = f"{counted(sums['pictures'], 'picture')} of {counted(len(done), 'property')}"
    told = [f"{sums['named']} of {of} named", f"{sums['unknown']} unknown"]
    if sums["disputed"]:
        told.append(f"{sums['disputed']} disputed")
    return f"{', '.join(told)}; {counted(sums['renamed'], 'file')} renamed"
