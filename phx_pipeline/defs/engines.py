"""Engines and connections of Dagster's SQLite stores, kept.

Dagster makes an engine and opens a connection for each question: to compile the
statement, to read the schema, and at the end to carry the write-ahead log over, takes
nine tenths of the processor time of a question. What it asks belongs to Dagster.
"""

import os
from collections import OrderedDict
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import lru_cache
from multiprocessing.util import Finalize
from pathlib import Path
from threading import Lock
from types import MappingProxyType
from typing import Any, Final

import sqlalchemy as sa
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from dagster._core.storage import sql
from dagster._core.storage.event_log.sqlite import sqlite_event_log
from dagster._core.storage.runs.sqlite import sqlite_run_storage
from dagster._core.storage.schedules.sqlite import sqlite_schedule_storage

from phx_pipeline.catalog.statements import SHARED_STATEMENTS
from phx_pipeline.defs.new_events import begin_events

_NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})
_STORES: Final = (sqlite_event_log, sqlite_run_storage, sqlite_schedule_storage)
_OF_ALL_RUNS: Final = frozenset({"index", "runs", "schedules"})  # names of files
_SEEN: Final = "phx_changes"


class _Kept:
    """Engines by what they are made of; the one not asked for longest gives way."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._engines: OrderedDict[tuple[Any, ...], sa.Engine] = OrderedDict()
        self._inherited: list[sa.Engine] = []

    def engine(self, key: tuple[Any, ...], make: Callable[[], sa.Engine]) -> sa.Engine:
        if key not in self._engines:
            self._engines[key] = make()
        self._engines.move_to_end(key)
        if len(self._engines) > self._most:
            _, oldest = self._engines.popitem(last=False)
            oldest.pool.dispose()
        return self._engines[key]

    def close(self) -> None:
        for engine in self._engines.values():
            engine.pool.dispose()

    def leave(self) -> None:
        """Use none any more, and close none: that is the parent's of this process."""
        self._inherited.extend(self._engines.values())
        self._engines.clear()


_lock = Lock()
_stores = _Kept(32)
# Each run has a database of its own for its events. Three go on at once, and while one
# is kept its log is not carried over.
_runs = _Kept(4)


def kept_engine(
    url: str, *, poolclass: type, connect_args: Mapping[str, Any] = _NOTHING
) -> sa.Engine:
    """The engine of *url*, for which Dagster calls `create_engine`.

    Args:
        url: of a SQLite file.
        poolclass: Dagster's, which keeps no connection; ours does.
        connect_args: as of `sqlite3.connect`.
    """
    key = (url, poolclass, tuple(connect_args.items()))
    file = _file_of(url)
    with _lock:
        _begin(os.getpid())
        if file.stem in _OF_ALL_RUNS:
            return _stores.engine(key, lambda: _made(url, dict(connect_args)))
        return _runs.engine(key, lambda: _watchable(url, dict(connect_args), file))


@lru_cache  # it is asked for each question
def _file_of(url: str) -> Path:
    return Path(sa.make_url(url).database or "")


@lru_cache(maxsize=1)
def _begin(_pid: int) -> None:
    """Have this process close what it kept, and leave alone what another one did.

    A worker ends without that; who closes last carries the log over.
    """
    for kept in (_stores, _runs):
        kept.leave()
        Finalize(None, kept.close, exitpriority=1)


def forget_engines() -> None:
    """Close all connections of this process, and keep none of their engines."""
    with _lock:
        for kept in (_stores, _runs):
            kept.close()
            kept.leave()


def _watchable(url: str, told: dict[str, Any], file: Path) -> sa.Engine:
    begin_events(file)
    engine = _made(url, told)
    sa.event.listen(engine, "checkin", _Touch(file))
    return engine


def _made(url: str, told: dict[str, Any]) -> sa.Engine:
    engine = sql.create_engine(
        url,
        poolclass=sa.QueuePool,
        max_overflow=-1,  # nobody waits for a connection
        connect_args={**told, "check_same_thread": False},
        execution_options=SHARED_STATEMENTS,
    )
    sa.event.listen(engine, "connect", _sync_seldom)
    vars(engine)["dispose"] = _stay_open
    return engine


def _sync_seldom(connection: Any, _record: Any) -> None:
    """As our catalogue: beside a write-ahead log, only a power cut takes a commit."""
    connection.execute("PRAGMA synchronous=NORMAL")


def _stay_open() -> None:
    """Dagster disposes of the engine of events after each question."""


class _Touch:
    """Changes the time of a file when rows were written.

    Who watches a run waits for its file to change. It does so when the last connection
    is closed, which is later than before where one is kept.
    """

    def __init__(self, file: Path) -> None:
        self._file = file

    def __call__(self, connection: Any, record: Any) -> None:
        changes = connection.total_changes if connection else 0
        if changes != record.info.get(_SEEN, 0):
            record.info[_SEEN] = changes
            with suppress(OSError):  # the run was deleted just now
                os.utime(self._file)


def known_revision(config: Any, connection: sa.Connection) -> tuple[Any, Any]:
    """The revisions of a store and of this Dagster, as `check_alembic_revision`.

    That reads all scripts of migrations each time a store is opened.
    """
    with sql._alembic_lock:  # noqa: SLF001 - as the function in whose place this is
        own = MigrationContext.configure(connection).get_current_revision()
        return own, head_revision(config)


@lru_cache
def head_revision(config: Any) -> Any:
    """The newest revision that this version of Dagster has."""
    return ScriptDirectory.from_config(config).as_revision_number("head")


def learn_revisions() -> None:
    """Read the scripts of migrations now, for all processes forked from this one."""
    for store in _STORES:
        head_revision(sql.get_alembic_config(store.__file__))


def keep_engines() -> None:
    """Have the stores of this process keep engines and connections from now on."""
    for store in _STORES:
        vars(store)["create_engine"] = kept_engine
        vars(store)["check_alembic_revision"] = known_revision
