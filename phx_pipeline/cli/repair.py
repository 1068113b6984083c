"""`phx repair`: make right what `phx verify` names."""

import asyncio
import json
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from phx_pipeline.cli.console import console, few_warnings, followed
from phx_pipeline.cli.failures import tell_failure
from phx_pipeline.cli.main import Exit
from phx_pipeline.cli.options import FILLED, json_option
from phx_pipeline.cli.session import opened
from phx_pipeline.errors import CatalogError
from phx_pipeline.model.counted import counted
from phx_pipeline.model.no_way import OFFLINE

if TYPE_CHECKING:
    from phx_pipeline.stages.context import StageContext
    from phx_pipeline.workflows.repair import Repaired


@click.command()
@click.argument("house", required=False, type=FILLED)
@click.option(
    "--deep",
    is_flag=True,
    help="Also mend rows that differ from what the originals say, which `phx "
    "verify --deep` names.",
)
@json_option
@click.pass_context
def repair(ctx: click.Context, house: str | None, *, deep: bool, as_json: bool) -> None:
    """Make right what `phx verify` names, of one house or all.

    HOUSE is the key, the folder or the address of a house, or the URL of its listing.
    Without it all houses are repaired.

    Files and decisions are made again from what is stored; only an original that is
    nowhere on the disk is downloaded again, its photo alone. Each problem gets a line:
    done, waits or left, and how. Without damage nothing is asked and nothing is
    written. You may repeat it, interrupt it, and run it beside runs.

    \b
    Examples:
      phx repair
      phx repair 686067a4

    Exit codes: 0 all is well now, 1 something cannot be healed, 3 something must wait.
    """
    from phx_pipeline.workflows.intake import find_property
    from phx_pipeline.workflows.repair import (
        left_to_people,
        repair_views,
        sweep_leftovers,
    )
    from phx_pipeline.workflows.verify import verify_database

    with opened() as context:
        if broken := verify_database(context):
            raise CatalogError(
                f"the database is damaged ({broken[0].text}) and nothing was changed: "
                "restore its file from a backup, then repair again"
            )
        one = find_property(context, house).slug if house else None
        slugs = [one] if one else context.catalog.slugs()
        were_stale = context.catalog.views.is_stale()
        with few_warnings():
            done, failed = _each(context, slugs, deep=deep, quiet=as_json)
        done += [] if one else left_to_people(context)
        swept = sweep_leftovers(context)
        done += repair_views(context, were_stale=were_stale)
    _tell(done, houses=len(slugs), swept=swept, as_json=as_json)
    ctx.exit(_code(done, failed=failed))


def _each(
    context: "StageContext", slugs: Sequence[str], *, deep: bool, quiet: bool
) -> tuple[list["Repaired"], int]:
    from phx_pipeline.workflows.repair import repair as repair_property

    done: list[Repaired] = []
    failed = 0
    for slug in followed(slugs, "repairing", hidden=quiet):
        try:
            done += asyncio.run(repair_property(context, slug, deep=deep))
        except Exception as error:  # noqa: BLE001 - the next house is to be had
            if context.catalog.property(slug) is None:  # removed meanwhile
                continue
            failed += 1
            tell_failure(slug, error)
    return done, failed


def _tell(
    done: Sequence["Repaired"], *, houses: int, swept: int, as_json: bool
) -> None:
    if as_json:
        rows = [
            {
                "rule": it.problem.rule.value,
                "problem": it.problem.text,
                "end": it.end.value,
                "told": it.told,
            }
            for it in done
        ]
        found = {"properties": houses, "leftovers": swept, "problems": rows}
        click.echo(json.dumps(found, indent=2))
        return
    from phx_pipeline.workflows.repair import NO_NETWORK

    for it in done:
        line = f"{it.end.value}: {it.problem.rule.value}: {it.problem.text}: {it.told}"
        console.print(line, soft_wrap=True)
    if swept:
        console.print(
            f"done: {counted(swept, 'temporary file')} of killed processes removed"
        )
    if any(it.told == NO_NETWORK for it in done):
        console.print(OFFLINE, soft_wrap=True)
    ends = Counter(it.end.value for it in done)
    told = ", ".join(f"{count} {end}" for end, count in ends.items())
    console.print(f"{counted(houses, 'property')}: {told or 'nothing to repair'}")


def _code(done: Sequence["Repaired"], *, failed: int) -> Exit:
    from phx_pipeline.workflows.repair import End

    ends = {it.end for it in done}
    if failed or End.LEFT in ends:
        return Exit.ERROR
    return Exit.PARTIAL if End.WAITS in ends else Exit.COMPLETE
