"""Where the catalogue, the pictures and Dagster's stores lie."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from phx_pipeline.errors import InputError
from phx_pipeline.model.database_url import for_dagster, is_database, is_relative
from phx_pipeline.settings.variables import (
    Environment,
    path,
    quoted,
    require_no_file,
    resolved,
)

_PROJECT = Path(__file__).resolve().parent.parent.parent  # where dagster.yaml lies
ON_POSTGRES: Final = _PROJECT / "deploy" / "postgres"  # for PHX_DAGSTER_PG_URL


@dataclass(frozen=True, kw_only=True, repr=False, eq=False)
class Storage:
    """Folders and databases; paths are absolute."""

    data_dir: Path
    dagster_home: Path
    dagster_dir: Path
    catalog_url: str | None = field(repr=False)  # these two may hold a password
    dagster_pg_url: str | None = field(repr=False)


def read_storage(given: Environment) -> Storage:
    """Read where the stores lie; no folder is made."""
    data_dir = path(given, "DATA_DIR") or resolved("data", "PHX_DATA_DIR")
    require_place(data_dir, "PHX_DATA_DIR")
    if dagster_dir := path(given, "DAGSTER_DIR"):
        require_place(dagster_dir, "PHX_DAGSTER_DIR")
    dagster_pg_url = _dagster_database(given)
    return Storage(
        data_dir=data_dir,
        dagster_home=home_for(
            given.get("DAGSTER_HOME"), on_postgres=bool(dagster_pg_url)
        ),
        dagster_dir=dagster_dir or data_dir / "dagster",
        catalog_url=_database(given),
        dagster_pg_url=dagster_pg_url,
    )


def require_place(folder: Path, name: str) -> None:
    """Raise `InputError` if no store can lie in *folder*, which *name* has given.

    Where a file has that name none can. A database is named by a URL: what follows a
    question mark is not of its path, and another file would be used.
    """
    if "?" in str(folder):
        raise InputError(
            f"{name}: {quoted(str(folder))} has a question mark in its path, which "
            "databases cannot have: choose another folder"
        )
    require_no_file(folder, name)


def home_for(named: str | None, *, on_postgres: bool) -> Path:
    """The folder of `dagster.yaml`: as *named*, or ours that fits the database."""
    # `phx env` exports the home too. If one of ours is named, it may stem from before
    # PHX_DAGSTER_PG_URL was set or unset, and would quietly lead to the other store.
    home = resolved(named, "DAGSTER_HOME") if named else _PROJECT
    require_no_file(home, "DAGSTER_HOME")
    if home in {_PROJECT, ON_POSTGRES}:
        return ON_POSTGRES if on_postgres else _PROJECT
    return home


# A URL that cannot be used stays untold: it may hold a password.


def _database(given: Environment) -> str | None:
    url = given.get("PHX_CATALOG_URL")
    if not url:
        return None
    if not is_database(url):
        raise InputError(
            "PHX_CATALOG_URL: give a URL such as postgresql://USER@HOST:PORT/NAME "
            "or sqlite:////folder/phx.db; in a password write @ as %40, / as %2F"
        )
    if is_relative(url):
        file = url.removeprefix("sqlite:///")
        url = f"sqlite:///{resolved(file, 'PHX_CATALOG_URL')}"
    if url.startswith("sqlite:////"):
        file = url.removeprefix("sqlite:///").partition("?")[0]
        require_no_file(Path(file).parent, "PHX_CATALOG_URL")
    return url


def _dagster_database(given: Environment) -> str | None:
    """The URL as Dagster must find it in the environment."""
    url = given.get("PHX_DAGSTER_PG_URL")
    if not url:
        return None
    if (found := for_dagster(url)) is None:
        raise InputError(
            "PHX_DAGSTER_PG_URL: give a URL such as postgresql://USER@HOST:PORT/NAME; "
            "in a password write @ as %40, / as %2F"
        )
    rest = url.partition("://")[2]
    if (given.get("PHX_CATALOG_URL") or "").partition("://")[2] == rest:
        raise InputError(
            "PHX_DAGSTER_PG_URL: give Dagster a database of its own, "
            "not that of PHX_CATALOG_URL"
        )
    return found
