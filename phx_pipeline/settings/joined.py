"""All settings, joined from their rooms. What one means is told in its room."""

import os
from dataclasses import dataclass, fields, replace
from typing import Any

from phx_pipeline.errors import InputError
from phx_pipeline.model.nearest import did_you_mean
from phx_pipeline.settings.browser import Browser, read_browser
from phx_pipeline.settings.daily import Daily, read_daily
from phx_pipeline.settings.fetching import Fetching, read_fetching
from phx_pipeline.settings.jobs import Jobs, read_jobs
from phx_pipeline.settings.notify import Notify, read_notify
from phx_pipeline.settings.pictures import Pictures, read_pictures
from phx_pipeline.settings.processes import Processes, read_processes
from phx_pipeline.settings.service import Service, read_service
from phx_pipeline.settings.sources import Sources, read_sources
from phx_pipeline.settings.storage import Storage, home_for, read_storage
from phx_pipeline.settings.variables import PREFIX, Environment, variable_of

_ROOMS = (
    read_storage,
    read_sources,
    read_fetching,
    read_browser,
    read_pictures,
    read_daily,
    read_jobs,
    read_service,
    read_notify,
    read_processes,
)


# Python lists the fields of the last base first.
@dataclass(frozen=True, kw_only=True)
class Settings(
    Processes,
    Notify,
    Service,
    Jobs,
    Daily,
    Pictures,
    Browser,
    Fetching,
    Sources,
    Storage,
):
    """All settings. Times in seconds, sizes in pixels; paths absolute.

    Each field `name` is read from `PHX_NAME` (but Dagster's own `DAGSTER_HOME`);
    `docs/operations.md` tells what each does.
    """


def load_settings(environ: Environment | None = None) -> Settings:
    """Read the settings; `InputError` names a variable that cannot be used."""
    given = os.environ if environ is None else environ
    _refuse_unknown(given)
    read: dict[str, Any] = {}
    for room in _ROOMS:
        read |= vars(room(given))
    return Settings(**read)


def setting_names() -> list[str]:
    """All environment variables that are read, sorted."""
    return sorted(variable_of(field.name) for field in fields(Settings))


def stored_in(
    settings: Settings, *, catalog_url: str | None, dagster_pg_url: str | None
) -> Settings:
    """Return *settings* with other databases, and the Dagster home that fits them."""
    home = home_for(str(settings.dagster_home), on_postgres=bool(dagster_pg_url))
    return replace(
        settings,
        catalog_url=catalog_url,
        dagster_pg_url=dagster_pg_url,
        dagster_home=home,
    )


def _refuse_unknown(given: Environment) -> None:
    known = setting_names()
    ours = {name for name in given if name.startswith(PREFIX)}
    if unknown := sorted(ours - set(known)):
        near = {name: did_you_mean(name, known) for name in unknown}
        told = ", ".join(f"{name}{meant}" for name, meant in near.items())
        all_ = "" if all(near.values()) else f": the settings are {', '.join(known)}"
        raise InputError(f"unknown setting {told}{all_}")
