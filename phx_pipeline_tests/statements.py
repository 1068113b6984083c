"""Statements are compiled once for all databases of a kind that a test process opens.

Each test has stores of its own, and SQLAlchemy compiles anew for each engine: a quarter
of what a test costs that runs commands in this process. It asks whether a statement was
compiled for the same dialect, so all dialects of a kind say they are the same.
"""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.postgresql.psycopg2 import PGDialect_psycopg2
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.util import LRUCache

_MOST = 3000
_compiled: LRUCache[Any, Any] = LRUCache(_MOST)


class _OfOneKind:
    """A dialect that equals all of its class; their engines share what is compiled."""

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self)

    def __hash__(self) -> int:
        return hash(type(self))

    @classmethod
    def engine_created(cls, engine: sa.Engine) -> None:
        engine.update_execution_options(compiled_cache=_compiled)


class OneSQLite(_OfOneKind, SQLiteDialect_pysqlite):
    supports_statement_cache = True


class OnePostgres(_OfOneKind, PGDialect_psycopg2):
    supports_statement_cache = True


def compile_once() -> None:
    """Let all engines made from now on share what is compiled."""
    registry.register("sqlite", __name__, OneSQLite.__name__)
    registry.register("postgresql.psycopg2", __name__, OnePostgres.__name__)
