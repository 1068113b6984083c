"""`phx audit`: who did what."""

import json
from collections.abc import Sequence
from datetime import date, datetime, timedelta

import click
from rich.table import Table

from phx_pipeline.cli.console import console, print_table
from phx_pipeline.cli.options import DAY_OR_SPAN, FILLED, json_option
from phx_pipeline.cli.session import opened_catalog
from phx_pipeline.cli.times import phoenix_minute
from phx_pipeline.errors import InputError
from phx_pipeline.model.access import ACTIONS, AuditEntry
from phx_pipeline.model.counted import counted
from phx_pipeline.model.moments import day_start
from phx_pipeline.model.name_list import names_of_line
from phx_pipeline.model.nearest import did_you_mean

_MOST_NAMED = 2
_LONGEST_ACTION = 40  # of a wrong one, as it is told


@click.command()
@click.option("--user", type=FILLED, metavar="NAME", help="Only what this user did.")
@click.option(
    "--action",
    type=FILLED,
    metavar="ACTION",
    help="Only this action, or a kind of them, as job: "
    f"{', '.join(ACTIONS[:-1])} or {ACTIONS[-1]}.",
)
@click.option(
    "--since",
    type=DAY_OR_SPAN,
    metavar="DAY",
    help="Only since this day, or so many days or hours back, as 7d or 12h.",
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
    from phx_pipeline.wiring.clock import utc_now

    _require_action(action)
    now = utc_now()
    begin = now - since if isinstance(since, timedelta) else None
    if isinstance(since, date):
        begin = day_start(since)
        if begin > now:
            raise InputError(f"--since {since} is to come: give today, or before")
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
    print_table(_table(found), lines=map(_line, found))
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


def _require_action(action: str | None) -> None:
    """Refuse an action that is none, and say which there are."""
    kinds = {name.partition(".")[0] for name in ACTIONS}
    if action is None or action in kinds or action in ACTIONS:
        return
    near = did_you_mean(action[:_LONGEST_ACTION], [*sorted(kinds), *ACTIONS])
    raise InputError(
        f"--action: there is no {action[:_LONGEST_ACTION]!r}{near}: choose from "
        f"{', '.join(ACTIONS)}, or a word before a dot"
    )


def _table(found: Sequence[AuditEntry]) -> Table:
    table = Table("id", "when", "user", "action", "target", "detail", "from")
    for it in found:
        texts = (it.user, it.action, _few(it.target), it.detail, it.address)
        table.add_row(str(it.id), phoenix_minute(it.at), *texts)
    return table


def _line(it: AuditEntry) -> str:
    """A row of the table where that is too wide."""
    when, who = phoenix_minute(it.at), it.user or "-"
    done = f"{it.id} {when} {who} {it.action} {_few(it.target)}"
    told = [done.rstrip(), it.detail, f"from {it.address}" if it.address else ""]
    return ", ".join(part for part in told if part)


def _few(target: str) -> str:
    """The first of many ids or keys; `--json` tells those that are kept."""
    named, more = names_of_line(target)
    if len(named) + more <= _MOST_NAMED:
        return target
    return f"{named[0]} and {len(named) + more - 1} more"
