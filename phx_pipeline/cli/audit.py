"""`phx audit`: who did what."""

import json
from collections.abc import Sequence
from datetime import date, datetime, timedelta

import click
from rich.table import Table

from phx_pipeline.cli.console import console, print_table
from phx_pipeline.cli.options import DAY_OR_DAYS, FILLED, json_option
from phx_pipeline.cli.session import opened_catalog
from phx_pipeline.cli.times import phoenix_text
from phx_pipeline.model.access import AuditEntry
from phx_pipeline.model.counted import counted
from phx_pipeline.model.moments import day_start


@click.command()
@click.option("--user", type=FILLED, metavar="NAME", help="Only what this user did.")
@click.option(
    "--action",
    type=FILLED,
    metavar="ACTION",
    help="Only this action, as job.submit, or a kind of them, as job.",
)
@click.option(
    "--since",
    type=DAY_OR_DAYS,
    metavar="DAY",
    help="Only since this day, or so many days back, as 7d.",
)
@click.option(
    "--limit",
    type=click.IntRange(1, 10_000),
    default=50,
    show_default=True,
    metavar="COUNT",
    help="Show at most so many, 1 to 10,000.",
)
@click.option(
    "--before",
    type=click.IntRange(1),
    metavar="ID",
    help="Go on behind this one: the last id of the page before.",
)
@json_option
def audit(
    *,
    user: str | None,
    action: str | None,
    since: "date | timedelta | None",
    limit: int,
    before: int | None,
    as_json: bool,
) -> None:
    """Show who did what, the newest first.

    \b
    Examples:
      phx audit --since 7d
      phx audit --user ana --action job --json
      phx audit --action login.refused --limit 500
    """
    from phx_pipeline.wiring import utc_now

    begin = utc_now() - since if isinstance(since, timedelta) else None
    if isinstance(since, date):
        begin = day_start(since)
    with opened_catalog() as catalog:
        found = catalog.audit.entries(
            limit=limit, before_id=before, user=user, action=action, since=begin
        )
    if as_json:
        click.echo(json.dumps(list(map(_plain, found)), indent=2))
        return
    if not found:
        console.print("nothing was noted")
        return
    print_table(_table(found))
    more = f"; older ones: --before {found[-1].id}" if len(found) == limit else ""
    console.print(f"{counted(len(found), 'entry')}{more}", soft_wrap=True)


def _plain(entry: AuditEntry) -> dict[str, object]:
    return {
        "id": entry.id,
        "at": _text(entry.at),
        "user": entry.user,
        "action": entry.action,
        "target": entry.target,
        "detail": entry.detail,
        "address": entry.address,
    }


def _text(at: datetime) -> str:
    return at.isoformat(timespec="seconds")


def _table(found: Sequence[AuditEntry]) -> Table:
    table = Table("id", "when", "user", "action", "target", "detail", "from")
    for it in found:
        when = phoenix_text(_text(it.at))
        texts = (it.user, it.action, it.target, it.detail, it.address)
        table.add_row(str(it.id), when, *texts)
    return table
