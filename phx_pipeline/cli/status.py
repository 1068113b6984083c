"""`phx status`: what is there, and what is still open."""

import json

import click

from phx_pipeline.cli.console import console, tally_table
from phx_pipeline.cli.session import opened
from phx_pipeline.model.tally import PropertyTally
from phx_pipeline.stages.report import tally_counts


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Machine-readable output.")
def status(*, as_json: bool) -> None:
    """Show counts and outcomes per property and source.

    \b
    Example:
      phx status --json
    """
    with opened() as context:
        tallies = context.catalog.tallies(tuple(context.sources))
    if as_json:
        click.echo(json.dumps([_plain(tally) for tally in tallies], indent=2))
        return
    console.print(tally_table(tallies))
    complete = sum(tally.is_complete for tally in tallies)
    console.print(f"{complete} of {len(tallies)} properties complete")
    for tally in tallies:
        for source in tally.sources:
            if source.outcome is not None and not source.is_settled:
                console.print(
                    f"open: {tally.slug} {source.source.value}: {source.outcome.value}"
                    f"{f', {source.wanting} photos to fetch' if source.wanting else ''}"
                    f" {source.detail} (`phx extract --address {tally.slug}` retries)"
                )


def _plain(tally: PropertyTally) -> dict[str, object]:
    sources = {
        source.source.value: {
            "outcome": source.outcome.value if source.outcome else None,
            "detail": source.detail,
            "discovered": source.discovered,
            **{kind.value: count for kind, count in source.counts.items()},
        }
        for source in tally.sources
    }
    return {
        "property": tally.slug,
        "complete": tally.is_complete,
        **tally_counts(tally),
        "sources": sources,
    }
