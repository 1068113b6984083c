"""`phx categorize models` and `forget`: what was learnt, and going back."""

import json
from typing import TYPE_CHECKING, Any

import click
from rich.table import Table

from phx_pipeline.cli.console import console, print_table
from phx_pipeline.cli.options import json_option
from phx_pipeline.cli.session import opened_catalog
from phx_pipeline.cli.times import phoenix_text

if TYPE_CHECKING:
    from phx_pipeline.catalog.trained import TrainedRow


@click.command()
@json_option
def models(*, as_json: bool) -> None:
    """List what was learnt from reviews, the newest first.

    \b
    Examples:
      phx categorize models
      phx categorize models --json
    """
    from phx_pipeline.stages.trained_models import model_in_use

    with opened_catalog() as catalog:
        rows = catalog.trained.all()
        used = model_in_use(catalog)
    in_use = used.row.id if used else None
    if as_json:
        click.echo(json.dumps([_plain(it, in_use) for it in rows], indent=2))
        return
    if not rows:
        console.print("nothing was learnt so far: `phx categorize train` does that")
        return
    table = Table("model", "when", "who", "state", "heads")
    for it in rows:
        when = phoenix_text(it.at)
        state = ": ".join(filter(None, _state(it, in_use)))
        table.add_row(it.id, when, it.who, state, ", ".join(_heads(it)))
    print_table(table)


@click.command()
@click.argument("model", metavar="ID")
def forget(model: str) -> None:
    """Take a trained model out of use; the one before it counts again.

    ID is what `phx categorize models` shows, or its start of four digits or more.

    \b
    Example:
      phx categorize forget 3fa4c19be0d2a871
    """
    from phx_pipeline.stages.trained_models import forget as take_out
    from phx_pipeline.wiring.clock import utc_now

    with opened_catalog() as catalog:
        now = take_out(catalog, model, at=utc_now())
    told = f"{now.row.id} counts again" if now else "nothing that was learnt is used"
    console.print(
        f"{told}; `phx categorize run --all` names the pictures by it", soft_wrap=True
    )


def _plain(row: "TrainedRow", in_use: str | None) -> dict[str, Any]:
    state, why = _state(row, in_use)
    return {
        "id": row.id,
        "at": row.at.isoformat(),
        "who": row.who,
        "state": state,
        "why": why,
        "report": dict(row.report),
    }


def _state(row: "TrainedRow", in_use: str | None) -> tuple[str, str]:
    """Return the state, and why it is that where there is something to tell."""
    from phx_pipeline.stages.trained_models import fault_of

    if row.id == in_use:
        return "in use", ""
    if row.retired is not None:
        return "forgotten", ""
    state, why = fault_of(row)
    return state or ("replaced" if row.accepted else "refused"), why


def _heads(row: "TrainedRow") -> list[str]:
    found = row.report.get("heads", [])
    return [it["subject"] for it in found if it.get("taken")]
