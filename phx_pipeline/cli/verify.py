"""`phx verify`: proof that catalogue, files and views agree."""

import json
from typing import TYPE_CHECKING

import click

from phx_pipeline.cli.console import NO_HOUSES, console, followed
from phx_pipeline.cli.main import Exit
from phx_pipeline.cli.options import json_option
from phx_pipeline.cli.session import opened
from phx_pipeline.errors import InputError
from phx_pipeline.model.counted import counted

if TYPE_CHECKING:
    from phx_pipeline.stages.context import StageContext
    from phx_pipeline.workflows.verify import Problem


@click.command()
@json_option
@click.option(
    "--digest",
    is_flag=True,
    help="Print only one hash of all photos, outcomes and names.",
)
@click.option(
    "--deep",
    is_flag=True,
    help="Also make hashes and PNGs again from all originals and compare them, "
    "and have the database look at its indexes.",
)
@click.pass_context
def verify(ctx: click.Context, *, as_json: bool, digest: bool, deep: bool) -> None:
    """Check every row, file and view, and change nothing.

    It checks that counts add up, that every original, PNG and published file has the
    bytes its row says, that folders and views hold exactly what the catalogue says, and
    that the database finds no fault in itself. `phx repair` makes right what it names.

    \b
    Examples:
      phx verify
      phx verify --deep       as long as collecting, without the downloads
      phx verify --digest     equal for two stores with the same photos and names

    Exit codes: 0 all agree, 1 something disagrees.
    """
    from phx_pipeline.workflows.verify import content_digest

    with opened() as context:
        if digest:
            click.echo(content_digest(context))
            return
        houses, problems = _look(context, deep=deep, quiet=as_json)
    if not (houses or problems or as_json):
        console.print(NO_HOUSES, soft_wrap=True)
    elif as_json:
        found = [{"rule": p.rule.value, "problem": p.text} for p in problems]
        click.echo(json.dumps({"properties": houses, "problems": found}, indent=2))
    else:
        for problem in problems:
            console.print(f"{problem.rule.value}: {problem.text}", soft_wrap=True)
        told = counted(len(problems), "problem") if problems else "no problem"
        console.print(f"{counted(houses, 'property')} checked, {told} found")
    ctx.exit(Exit.ERROR if problems else Exit.COMPLETE)


def _look(
    context: "StageContext", *, deep: bool, quiet: bool
) -> tuple[int, list["Problem"]]:
    """How many houses were looked at, and all problems.

    Only those of the database where it has any: its rows cannot be trusted.
    """
    from phx_pipeline.workflows.recompute import verify_facts
    from phx_pipeline.workflows.verify import (
        verify_database,
        verify_property,
        verify_removed,
        verify_views,
    )

    if broken := verify_database(context, deep=deep):
        return 0, broken
    slugs = context.catalog.slugs()
    found: list[Problem] = []
    for slug in followed(slugs, "verifying", hidden=quiet):
        try:
            found += verify_property(context, slug)
            found += verify_facts(context, slug) if deep else ()
        except InputError:
            if context.catalog.property(slug) is not None:
                raise  # else it was removed meanwhile
    return len(slugs), found + verify_removed(context) + verify_views(context)
