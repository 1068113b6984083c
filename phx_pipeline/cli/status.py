"""`phx status`: what is there, and what is still open."""

import json
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

import click

from phx_pipeline.cli.console import NO_HOUSES, console, print_lines, print_tallies
from phx_pipeline.cli.open_lines import open_lines, standing_lines
from phx_pipeline.cli.options import json_option
from phx_pipeline.cli.service_state import service_json, service_line
from phx_pipeline.cli.session import opened
from phx_pipeline.model.conflicts import Conflict
from phx_pipeline.model.counted import counted
from phx_pipeline.model.drift import Drift
from phx_pipeline.model.property import Property
from phx_pipeline.model.source import Source
from phx_pipeline.model.tally import PropertyTally
from phx_pipeline.settings import load_settings
from phx_pipeline.stages.report import tally_counts

if TYPE_CHECKING:
    from phx_pipeline.stages.context import StageContext


@click.command()
@click.option(
    "--all",
    "everything",
    is_flag=True,
    help="Show every house and all lines, however many.",
)
@click.option(
    "--service",
    is_flag=True,
    help="Show only which servers of `phx up` run and answer.",
)
@json_option
def status(*, everything: bool, service: bool, as_json: bool) -> None:
    """Show what each source gave, and what is left to do.

    Each house has a line for each source: how it ended, and how many photos it gave. Of
    more than a hundred houses only those that are not complete have lines, at most
    fifty; the sums are those of all. Below stands what is still open, why, and which
    command helps. The first line tells whether `phx up` runs.

    \b
    Examples:
      phx status
      phx status --all
      phx status --json
      phx status --service --json
    """
    settings = load_settings()
    if service:
        tell = service_json if as_json else partial(service_line, thorough=True)
        click.echo(tell(settings))
        return
    from phx_pipeline.stages.categorize import missing_lines
    from phx_pipeline.stages.drift import drift_lines, drifting
    from phx_pipeline.stages.facts import conflict_lines, conflicts_by_property
    from phx_pipeline.workflows.quarantine import cases

    with opened(settings) as context:
        tallies = context.tallies()
        suspects = Counter(case.photo.slug for case in cases(context))
        conflicts = conflicts_by_property(context)
        left = list(open_lines(context, tallies))
        standings = list(standing_lines(context, among=context.sources))
        standings += missing_lines(context)
        twins = context.catalog.houses.twins()
        gone = drifting(context)
    if as_json:
        _print_json(tallies, suspects=suspects, conflicts=conflicts, gone=gone)
        return
    console.print(service_line(settings, thorough=False), soft_wrap=True)
    if not tallies:
        console.print(NO_HOUSES, soft_wrap=True)
        return
    print_tallies(tallies, everything=everything)
    complete = sum(tally.is_complete for tally in tallies)
    console.print(f"{complete} of {counted(len(tallies), 'property')} complete")
    for lines in (
        drift_lines(gone),
        _twin_lines(twins),
        left,
        standings,
        _outdated_lines(tallies),
        conflict_lines(conflicts),
        _suspect_lines(suspects),
        _unknown_lines(tallies),
    ):
        print_lines(lines, everything=everything)


def _print_json(
    tallies: Sequence[PropertyTally],
    *,
    suspects: Counter[str],
    conflicts: Mapping[str, Sequence[Conflict]],
    gone: Sequence[Drift],
) -> None:
    """One property a line: there may be ten thousand."""
    from phx_pipeline.stages.drift import plain_drifts
    from phx_pipeline.stages.facts import plain_conflicts

    drift = {it.source: plain_drifts(gone, of=it.source) for it in gone}
    rows = (
        _plain(tally, suspects=suspects[tally.slug], drift=drift)
        | {"conflicts": plain_conflicts(conflicts.get(tally.slug, ()))}
        for tally in tallies
    )
    listed = ",\n".join(json.dumps(row) for row in rows)
    click.echo(f"[\n{listed}\n]")


def _twin_lines(twins: Sequence[Sequence[Property]]) -> Iterator[str]:
    for keep, *others in twins:
        for other in others:
            yield (
                f"twin: {other.slug} is the same house as {keep.slug}: "
                f"`phx properties merge {keep.slug} {other.slug}` makes them one"
            )


def _outdated_lines(tallies: Sequence[PropertyTally]) -> Iterator[str]:
    for tally in tallies:
        if tally.outdated:
            yield (
                f"open: {tally.slug}: {counted(tally.outdated, 'file')} made "
                "otherwise than now (by an older version, or with another "
                "PHX_IMAGE_FORMAT or PHX_MAX_SIDE); `phx rebuild` makes them anew"
            )


def look_lines(context: "StageContext", slugs: Collection[str]) -> Iterator[str]:
    """Yield what a person should look at, of the houses a command worked on."""
    from phx_pipeline.workflows.quarantine import cases

    suspects = Counter(case.photo.slug for case in cases(context))
    yield from _suspect_lines(
        Counter({s: n for s, n in suspects.items() if s in slugs})
    )
    yield from _unknown_lines(context.tallies(slugs=slugs))


def _unknown_lines(tallies: Sequence[PropertyTally]) -> Iterator[str]:
    for tally in tallies:
        if tally.is_unknown:
            yield (
                f"look: {tally.slug}: no source knows this address: is it right? "
                f"`phx properties rename {tally.slug} ADDRESS` corrects it"
            )


def _suspect_lines(suspects: Counter[str]) -> Iterator[str]:
    for slug, count in sorted(suspects.items()):
        yield (
            f"look: {slug}: {counted(count, 'photo')} may be of another house "
            f"(`phx quarantine list --property {slug}`)"
        )


def _plain(
    tally: PropertyTally, *, suspects: int, drift: Mapping[Source, object]
) -> dict[str, object]:
    sources = {
        source.source.value: {
            "outcome": source.outcome.value if source.outcome else None,
            "detail": source.detail,
            "wanting": source.wanting,
            "faulted": source.faulted,
            "discovered": source.discovered,
            "drift": drift.get(source.source, []),
            **{kind.value: count for kind, count in source.counts.items()},
        }
        for source in tally.sources
    }
    return {
        "property": tally.slug,
        "complete": tally.is_complete,
        **tally_counts(tally),
        "outdated": tally.outdated,
        "suspects": suspects,
        "sources": sources,
    }
