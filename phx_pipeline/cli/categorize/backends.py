"""`phx categorize backends`: who says what pictures show."""

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click
from rich.table import Table

from phx_pipeline.cli.console import print_table
from phx_pipeline.cli.options import json_option
from phx_pipeline.cli.session import opened_catalog
from phx_pipeline.settings import load_settings

if TYPE_CHECKING:
    from phx_pipeline.categorize.registry import Backend, Equipment


@dataclass(frozen=True, slots=True, kw_only=True)
class _Standing:
    """A backend, whether runs ask it, and why not."""

    backend: "Backend"
    version: str | None
    is_asked: bool
    told: str


@click.command()
@json_option
def backends(*, as_json: bool) -> None:
    """Show who says what pictures show, what each needs and costs, and who is asked.

    What a backend has said of a picture is kept for its version, so the cost counts
    once. PHX_CATEGORIZERS chooses among them.

    \b
    Examples:
      phx categorize backends
      phx categorize backends --json
    """
    from phx_pipeline.categorize.registry import BACKENDS, chosen
    from phx_pipeline.wiring.backends import build_equipment

    settings = load_settings()
    wanted = {it.name for it in chosen(settings.categorizers)}
    with opened_catalog(settings) as catalog:
        equipment = build_equipment(settings, catalog)
        standings = [
            _standing(it, equipment, is_wanted=it.name in wanted) for it in BACKENDS
        ]
    if as_json:
        click.echo(json.dumps([_plain(it) for it in standings], indent=2))
    else:
        print_table(_table(standings))


def _standing(
    backend: "Backend", equipment: "Equipment", *, is_wanted: bool
) -> _Standing:
    if reason := backend.lacking():
        return _Standing(backend=backend, version=None, is_asked=False, told=reason)
    made = backend.build(equipment)
    told = "asked" if is_wanted else "left out of PHX_CATEGORIZERS"
    return _Standing(
        backend=backend, version=made.version, is_asked=is_wanted, told=told
    )


def _table(standings: list[_Standing]) -> Table:
    table = Table("backend", "knows", "needs", "CPU ms a picture", "version", "state")
    for it in standings:
        table.add_row(
            it.backend.name,
            ", ".join(sorted(it.backend.knows())),
            ", ".join(sorted(it.backend.needs)),
            f"{it.backend.cost.cpu_ms:g}",
            it.version or "",
            it.told,
        )
    return table


def _plain(it: _Standing) -> dict[str, object]:
    cost = it.backend.cost
    return {
        "backend": it.backend.name,
        "knows": sorted(it.backend.knows()),
        "needs": sorted(it.backend.needs),
        "cost": {"cpu_ms": cost.cpu_ms, "requests": cost.requests},
        "version": it.version,
        "asked": it.is_asked,
        "state": it.told,
    }
