"""`phx status`: what is there, and what is still open."""

import json
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import click

from phx_pipeline.cli.console import console, tally_table
from phx_pipeline.cli.session import opened
from phx_pipeline.fetch.policies import group_names, next_try_s
from phx_pipeline.model.tally import PropertyTally, SourceTally
from phx_pipeline.stages.report import tally_counts

_PHOENIX = ZoneInfo("America/Phoenix")


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Machine-readable output.")
def status(*, as_json: bool) -> None:
    """Show counts and outcomes per property and source.

    \b
    Example:
      phx status --json
    """
    from phx_pipeline.stages.quarantine import cases

    with opened() as context:
        tallies = context.catalog.tallies(tuple(context.sources))
        suspects = Counter(case.photo.slug for case in cases(context))
        now_s, states = context.catalog.policies.source_states()
    if as_json:
        rows = [_plain(tally, suspects=suspects[tally.slug]) for tally in tallies]
        click.echo(json.dumps(rows, indent=2))
        return
    waits = {
        state.name: at_s
        for state in states
        if (at_s := next_try_s(state, now_s=now_s)) is not None
    }
    console.print(tally_table(tallies))
    complete = sum(tally.is_complete for tally in tallies)
    console.print(f"{complete} of {len(tallies)} properties complete")
    for tally in tallies:
        for source in tally.sources:
            if source.outcome is not None and not source.is_settled:
                console.print(_open_line(source, waits=waits), soft_wrap=True)
    for slug, count in sorted(suspects.items()):
        console.print(
            f"look: {slug}: {count} photos may be of another house "
            f"(`phx quarantine list --property {slug}`)",
            soft_wrap=True,
        )


def _open_line(tally: SourceTally, *, waits: Mapping[str, float]) -> str:
    """What is left to do for one source, and from when on it may be asked."""
    told = [f"open: {tally.slug} {tally.source.value}: {tally.outcome}"]
    if tally.wanting:
        told.append(f"{tally.wanting} photos to fetch")
    if tally.detail:
        told.append(tally.detail)
    at_s = max(waits.get(name, 0.0) for name in group_names(tally.source))
    when = f"not before {_in_phoenix(at_s)}" if at_s else "any time"
    told.append(f"`phx extract --address {tally.slug}` retries it {when}")
    return ", ".join(told)


def _in_phoenix(at_s: float) -> str:
    return (
        datetime.fromtimestamp(at_s, tz=UTC).astimezone(_PHOENIX).strftime("%F %H:%M")
    )


def _plain(tally: PropertyTally, *, suspects: int) -> dict[str, object]:
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
        "suspects": suspects,
        "sources": sources,
    }
