"""Whether the database itself is sound: its pages, its indexes, its references."""

from collections.abc import Iterator
from functools import cache
from typing import Any

import sqlalchemy as sa

from phx_pipeline.catalog import tables
from phx_pipeline.catalog.engine import reading
from phx_pipeline.errors import CatalogUnusableError
from phx_pipeline.model.counted import counted

_SOUND = "ok"
_MOST = 20  # faults told of each kind


class Integrity:
    """Reads only; SQLite looks at its pages, PostgreSQL does that by itself."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def faults(self, *, deep: bool = False) -> list[str]:
        """Return what is wrong, a line each; empty when the database is sound.

        *deep* compares indexes with tables as well, which takes several times as long.
        """
        if self._engine.dialect.name != "sqlite":
            return list(self._orphans())
        try:
            broken = list(self._broken_pages(deep=deep))
            return broken or list(self._orphans())
        except CatalogUnusableError as error:
            return [str(error)]

    def _broken_pages(self, *, deep: bool) -> Iterator[str]:
        check = "integrity_check" if deep else "quick_check"
        with reading(self._engine) as connection:
            for (told,) in connection.exec_driver_sql(f"PRAGMA {check}({_MOST})"):
                if told != _SOUND:
                    yield " ".join(told.split())

    def _orphans(self) -> Iterator[str]:
        """Rows that refer to a row which is not there."""
        with reading(self._engine) as connection:
            for table in tables.metadata.sorted_tables:
                for key in sorted(table.foreign_keys, key=lambda key: key.parent.name):
                    if rows := connection.execute(_orphans_of(key)).scalar_one():
                        told = counted(rows, f"row of {table.name}")
                        whose = "its" if rows == 1 else "their"
                        yield f"{told} without {whose} {key.column.table.name}"


@cache  # to build it takes longer than a small database takes to answer
def _orphans_of(key: sa.ForeignKey) -> sa.Select[Any]:
    parent = key.column.table.alias("parent")
    column = key.parent
    there = sa.exists().where(parent.c[key.column.name] == column)
    return (
        sa.select(sa.func.count())
        .select_from(column.table)
        .where(column.is_not(None), ~there)
    )
