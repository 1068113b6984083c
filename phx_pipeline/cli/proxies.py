"""`phx proxies`: which proxies are used, and which rest for which source."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import click
from rich.table import Table

from phx_pipeline.cli.console import console, errors, print_table
from phx_pipeline.cli.nearest import NearestGroup
from phx_pipeline.cli.options import json_option
from phx_pipeline.cli.session import opened_catalog
from phx_pipeline.cli.times import phoenix_text
from phx_pipeline.errors import InputError, ProxyError
from phx_pipeline.model.iso_times import iso_s
from phx_pipeline.model.proxy_health import ProxyHealth
from phx_pipeline.settings import Settings, load_settings

_DIRECT = (
    "no proxies: all is asked for directly (PHX_PROXY, PHX_PROXIES_FILE or "
    "PHX_WEBSHARE_TOKEN name some)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shown:
    """A proxy without its password, `used` if the settings name it now."""

    id: str
    place: str
    used: bool
    healths: tuple[ProxyHealth, ...]


@click.group(cls=NearestGroup, invoke_without_command=True)
@json_option
@click.pass_context
def proxies(ctx: click.Context, *, as_json: bool) -> None:
    """Show the proxies, and for which sources each one rests.

    Shown are those of the settings and those the catalogue remembers: id, host and
    port, and for each source with a failure whether the proxy rests, until when, and
    what happened last. An id stands for scheme, user, host and port; names and
    passwords are never shown.

    \b
    Examples:
      phx proxies
      phx proxies --json
      phx proxies reset 1a2b3c4d5e6f
    """
    if ctx.invoked_subcommand is not None:
        return
    settings = load_settings()
    with opened_catalog(settings) as catalog:
        now_s, healths = catalog.proxies.healths()
    rows = [_plain(proxy, now_s=now_s) for proxy in _shown(settings, healths)]
    if as_json:
        click.echo(json.dumps(rows, indent=2))
        return
    if not rows:
        console.print(_DIRECT, soft_wrap=True)
        return
    print_table(_table(rows))


@proxies.command()
@click.argument("proxy_id", metavar="ID")
def reset(proxy_id: str) -> None:
    """Let a proxy be used again at once, for every source.

    ID is the id that `phx proxies` shows.

    \b
    Example:
      phx proxies reset 1a2b3c4d5e6f
    """
    settings = load_settings()
    with opened_catalog(settings) as catalog:
        _, healths = catalog.proxies.healths()
        if proxy_id not in {proxy.id for proxy in _shown(settings, healths)}:
            raise InputError(f"unknown proxy {proxy_id!r}: see `phx proxies`")
        catalog.proxies.reset(proxy_id)
    console.print(f"{proxy_id}: reset")


def _shown(settings: Settings, healths: Sequence[ProxyHealth]) -> list[_Shown]:
    """Those the settings name, then those only the catalogue remembers."""
    used = _used(settings)
    places = {row.proxy_id: row.place for row in healths} | used
    return [
        _Shown(
            id=proxy_id,
            place=places[proxy_id],
            used=proxy_id in used,
            healths=tuple(row for row in healths if row.proxy_id == proxy_id),
        )
        for proxy_id in [*used, *sorted(set(places) - set(used))]
    ]


def _used(settings: Settings) -> dict[str, str]:
    from phx_pipeline.wiring.fetchers import proxy_list

    listing = proxy_list(settings)
    try:
        return {proxy.id: proxy.place for proxy in (listing() if listing else ())}
    except ProxyError as error:  # what is remembered can be shown all the same
        errors.print(f"phx: {error}")
        return {}


def _plain(proxy: _Shown, *, now_s: float) -> dict[str, Any]:
    return {
        "id": proxy.id,
        "place": proxy.place,
        "used": proxy.used,
        "sources": [_state(row, now_s=now_s) for row in proxy.healths],
    }


def _state(health: ProxyHealth, *, now_s: float) -> dict[str, object]:
    from phx_pipeline.fetch.proxies import CoolRules, resting_until

    until_s = resting_until(health, now_s=now_s, rules=CoolRules())
    return {
        "source": health.source.value,
        "state": "healthy" if until_s is None else "resting",
        "failures": health.failures,
        "rests_until": iso_s(until_s),
        "last_failure_at": iso_s(health.failed_at),
        "last_failure": health.fault or None,
    }


def _table(rows: Sequence[dict[str, Any]]) -> Table:
    table = Table("id", "proxy", "source", "state", "last failure")
    for row in rows:
        name = (str(row["id"]), str(row["place"]))
        fresh = {"source": "", "state": "healthy" if row["used"] else "not used now"}
        for state in row["sources"] or [fresh]:
            table.add_row(*name, state["source"], *_words(state))
    return table


def _words(state: dict[str, object]) -> tuple[str, str]:
    rest = phoenix_text(state.get("rests_until"))
    failure = (phoenix_text(state.get("last_failure_at")), state.get("last_failure"))
    return (
        f"resting until {rest}" if rest else str(state["state"]),
        " ".join(str(part) for part in failure if part),
    )
