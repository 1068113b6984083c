"""`phx keys`: who may use the service, and how much."""

import json
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

import click
from rich.table import Table

from phx_pipeline.cli.console import console, errors, print_table
from phx_pipeline.cli.nearest import NearestGroup
from phx_pipeline.cli.options import DAY_OR_SPAN_AHEAD, OneOf, json_option
from phx_pipeline.cli.session import opened_catalog
from phx_pipeline.cli.times import phoenix_minute, phoenix_text
from phx_pipeline.errors import InputError
from phx_pipeline.model.access import (
    ApiKey,
    Role,
    digest_of,
    is_of_the_service,
    key_id_of,
    new_key,
)
from phx_pipeline.model.counted import counted
from phx_pipeline.model.iso_times import iso
from phx_pipeline.model.moments import day_start
from phx_pipeline.settings import load_settings

if TYPE_CHECKING:
    from phx_pipeline.catalog.store import Catalog

_ROLES = [role.word for role in Role]
_LONGEST_NAME = 64
_DAY = len("2026-01-15")


@click.group(cls=NearestGroup)
def keys() -> None:
    """Show, make and revoke the keys of the service.

    As long as there is no key, `phx up` serves the one user of this computer without a
    login. From the first key on everybody needs one.
    """


@keys.command()
@click.argument("name")
@click.option(
    "--role",
    type=OneOf(_ROLES),
    required=True,
    metavar="ROLE",
    help=f"What the key allows: {', '.join(_ROLES[:-1])} or {_ROLES[-1]}.",
)
@click.option(
    "--expires",
    type=DAY_OR_SPAN_AHEAD,
    metavar="DAY",
    show_default="never",
    help="The day it ends, or in how many days or hours, as 90d or 2h.",
)
@json_option
def add(
    *, name: str, role: str, expires: "date | timedelta | None", as_json: bool
) -> None:
    """Make a key for NAME, and print it once.

    NAME is who it is for: jobs, runs and the audit trail tell it. One name may have
    several keys. A reader may look at everything; an operator may also submit, cancel
    and retry jobs, add houses and launch runs; an admin may do all. Only a digest of
    the key is stored: who loses it gets another one.

    \b
    Examples:
      phx keys add ana --role operator --expires 90d
      phx keys add dashboard --role reader --json
    """
    from phx_pipeline.wiring.clock import utc_now

    settings, at = load_settings(), utc_now()
    _require_name(name)
    with opened_catalog(settings) as catalog:
        text, key = _added(
            catalog, name.strip(), Role.of(role), at=at, expires_at=_end(expires, at=at)
        )
        catalog.audit.note(
            user=settings.user, action="key.add", target=key.name, detail=key.id, at=at
        )
    if as_json:
        click.echo(json.dumps({**_plain(key, at=at), "key": text}, indent=2))
        return
    click.echo(text)
    end = phoenix_text(key.expires_at)
    until = f" until {end}" if end else ""
    errors.print(
        f"This is the key of {key.name}, {role}{until}; it is not shown again.",
        soft_wrap=True,
    )


@keys.command("list")
@json_option
def list_(*, as_json: bool) -> None:
    """List all keys, revoked and expired ones too; their text is stored nowhere.

    \b
    Examples:
      phx keys list
      phx keys list --json
    """
    from phx_pipeline.wiring.clock import utc_now

    at = utc_now()
    with opened_catalog() as catalog:
        found = catalog.access.all_keys()
    if as_json:
        click.echo(json.dumps([_plain(key, at=at) for key in found], indent=2))
        return
    if not found:
        console.print("no keys yet: the one user of this computer needs none")
        return
    print_table(_table(found, at=at))
    for key in found:
        if key.is_valid(at=at) and is_of_the_service(key.name):
            console.print(
                f"{key.id} has a name of the service itself, so who shows it sees and "
                f"ends jobs that are not his: make another key, and revoke {key.id}",
                soft_wrap=True,
            )


@keys.command()
@click.argument("key", metavar="KEY")
def revoke(key: str) -> None:
    """Revoke a key: within seconds it opens nothing any more.

    KEY is the id that `phx keys list` shows, or a name for all keys of that name.
    Whoever is logged in with it is out too.

    \b
    Examples:
      phx keys revoke 1a2b3c4d
      phx keys revoke ana
    """
    from phx_pipeline.wiring.clock import utc_now

    settings, at = load_settings(), utc_now()
    with opened_catalog(settings) as catalog:
        gone = catalog.access.revoke(key.strip(), at=at)
        for one in gone:
            catalog.audit.note(
                user=settings.user,
                action="key.revoke",
                target=one.name,
                detail=one.id,
                at=at,
            )
        left = [it for it in catalog.access.all_keys() if it.revoked_at is None]
    if not gone:
        console.print(f"{key.strip()}: revoked already", soft_wrap=True)
        return
    console.print(f"{counted(len(gone), 'key')} of {gone[0].name} revoked")
    if not left:
        console.print(
            "There is no key any more: on 127.0.0.1 nobody has to log in, and beyond "
            "it nobody can.",
            soft_wrap=True,
        )


def _added(
    catalog: "Catalog",
    name: str,
    role: Role,
    *,
    at: datetime,
    expires_at: datetime | None,
) -> tuple[str, ApiKey]:
    while True:
        text = new_key()
        digest = digest_of(text)
        key = ApiKey(
            id=key_id_of(digest),
            name=name,
            role=role,
            digest=digest,
            created_at=at,
            expires_at=expires_at,
        )
        if catalog.access.add(key):
            return text, key


def _require_name(name: str) -> None:
    is_short = 0 < len(name.strip()) <= _LONGEST_NAME
    if not (is_short and name.isprintable()):
        raise InputError(
            f"{name[:_LONGEST_NAME]!r}: give a name of at most {_LONGEST_NAME} "
            "printable characters"
        )
    if is_of_the_service(name):
        raise InputError(
            f"{name}: the service itself has this name, for jobs that no person asked "
            "for or that nobody is known for: give another one"
        )


def _end(given: "date | timedelta | None", *, at: datetime) -> datetime | None:
    if given is None:
        return None
    end = at + given if isinstance(given, timedelta) else day_start(given)
    if end <= at:
        raise InputError(f"--expires {given}: give a day that is still to come")
    return end


def _plain(key: ApiKey, *, at: datetime) -> dict[str, object]:
    return {
        "id": key.id,
        "name": key.name,
        "role": key.role.word,
        "state": _state(key, at=at),
        "created_at": key.created_at.isoformat(timespec="seconds"),
        "expires_at": iso(key.expires_at),
        "revoked_at": iso(key.revoked_at),
    }


def _state(key: ApiKey, *, at: datetime) -> str:
    if key.is_valid(at=at):
        return "valid"
    return "revoked" if key.revoked_at else "expired"


def _table(found: Sequence[ApiKey], *, at: datetime) -> Table:
    table = Table("id", "name", "role", "state", "made", "expires")
    for key in found:
        made = phoenix_text(key.created_at)[:_DAY]
        told = (_state(key, at=at), made, phoenix_minute(key.expires_at))
        table.add_row(key.id, key.name, key.role.word, *told)
    return table
