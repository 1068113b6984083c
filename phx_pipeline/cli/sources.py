"""`phx sources`: how each source is being asked, and the switches."""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click
from rich.table import Table

from phx_pipeline.cli.console import console, print_sentence, print_table
from phx_pipeline.cli.nearest import NearestGroup
from phx_pipeline.cli.options import json_option
from phx_pipeline.cli.session import opened, opened_catalog, opened_reads
from phx_pipeline.cli.sources_check import check, replay
from phx_pipeline.cli.times import phoenix_text
from phx_pipeline.errors import InputError
from phx_pipeline.fetch.groups import further_circuits, group_names
from phx_pipeline.model.moments import end_of_rest
from phx_pipeline.model.nearest import did_you_mean
from phx_pipeline.model.source import Source
from phx_pipeline.settings import Settings, load_settings
from phx_pipeline.storage.demo_stores import ONLY_BY_DEMO, is_demo

if TYPE_CHECKING:
    from phx_pipeline.model.circuit import Circuit
    from phx_pipeline.reads.sources import SeenSource, SeenSources
    from phx_pipeline.stages.context import StageContext

_READY = "ready"


@click.group(cls=NearestGroup, invoke_without_command=True)
@json_option
@click.pass_context
def sources(ctx: click.Context, *, as_json: bool) -> None:
    """Show how each source is asked, try it, and switch it on or off.

    For each source: whether it may be asked, its pace and its last refusal, for all
    processes together. NAME/photos stands for the photo hosts of a source; their
    downloads are not paced. NAME/browser is there once pages of a source that refuses
    plain HTTP were asked for by the browser. Times are Phoenix's, in JSON UTC.

    \b
    Examples:
      phx sources
      phx sources --json
      phx sources check redfin
      phx sources disable redfin
      phx sources reset redfin/photos
    """
    if ctx.invoked_subcommand is not None:
        return
    from phx_pipeline.reads.documents import source_document
    from phx_pipeline.reads.sources import read_sources

    with opened_reads() as reads:
        seen = read_sources(reads)
    if as_json:
        click.echo(json.dumps(list(map(source_document, seen.rows)), indent=2))
        return
    is_of_demo = is_demo(reads.layout)
    print_table(_table(seen, is_of_demo=is_of_demo))
    if is_of_demo and any(it.circuit.state.disabled for it in seen.rows):
        print_sentence(ONLY_BY_DEMO)
    for row in seen.rows:
        for told in _notes(row):
            print_sentence(f"{row.name}: {told}")
    rests = (
        it for it in seen.rows if it.standing.is_asked and it.circuit.browser_leads_on
    )
    if not all(it.circuit.by_browser for it in rests):
        if reads.lacks_browser:
            console.print(reads.lacks_browser, soft_wrap=True)
        console.print("`phx ingest` reads pages that you save in your own browser")


@sources.command()
@click.argument("name")
def reset(name: str) -> None:
    """Forget what held a source up, so that it is asked again.

    Forgotten are its circuit, its Retry-After, its slower pace and its last refusal. A
    switch-off stays. Do so only if you know why the source failed.

    \b
    Examples:
      phx sources reset redfin
      phx sources reset redfin/photos
    """
    groups, settings = _groups(name), load_settings()
    with opened(settings) as context:
        policies = context.catalog.policies
        _, states = policies.source_states()
        further = set(further_circuits(groups)) & {state.name for state in states}
        policies.reset([*groups, *sorted(further)])
        _look_goes_on(context, settings)
    console.print(f"{name}: reset")


@sources.command()
@click.argument("name")
def disable(name: str) -> None:
    """Send nothing more to a source, from any process.

    It stays so until `phx sources enable`.

    \b
    Example:
      phx sources disable redfin
    """
    with opened_catalog() as catalog:
        catalog.policies.disable(_groups(name))
    console.print(f"{name}: disabled (`phx sources enable {name}` undoes it)")


@sources.command()
@click.argument("name")
def enable(name: str) -> None:
    """Allow requests to a source that was disabled.

    A source that rests after failures or a refusal goes on resting. Houses that it
    was not asked about today are looked at again by `phx up`, also if today's look
    is over.

    \b
    Example:
      phx sources enable redfin
    """
    groups, settings = _groups(name), load_settings()
    with opened(settings) as context:
        context.catalog.policies.enable(groups)
        _look_goes_on(context, settings)
    console.print(f"{name}: enabled")


sources.add_command(check)
sources.add_command(replay)


def _look_goes_on(context: "StageContext", settings: Settings) -> None:
    from phx_pipeline.workflows.look import Look

    Look(context, most_pages=settings.daily_pages).note_waiting()


def _groups(name: str) -> tuple[str, ...]:
    """Return the groups *name* stands for: a whole source, or its photo hosts."""
    from phx_pipeline.sources.registry import named_sources

    named = {
        source.value: group_names(source)
        for source in named_sources()
        if source is not Source.UNKNOWN
    }
    singles = {photos: (photos,) for _, photos in named.values()}
    if found := (named | singles).get(name):
        return found
    meant = did_you_mean(name, [*named, *singles])
    raise InputError(
        f"unknown source {name!r}{meant}: choose from {', '.join(named)} (or "
        "NAME/photos)"
    )


def _notes(seen: "SeenSource") -> Iterator[str]:
    """Yield what is to be known of a source that the table has no room for.

    Of one that is switched off, that alone is told, whatever else it lacks.
    """
    is_off = seen.circuit.state.disabled
    if seen.means is None or not seen.is_whole or is_off:
        return
    if seen.standing.told:
        yield seen.standing.told
    if seen.means.uncaptured and seen.standing.is_asked:
        yield seen.means.uncaptured


def _told(circuit: "Circuit", *, now_s: float, is_of_demo: bool) -> str:
    """The state for people."""
    if circuit.state.disabled:
        remedy = "" if is_of_demo else f" (`phx sources enable {circuit.name}`)"
        return f"switched off{remedy}"
    next_s = circuit.next_try_s
    until = end_of_rest(next_s, now_s=now_s) if next_s is not None else ""
    if circuit.word == "half-open":
        return "trying again, one request at a time"
    if circuit.word != "open":
        return f"waiting until {until}, as it asked" if until else _READY
    if circuit.was_refused:
        return f"stopped until {until}, it refused us"
    return f"resting until {until}"


def _rate(circuit: "Circuit") -> str:
    if circuit.paced_as:
        return f"paced as {circuit.paced_as}"
    rate = circuit.requests_per_s
    return f"{rate:g} per s" if rate else "not paced"


def _table(seen: "SeenSources", *, is_of_demo: bool) -> Table:
    table = Table("source", "state", "requests")
    if any(row.circuit.state.blocked_at for row in seen.rows):
        table.add_column("last refusal")
    for row in seen.rows:
        state = row.circuit.state
        refusal = (phoenix_text(state.blocked_at), state.block)
        instead = "; the browser is asked instead" if row.circuit.by_browser else ""
        told = _told(row.circuit, now_s=seen.now_s, is_of_demo=is_of_demo)
        is_told = not row.standing.is_asked or told == _READY
        if row.standing.word and is_told and not state.disabled:
            told = row.standing.word
        rate = _rate(row.circuit)
        cells = (f"{told}{instead}", rate, " ".join(filter(None, refusal)))
        table.add_row(row.name, *cells[: len(table.columns) - 1])
    return table
