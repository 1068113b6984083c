"""Opening the catalogue's database: drivers, pragmas, transactions."""

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from threading import Lock
from typing import Any
from weakref import WeakKeyDictionary

import sqlalchemy as sa

from phx_pipeline.catalog.complaints import explaining, primary_code
from phx_pipeline.catalog.statements import SHARED_STATEMENTS
from phx_pipeline.errors import CatalogUnusableError

_WRITES = "phx_writes"
_PATIENCE_S = 30.0  # for another process that writes
_USED = "phx_used"
_TRUSTED_S = 1.0  # a connection of a pool, since it was used
_REFUSED = frozenset(
    {sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM}
)
# There is no room for the `-shm` file, by which processes share a catalogue.
_NO_ROOM_TO_SHARE = frozenset(
    {
        sqlite3.SQLITE_IOERR_SHMSIZE,
        sqlite3.SQLITE_IOERR_SHMMAP,
        sqlite3.SQLITE_IOERR_SHMOPEN,
    }
)


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
    """Open *url* when it is first used; an SQLite file's folder must be there."""
    if not url.startswith("sqlite"):
        # Pooled connections are made when first needed, and a process of one thread
        # needs one.
        engine = sa.create_engine(
            url, pool_size=10, max_overflow=0, executemany_mode="values_plus_batch"
        )
        sa.event.listen(engine, "connect", _prepare_postgres)
        sa.event.listen(engine, "checkin", _note_use)
        sa.event.listen(engine, "checkout", _try_if_idle)
        return engine
    engine = sa.create_engine(
        url,
        connect_args={"timeout": _PATIENCE_S},
        execution_options=SHARED_STATEMENTS,
    )
    sa.event.listen(engine, "do_connect", _connect_sqlite)
    sa.event.listen(engine, "connect", _prepare_sqlite)
    sa.event.listen(engine, "begin", _begin_sqlite)
    sa.event.listen(engine, "checkin", _let_others_in)
    return engine


def file_of(engine: sa.Engine) -> Path | None:
    """The file of an SQLite database; None for a server's, or one in memory."""
    if engine.dialect.name != "sqlite" or engine.url.database in {None, "", ":memory:"}:
        return None
    return Path(str(engine.url.database))


def _prepare_postgres(connection: Any, _record: Any) -> None:
    # A process that is frozen, or whose host vanished, in the midst of a transaction
    # would keep its row locks, and no lease of those rows could be taken over.
    with connection.cursor() as cursor:
        cursor.execute("SET idle_in_transaction_session_timeout = '60s'")
    connection.commit()


def _note_use(_connection: Any, record: Any) -> None:
    record.info[_USED] = time.monotonic()


def _try_if_idle(connection: Any, record: Any, _proxy: Any) -> None:
    """Try a connection before use: it does not outlive the server.

    One that was used a moment ago is trusted. Trying each cost a fifth of all that was
    asked; no server is restarted in a moment.
    """
    used = record.info.get(_USED)
    if used is None or time.monotonic() - used < _TRUSTED_S:
        return
    try:
        connection.autocommit = True  # else it would begin a transaction
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        connection.autocommit = False
    except connection.Error as error:
        raise sa.exc.InvalidatePoolError("the server has closed it") from error


def _connect_sqlite(
    _dialect: Any, _record: Any, place: list[Any], options: dict[str, Any]
) -> sqlite3.Connection:
    connection: sqlite3.Connection = sqlite3.connect(*place, **options)
    try:
        connection.execute("PRAGMA journal_mode=WAL").close()
    except sqlite3.OperationalError as error:
        connection.close()
        if error.sqlite_errorcode in _NO_ROOM_TO_SHARE:
            return _alone(place, options)
        file = Path(place[0])
        if primary_code(error) not in _REFUSED or not _is_sealed(file):
            raise
        return _for_reading(file, options)
    return connection


class _Alone(sqlite3.Connection):
    """A connection that keeps all others out until it is closed."""


def _alone(place: list[Any], options: dict[str, Any]) -> sqlite3.Connection:
    """Open a file on a full disk: who shares it with nobody needs no file beside it.

    All can be read; what would be written is refused, as the disk is full.
    """
    connection: sqlite3.Connection = sqlite3.connect(
        *place, **(options | {"factory": _Alone})
    )
    try:
        connection.execute("PRAGMA locking_mode=EXCLUSIVE").close()
        connection.execute("PRAGMA journal_mode=WAL").close()
    except sqlite3.OperationalError:
        connection.close()
        raise
    return connection


