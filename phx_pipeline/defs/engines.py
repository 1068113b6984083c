"""Engines and connections of Dagster's SQLite stores, kept.

Dagster makes an engine and opens a connection for each question: to compile the
statement, to read the schema, and at the end to carry the write-ahead log over, takes
nine tenths of the processor time of a question. What it asks belongs to Dagster.
"""

import multiprocessing
import os
from collections import OrderedDict
from collections.abc import Mapping
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

_MOST: Final = 32  # each run has a database of its own for its events
_NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})
_STORES: Final = (sqlite_event_log, sqlite_run_storage, sqlite_schedule_storage)
_OF_ALL_RUNS: Final = frozenset({"index", "runs", "schedules"})  # names of files
_SEEN: Final = "phx_changes"

_lock = Lock()
_kept: OrderedDict[tuple[Any, ...], sa.Engine] = OrderedDict()
_inherited: list[sa.Engine] = []


def kept_engine(
    url: str, *, poolclass: type, connect_args: Mapping[str, Any] = _NOTHING
) -> sa.Engine:
    """The engine of *url*, made as `create_engine` of Dagster makes it.

    Its connections are kept, but those to the events of a single run outside of the
    run's own worker: other processes would have to let go of them when it ends.
    """
    key = (url, poolclass, tuple(connect_args.items()))
    with _lock:
        _close_at_the_end(os.getpid())
        if key not in _kept:
            _kept[key] = _made(url, poolclass, dict(connect_args))
        _kept.move_to_end(key)
        if len(_kept) > _MOST:
            _, oldest = _kept.popitem(last=False)
            oldest.pool.dispose()
        return _kept[key]


@lru_cache(maxsize=1)
def _close_at_the_end(_pid: int) -> None:
    """Have a worker close what it kept: who closes last carries the log over."""
    _inherited.extend(_kept.values())  # of a fork: to close them is its parent's
    _kept.clear()
    Finalize(None, _close_all, exitpriority=1)


def _close_all() -> None:
    for engine in _kept.values():
        engine.pool.dispose()


def _made(url: str, poolclass: type, told: dict[str, Any]) -> sa.Engine:
    file = Path(sa.make_url(url).database or "")
    is_of_run = file.stem not in _OF_ALL_RUNS
    if not is_of_run or _is_worker():
        engine = _with_connections_kept(url, told)
    else:
        engine = sql.create_engine(url, poolclass=poolclass, connect_args=told)
    if is_of_run:
        sa.event.listen(engine, "checkin", _Touch(file))
    return engine


def _is_worker() -> bool:
    return multiprocessing.parent_process() is not None


def _with_connections_kept(url: str, told: dict[str, Any]) -> sa.Engine:
    engine = sql.create_engine(
        url,
        poolclass=sa.QueuePool,
        max_overflow=-1,  # nobody waits for a connection
        connect_args={**told, "check_same_thread": False},
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
