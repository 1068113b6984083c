"""`phx sources`: how each source is being asked, and the switches."""

import json
from collections.abc import Container, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import click
from rich.table import Table

from phx_pipeline.cli.console import console, print_sentence, print_table
from phx_pipeline.cli.nearest import NearestGroup
from phx_pipeline.cli.options import json_option
from phx_pipeline.cli.session import opened_catalog
from phx_pipeline.cli.sources_check import check, replay
from phx_pipeline.cli.times import utc_text, zoned_text
from phx_pipeline.errors import InputError
from phx_pipeline.fetch.base import ClientName
from phx_pipeline.fetch.breaker import Phase, phase, was_refused
from phx_pipeline.fetch.circuits import leads_on, pages_try_s
from phx_pipeline.fetch.groups import further_circuits, group_names
from phx_pipeline.fetch.pacing import period_s
from phx_pipeline.fetch.policies import (
    next_try_s,
    rules_for,
)
from phx_pipeline.model.moments import end_of_rest
from phx_pipeline.model.nearest import did_you_mean
from phx_pipeline.model.source import Source
from phx_pipeline.model.source_state import SourceState
from phx_pipeline.settings import load_settings
from phx_pipeline.stages.standing import Standing, standing_of

if TYPE_CHECKING:
    from phx_pipeline.sources.base import ListingSource

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
    settings = load_settings()
    with opened_catalog(settings) as catalog:
        now_s, known = catalog.policies.source_states()
    from phx_pipeline.wiring import equipped_sources, lacking_browser

    equipped = equipped_sources(settings)
    states = _shown(known, registered=equipped)
    standings = {
        state.name: _standing(state, equipped, named=settings.sources)
        for state in states
    }
    if as_json:
        rows = [
            _plain(state, now_s=now_s)
            | _plain_standing(state, standings[state.name])
            | _means(state, equipped)
            for state in states
        ]
        click.echo(json.dumps(rows, indent=2))
        return

    lacking = lacking_browser(settings)
    browsed = _browsed()
    asked = _asked_instead(states, now_s=now_s, browsed=() if lacking else browsed)
    print_table(_table(states, now_s=now_s, browsed=asked, standings=standings))
    for state in states:
        for told in _notes(state, equipped, standing=standings[state.name]):
            print_sentence(f"{state.name}: {told}")
    rests = (
        it
        for it in states
        if standings[it.name].is_asked and leads_on(it, now_s=now_s, browsed=browsed)
    )
    if any(it.name not in asked for it in rests):
        if lacking:
            console.print(lacking, soft_wrap=True)
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
    groups = _groups(name)
    with opened_catalog() as catalog:
        _, states = catalog.policies.source_states()
        further = set(further_circuits(groups)) & {state.name for state in states}
        catalog.policies.reset([*groups, *sorted(further)])
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

    A source that rests after failures or a refusal goes on resting.

    \b
    Example:
      phx sources enable redfin
    """
    with opened_catalog() as catalog:
        catalog.policies.enable(_groups(name))
    console.print(f"{name}: enabled")


sources.add_command(check)
sources.add_command(replay)


def _browsed() -> tuple[str, ...]:
    """Return the groups whose pages a browser opens that refuse plain HTTP."""
    from phx_pipeline.sources.registry import available_sources, browsed_among

    return tuple(source.value for source in browsed_among(available_sources()))


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


def _shown(
    known: Sequence[SourceState], *, registered: "Mapping[Source, ListingSource]"
) -> list[SourceState]:
    """All rows there are, and a fresh one for each source never asked."""
    fresh = {
        name: SourceState(name=name)
        for source, adapter in registered.items()
        for name in group_names(source)[: 2 if adapter.photo_hosts else 1]
    }
    states = fresh | {state.name: state for state in known}
    return [states[name] for name in sorted(states)]


def _asked_instead(
    states: Sequence[SourceState], *, now_s: float, browsed: Container[str]
) -> frozenset[str]:
    """The groups that refused plain HTTP and are asked by the browser now."""
    known = {state.name: state for state in states}
    return frozenset(
        name
        for name, state in known.items()
        if leads_on(state, now_s=now_s, browsed=browsed)
        and pages_try_s(name, known, now_s=now_s, browsed=browsed) is None
    )


def _plain(state: SourceState, *, now_s: float) -> dict[str, object]:
    return {
        "name": state.name,
        "state": _word(state, now_s=now_s),
        "requests_per_s": _requests_per_s(state),
        "failures": state.failures,
        "open_since": utc_text(state.opened_at),
        "last_block_at": utc_text(state.blocked_at),
        "last_block": state.block or None,
        "next_try_at": utc_text(next_try_s(state, now_s=now_s)),
    }


def _means(
    state: SourceState, equipped: "Mapping[Source, ListingSource]"
) -> dict[str, str | None]:
    """What a source lacks to be asked here, and what nobody knows of it."""
    is_source = "/" not in state.name
    adapter = _adapter_of(state, equipped) if is_source else None
    return {
        "lacks": (adapter.lacks or None) if adapter else None,
        "uncaptured": (adapter.uncaptured or None) if adapter else None,
    }


def _adapter_of(
    state: SourceState, equipped: "Mapping[Source, ListingSource]"
) -> "ListingSource | None":
    name = state.name.partition("/")[0]
    return next((it for source, it in equipped.items() if source.value == name), None)


def _standing(
    state: SourceState,
    equipped: "Mapping[Source, ListingSource]",
    *,
    named: Sequence[Source],
) -> Standing:
    adapter = _adapter_of(state, equipped)
    is_named = not named or (adapter is not None and adapter.source in named)
    return standing_of(adapter, is_named=is_named)


def _plain_standing(state: SourceState, standing: Standing) -> dict[str, object]:
    why_not = "it is switched off" if state.disabled else standing.why_not
    return {"asked": not why_not, "why_not": why_not or None}


def _notes(
    state: SourceState,
    equipped: "Mapping[Source, ListingSource]",
    *,
    standing: Standing,
) -> Iterator[str]:
    """Yield what is to be known of a source that the table has no room for."""
    adapter = _adapter_of(state, equipped)
    if adapter is None or "/" in state.name:
        return
    if standing.told:
        yield standing.told
    if adapter.uncaptured and standing.is_asked:
        yield adapter.uncaptured


def _requests_per_s(state: SourceState) -> float | None:
    from phx_pipeline.sources.registry import available_sources, paces_of

    rules = rules_for(state.name, paces=paces_of(available_sources()))
    period = period_s(state, rules=rules.pacing)
    return round(1 / period, 3) if period else None


def _word(state: SourceState, *, now_s: float) -> str:
    """The state for programs: that of the circuit, in the words of circuits."""
    if state.disabled:
        return "disabled"
    if state.open_until is None and now_s < state.not_before:
        return "waiting"  # as its Retry-After wished
    return phase(state, now_s=now_s).value


def _told(state: SourceState, *, now_s: float) -> str:
    """The state for people."""
    if state.disabled:
        return f"switched off (`phx sources enable {state.name}`)"
    next_s = next_try_s(state, now_s=now_s)
    until = end_of_rest(next_s, now_s=now_s) if next_s is not None else ""
    match phase(state, now_s=now_s):
        case Phase.OPEN if was_refused(state):
            return f"stopped until {until}, it refused us"
        case Phase.OPEN:
            return f"resting until {until}"
        case Phase.HALF_OPEN:
            return "trying again, one request at a time"
        case Phase.CLOSED:
            return f"waiting until {until}, as it asked" if until else _READY


def _rate(state: SourceState) -> str:
    group, _, client = state.name.rpartition("/")
    if client == ClientName.BROWSER:
        return f"paced as {group}"
    rate = _requests_per_s(state)
    return f"{rate:g} per s" if rate else "not paced"


def _table(
    states: Sequence[SourceState],
    *,
    now_s: float,
    browsed: Container[str],
    standings: Mapping[str, Standing],
) -> Table:
    table = Table("source", "state", "requests")
    if any(state.blocked_at for state in states):
        table.add_column("last refusal")
    for state in states:
        refusal = (zoned_text(state.blocked_at), state.block)
        instead = "; the browser is asked instead" if state.name in browsed else ""
        told = _told(state, now_s=now_s)
        standing = standings[state.name]
        is_told = not standing.is_asked or told == _READY
        if standing.word and is_told and not state.disabled:
            told = standing.word
        cells = (f"{told}{instead}", _rate(state), " ".join(filter(None, refusal)))
        table.add_row(state.name, *cells[: len(table.columns) - 1])
    return table