def _let_others_in(connection: Any, record: Any) -> None:
    """Close a connection that keeps others out as soon as nobody uses it."""
    if isinstance(connection, _Alone):
        record.invalidate()


def _is_sealed(file: Path) -> bool:
    """Whether nothing can be written beside *file*, so that nobody here writes it."""
    return file.is_file() and not os.access(file.parent, os.W_OK, effective_ids=True)


def _for_reading(file: Path, options: dict[str, Any]) -> sqlite3.Connection:
    """Open a file on a disk that cannot be written, where WAL needs a file beside it.

    Without a `-wal` file nobody has it open for writing there, and all is in the file
    itself; with one, what it holds would be missed.
    """
    uri = f"{file.absolute().as_uri()}?mode=ro"
    wal = file.with_name(f"{file.name}-wal")
    if not wal.is_file() or not wal.stat().st_size:
        uri += "&immutable=1"
    connection: sqlite3.Connection = sqlite3.connect(uri, **(options | {"uri": True}))
    try:
        connection.execute("PRAGMA schema_version").close()
    except sqlite3.OperationalError as error:
        connection.close()
        if primary_code(error) not in _REFUSED or not wal.is_file():
            raise
        raise CatalogUnusableError(
            f"{file}: not all of it can be read on a disk that cannot be written: "
            f"newest rows are in {wal.name}; copy both to another folder, and name it "
            "by PHX_DATA_DIR"
        ) from error
    return connection


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # the "begin" listener writes BEGIN itself
    cursor = connection.cursor()
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _begin_sqlite(connection: sa.Connection) -> None:
    # A deferred transaction that reads before it writes can fail half-way with
    # "database is locked"; taking the write lock first waits its turn instead.
    writes = connection.get_execution_options().get(_WRITES, False)
    # By the driver: all that SQLAlchemy does around a statement takes longer than this.
    begin = "BEGIN IMMEDIATE" if writes else "BEGIN"
    connection.connection.cursor().execute(begin).close()


@contextmanager
def writing(engine: sa.Engine, *, by_turns: bool = False) -> Iterator[sa.Connection]:
    """One write transaction: all of it or nothing.

    The threads of a process that write to one SQLite file take turns: those that wait
    in SQLite look again at times that grow to a tenth of a second.

    Args:
        engine: what is written to.
        by_turns: also on a server, those of a process that say so take turns: whoever
            waits there for another one's lock keeps a connection that others need.
    """
    is_file = engine.dialect.name == "sqlite"
    with (
        _turn(engine) if is_file or by_turns else nullcontext(),
        answering(engine),
        engine.connect() as connection,
    ):
        # Not the engine's options: one with others is made anew each time, with all of
        # its listeners, which takes longer than the transaction.
        connection.execution_options(**{_WRITES: True})
        with connection.begin():
            yield connection


_TURNS: WeakKeyDictionary[sa.Pool, Lock] = WeakKeyDictionary()


@contextmanager
def _turn(engine: sa.Engine) -> Iterator[None]:
    turn = _TURNS.setdefault(engine.pool, Lock())
    # Not longer than SQLite waits: another process may have it locked.
    is_mine = turn.acquire(timeout=_PATIENCE_S)
    try:
        yield
    finally:
        if is_mine:
            turn.release()


@contextmanager
def reading(engine: sa.Engine) -> Iterator[sa.Connection]:
    """One read transaction: all its queries see the same moment."""
    with answering(engine), engine.connect() as connection:
        if engine.dialect.name == "postgresql":  # each query sees its own by default
            # Said when the transaction begins, as `writing` says its own.
            connection.execution_options(isolation_level="REPEATABLE READ")
        with connection.begin():
            yield connection


@contextmanager
def answering(engine: sa.Engine) -> Iterator[None]:
    """Tell in one sentence what the database refused in the body.

    Raises:
        CatalogDownError: the connection failed, or broke; or the file stayed locked.
        CatalogUnusableError: the file is damaged, read-only, or its disk full.
    """
    with explaining(file_of(engine) or engine.url.database or "in memory"):
        yield
