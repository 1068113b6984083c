"""`phx verify`: proof that catalogue, files and views agree."""

import json

import click
from rich.progress import track

from phx_pipeline.cli.console import console, errors
from phx_pipeline.cli.main import Exit
from phx_pipeline.cli.session import opened


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Machine-readable output.")
@click.option("--digest", is_flag=True, help="Print only the hash of all content rows.")
@click.pass_context
def verify(ctx: click.Context, *, as_json: bool, digest: bool) -> None:
    """Check every row, file and view; exit code 1 when anything disagrees.

    \b
    Examples:
      phx verify
      phx verify --digest     equal for two stores with the same photos and names
    """
    from phx_pipeline.stages.verify import (
        content_digest,
        verify_property,
        verify_views,
    )

    with opened() as context:
        if digest:
            click.echo(content_digest(context))
            return
        slugs = context.catalog.slugs()
        followed = track(slugs, "verifying", console=errors, disable=as_json)
        problems = [p for slug in followed for p in verify_property(context, slug)]
        problems += verify_views(context)
    if as_json:
        found = [{"rule": p.rule.value, "problem": p.text} for p in problems]
        click.echo(json.dumps({"properties": len(slugs), "problems": found}, indent=2))
    else:
        for problem in problems:
            console.print(f"{problem.rule.value}: {problem.text}", soft_wrap=True)
        console.print(f"{len(slugs)} properties, {len(problems)} problems")
    ctx.exit(Exit.ERROR if problems else Exit.COMPLETE)
