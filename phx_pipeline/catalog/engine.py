"""Opening the catalogue's database: drivers, pragmas, transactions."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from phx_pipeline.errors import CatalogDownError

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
        # Pooled connections do not outlive the server: each is tried before use.
        engine = sa.create_engine(url, pool_pre_ping=True, pool_size=2, max_overflow=8)
        sa.event.listen(engine, "connect", _prepare_postgres)
        return engine
    file = sa.make_url(url).database
    if file:
        Path(file).parent.mkdir(parents=True, exist_ok=True)
    engine = sa.create_engine(url, connect_args={"timeout": 30})
    sa.event.listen(engine, "connect", _prepare_sqlite)
    sa.event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_postgres(connection: Any, _record: Any) -> None:
    # A process that is frozen, or whose host vanished, in the midst of a transaction
    # would keep its row locks, and no lease of those rows could be taken over.
    with connection.cursor() as cursor:
        cursor.execute("SET idle_in_transaction_session_timeout = '60s'")
    connection.commit()


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
    with answering(engine), writer.connect() as connection, connection.begin():
        yield connection


@contextmanager
def reading(engine: sa.Engine) -> Iterator[sa.Connection]:
    """One read transaction: all its queries see the same moment."""
    if engine.dialect.name == "postgresql":  # each query sees its own by default
        engine = engine.execution_options(isolation_level="REPEATABLE READ")
    with answering(engine), engine.connect() as connection, connection.begin():
        yield connection


@contextmanager
def answering(engine: sa.Engine) -> Iterator[None]:
    """Tell a PostgreSQL server that is away or going away in one line.

    SQLite uses the same errors for faulty statements: they stay as they are.

    Raises:
        CatalogDownError: the connection failed, or broke in the body.
    """
    try:
        yield
    except sa.exc.DBAPIError as error:
        passing = isinstance(error, (sa.exc.OperationalError, sa.exc.InterfaceError))
        if engine.dialect.name != "postgresql" or not (
            passing or error.connection_invalidated
        ):
            raise
        reason = " ".join(str(error.orig).split())  # without statement and values
        name = engine.url.database
        raise CatalogDownError(f"the database {name} failed: {reason}") from error
