"""URLs of databases as people write them; what to say of wrong ones is settings's."""

from urllib.parse import urlsplit

_PSYCOPG2 = "postgresql+psycopg2"
_POSTGRES = {"postgresql", "postgres", _PSYCOPG2}
_SQLITE = "sqlite"
_IN_UTC = "options=-c%20timezone%3DUTC"


def is_database(url: str) -> bool:
    """Whether *url* names a database of SQLite or PostgreSQL."""
    scheme, _, rest = url.partition("://")
    return bool(rest) and scheme in {_SQLITE, *_POSTGRES} and _is_readable(url)


def is_relative(url: str) -> bool:
    """Whether *url* is an SQLite file that would follow the working directory."""
    file = url.removeprefix("sqlite:///")
    return file != url and not file.startswith(("/", ":memory:", "file:"))


def for_dagster(url: str) -> str | None:
    """Return a PostgreSQL URL with driver and time zone; None if *url* is none.

    Dagster stores the server's local time and reads it as UTC: on a server that lives
    in Phoenix every new run would be seven hours old, and be given up at once.
    """
    scheme, _, rest = url.partition("://")
    if scheme not in _POSTGRES or not _is_readable(url) or len(urlsplit(url).path) <= 1:
        return None
    if "options=" not in rest:
        rest += ("&" if "?" in rest else "?") + _IN_UTC
    return f"{_PSYCOPG2}://{rest}"


def _is_readable(url: str) -> bool:
    # A bare @ in a password would make its end part of the host, which errors name.
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - reading it is the check
    except ValueError:
        return False
    return parts.netloc.count("@") <= 1
