"""Opening the catalogue's database: drivers, pragmas, transactions."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa

_WRITES = "phx_writes"


def catalogue_url(configured: str | None, *, default_file: Path) -> str:
    """Return the SQLAlchemy URL: the configured one, or SQLite at *default_file*.

    A bare `postgresql://` gets the psycopg2 driver: SQLAlchemy 2.1 would look for
    psycopg 3, which Dagster's own storage does not install.
    """
    if not configured:
        return f"sqlite:///{default_file}"
    for prefix in ("postgresql://", "postgres://"):
        if configured.startswith(prefix):
            return "postgresql+psycopg2://" + configured.removeprefix(prefix)
    return configured


def open_engine(url: str) -> sa.Engine:
    """Open *url*; an SQLite file's folder is made when it is missing."""
    if not url.startswith("sqlite"):
        return sa.create_engine(url, pool_pre_ping=True, pool_size=2, max_overflow=8)
    file = sa.make_url(url).database
    if file:
        Path(file).parent.mkdir(parents=True, exist_ok=True)
    engine = sa.create_engine(url, connect_args={"timeout": 30})
    sa.event.listen(engine, "connect", _prepare_sqlite)
    sa.event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # the "begin" listener writes BEGIN itself
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute("PRAGMA busy_timeout=30000")
    cursor.close()


def _begin_sqlite(connection: sa.Connection) -> None:
    # A deferred transaction that reads before it writes can fail half-way with
    # "database is locked"; taking the write lock first waits its turn instead.
    writes = connection.get_execution_options().get(_WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def writing(engine: sa.Engine) -> Iterator[sa.Connection]:
    """One write transaction: all of it or nothing."""
    writer = engine.execution_options(**{_WRITES: True})
    with writer.connect() as connection, connection.begin():
        yield connection


@contextmanager
def reading(engine: sa.Engine) -> Iterator[sa.Connection]:
    """One read transaction: all its queries see the same moment."""
    if engine.dialect.name == "postgresql":  # each query sees its own by default
        engine = engine.execution_options(isolation_level="REPEATABLE READ")
    with engine.connect() as connection, connection.begin():
        yield connection
