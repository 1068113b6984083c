"""Statements that were compiled for SQLite, kept for all engines of a process.

SQLAlchemy keeps them for one engine alone. Dagster has an engine for the events of each
run, and a worker opens the catalogue in a process that was forked after it had been
rehearsed: each would compile the same statements anew. On a server statements depend on
its version, so its engines keep their own.
"""

from typing import Any, Final

from sqlalchemy.util import LRUCache


class _Shared(LRUCache[tuple[Any, ...], Any]):
    """Finds what another dialect of the same class compiled.

    SQLAlchemy's keys begin with the dialect, of which each engine has one of its own.
    Those of SQLite differ in how they write and read JSON alone.
    """

    __slots__ = ()

    def get(self, key: tuple[Any, ...], default: Any = None) -> Any:
        return super().get(_of_class(key), default)

    def __setitem__(self, key: tuple[Any, ...], compiled: Any) -> None:
        super().__setitem__(_of_class(key), compiled)


def _of_class(key: tuple[Any, ...]) -> tuple[Any, ...]:
    dialect, *statement = key
    json = (dialect._json_serializer, dialect._json_deserializer)  # noqa: SLF001 - no other name
    return type(dialect), json, *statement


# Twice of what SQLAlchemy keeps for one engine: the catalogue's and Dagster's.
_COMPILED: Final = _Shared(1000)
SHARED_STATEMENTS: Final = {"compiled_cache": _COMPILED}
"""The execution option of an engine of SQLite that shares what is compiled."""
