"""Engines of Dagster's SQLite stores, kept: Dagster makes one for each question.

A new engine compiles each statement anew, which is two thirds of the processor time of
a question. No connection is kept: each question opens its own, as Dagster wants it.
"""

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final

from dagster._core.storage import sql
from dagster._core.storage.event_log.sqlite import sqlite_event_log
from dagster._core.storage.runs.sqlite import sqlite_run_storage
from dagster._core.storage.schedules.sqlite import sqlite_schedule_storage

_MOST: Final = 32  # each run has a database of its own for its events
_NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})


def kept_engine(
    url: str, *, poolclass: type, connect_args: Mapping[str, Any] = _NOTHING
) -> Any:
    """The engine of *url*, made as `create_engine` of Dagster makes it."""
    return _engine(url, poolclass, tuple(connect_args.items()))


@lru_cache(maxsize=_MOST)
def _engine(url: str, poolclass: type, told: tuple[tuple[str, Any], ...]) -> Any:
    return sql.create_engine(url, poolclass=poolclass, connect_args=dict(told))


def keep_engines() -> None:
    """Have the stores of this process use kept engines from now on."""
    for store in (sqlite_event_log, sqlite_run_storage, sqlite_schedule_storage):
        vars(store)["create_engine"] = kept_engine
