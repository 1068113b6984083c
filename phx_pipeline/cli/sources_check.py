"""`phx sources check` and `replay`: does a source work from here, step by step."""

import asyncio
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from phx_pipeline.cli.console import console
from phx_pipeline.cli.folding import unbroken
from phx_pipeline.cli.main import Exit
from phx_pipeline.cli.options import FILLED, json_option
from phx_pipeline.cli.session import opened
from phx_pipeline.errors import InputError
from phx_pipeline.model.nearest import did_you_mean
from phx_pipeline.settings import load_settings

if TYPE_CHECKING:
    from phx_pipeline.model.property import Property
    from phx_pipeline.sources.base import ListingSource
    from phx_pipeline.stages.check_steps import Step
    from phx_pipeline.stages.context import StageContext
    from phx_pipeline.stages.source_check import Checked


@click.command()
@click.argument("name", required=False, type=FILLED)
@click.option(
    "--house",
    type=FILLED,
    metavar="HOUSE",
    help="Ask for this house: its key, folder, address or URL; by default the one that "
    "was asked for longest ago.",
)
@json_option
@click.pass_context
def check(
    ctx: click.Context, *, name: str | None, house: str | None, as_json: bool
) -> None:
    """Ask a source once for one house, and tell each step.

    NAME is a source; without it all that can be asked are, one after the other. They
    are asked as runs ask them, so one that rests, is switched off or lacks something is
    not, and told why. Nothing is written into the catalogue, and no photo is kept: one
    is asked for, to see that a picture comes.

    What the source answered is kept in a bundle, without persons and tokens, for `phx
    sources replay`. Ends with 0 if no step failed, with 3 if that is so of some sources
    only, and with 4 if it is so of none.

    \b
    Examples:
      phx sources check
      phx sources check redfin
      phx sources check zillow --house "4732 W Davis Rd, Glendale, AZ 85306"
    """
    settings = load_settings()
    with opened(settings) as context:
        sources = _named(context, name)
        asked_for = _house(context, house)
        found = []
        for source in sources:
            checked = _check(
                context, source, asked_for, credentials=tuple(settings.secrets)
            )
            found.append(checked)
            if not as_json:
                _print(checked)
    if as_json:
        click.echo(json.dumps([_plain(it) for it in found], indent=2))
    ctx.exit(_code(found, is_named=name is not None))


@click.command()
@click.argument("bundle", type=click.Path(path_type=Path))
@json_option
@click.pass_context
def replay(ctx: click.Context, *, bundle: Path, as_json: bool) -> None:
    """Read the bundle of a check anew, and tell its steps.

    No source is asked and no data folder is needed: the bundle may be of another
    computer. Names and certificates are told as they were then; what the pages say is
    read by the readers of this version. The codes are those of `phx sources check`.

    \b
    Example:
      phx sources replay data/checks/redfin/20260309T120000000000Z_0123456789ab.zip
    """
    from phx_pipeline.stages.source_check import read_bundle
    from phx_pipeline.stages.source_check import replay as replay_bundle

    checked = asyncio.run(replay_bundle(read_bundle(bundle)))
    if as_json:
        click.echo(json.dumps(_plain(checked), indent=2))
    else:
        _print(checked)
    ctx.exit(_code([checked], is_named=True))


def _named(context: "StageContext", name: str | None) -> "list[ListingSource]":
    from phx_pipeline.model.source import in_order

    known = context.registered
    if name is None:
        return [context.sources[it] for it in in_order(context.sources)]
    found = next((it for it in known if it.value == name), None)
    if found is None:
        raise InputError(_unknown(name, among=[it.value for it in in_order(known)]))
    return [known[found]]


def _unknown(name: str, *, among: Sequence[str]) -> str:
    """Say that a name is no source's; all that has a digit is meant for a house."""
    if any(char.isdigit() for char in name):
        return f"{name!r} is no source: a house goes behind --house"
    return (
        f"unknown source {name!r}{did_you_mean(name, among)}: choose from "
        f"{', '.join(among)}"
    )


def _house(context: "StageContext", house: str | None) -> "Property":
    from phx_pipeline.stages.source_check import house_to_check
    from phx_pipeline.workflows.intake import find_property

    return find_property(context, house) if house else house_to_check(context)


def _check(
    context: "StageContext",
    source: "ListingSource",
    house: "Property",
    *,
    credentials: Sequence[str],
) -> "Checked":
    from phx_pipeline.stages.source_check import check as check_source

    return asyncio.run(check_source(context, source, house, credentials=credentials))


def _code(found: "Iterable[Checked]", *, is_named: bool) -> Exit:
    """Return how the checks ended; sources that are not to be asked count if named."""
    counted = [it for it in found if is_named or it.was_asked]
    fine = [it for it in counted if it.is_fine]
    if not fine:
        return Exit.NOTHING
    return Exit.COMPLETE if len(fine) == len(counted) else Exit.PARTIAL


def _print(checked: "Checked") -> None:
    console.print(
        f"{checked.source.value}, asked for {checked.house.slug}", soft_wrap=True
    )
    for step in checked.steps:
        console.print(f"  {_line(step)}", soft_wrap=True)
    if checked.bundle is not None:
        told = f"  kept: {checked.bundle} (`phx sources replay` reads it again)"
        console.print(unbroken(told), soft_wrap=True)


def _line(step: "Step") -> str:
    remedy = f"; {step.remedy}" if step.remedy else ""
    return f"{step.state:<7} {step.name:<9} {step.told}{remedy}"


def _plain(checked: "Checked") -> dict[str, object]:
    return {
        "source": checked.source.value,
        "house": checked.house.slug,
        "was_asked": checked.was_asked,
        "is_fine": checked.is_fine,
        "steps": [
            {
                "step": step.name,
                "state": step.state.value,
                "told": step.told,
                "remedy": step.remedy or None,
            }
            for step in checked.steps
        ],
        "bundle": str(checked.bundle) if checked.bundle else None,
    }
