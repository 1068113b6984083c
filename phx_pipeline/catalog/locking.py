"""Read, decide, write: rows that several processes change by what they find in them.

Statements are built once for each table: building one costs more than running it.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib import import_module
from typing import Any

import sqlalchemy as sa


def clock_s(connection: sa.Connection, *, now: Callable[[], float]) -> float:
    """Return the seconds since 1970: PostgreSQL's own clock, else *now*."""
    if connection.dialect.name != "postgresql":
        return now()
    query = sa.text("select extract(epoch from clock_timestamp())::float8")
    return float(connection.execute(query).scalar_one())


def locked_row(
    connection: sa.Connection, table: sa.Table, fresh: Mapping[str, Any]
) -> sa.Row[Any]:
    """Return the row with the primary key of *fresh*, locked; made of it if missing."""
    query, key = _locking(table), _key_of(table, fresh)
    row: sa.Row[Any] | None = connection.execute(query, key).one_or_none()
    if row is None:
        _insert(connection, table, fresh)
        row = connection.execute(query, key).one()
    return row


def change_row(
    connection: sa.Connection, table: sa.Table, values: Mapping[str, Any]
) -> int:
    """Make the row with the primary key in *values* hold them; return 0 if none is."""
    own = {**_key_of(table, values), **values}
    return connection.execute(_changing(table), own).rowcount


def _key_of(table: sa.Table, values: Mapping[str, Any]) -> dict[str, Any]:
    return {f"of_{column.name}": values[column.name] for column in table.primary_key}


@cache
def _locking(table: sa.Table) -> sa.Select[Any]:
    return sa.select(table).where(_has_key(table)).with_for_update()


@cache
def _changing(table: sa.Table) -> sa.Update:
    return sa.update(table).where(_has_key(table))


@cache
def _adding(table: sa.Table, dialect: str) -> sa.Insert:
    added: sa.Insert = _insert_of(dialect)(table).on_conflict_do_nothing()
    return added


def _insert_of(dialect: str) -> Callable[[sa.Table], Any]:
    """`insert` of a database; to load that of the other takes 0.02 s."""
    insert: Callable[[sa.Table], Any] = import_module(
        f"sqlalchemy.dialects.{dialect}"
    ).insert
    return insert


def _has_key(table: sa.Table) -> sa.ColumnElement[bool]:
    return sa.and_(
        *(column == sa.bindparam(f"of_{column.name}") for column in table.primary_key)
    )


def insert_missing(
    connection: sa.Connection, table: sa.Table, values: Mapping[str, Any]
) -> bool:
    """Add a row, unless one with its primary key is there, or comes at this moment.

    Return whether it was added.
    """
    adding = _adding(table, connection.dialect.name)
    return connection.execute(adding, dict(values)).rowcount > 0


def upserting(connection: sa.Connection, table: sa.Table) -> Any:
    """An insert that can be told what to do on a conflict, as both databases can.

    Its methods are those of `sqlalchemy.dialects.postgresql.Insert`.
    """
    return _insert_of(connection.dialect.name)(table)


def insert_or_replace(
    connection: sa.Connection, table: sa.Table, rows: Sequence[Mapping[str, Any]]
) -> None:
    """Add rows; one with the primary key of a row that is there takes its place."""
    insert = upserting(connection, table).values(rows)
    fresh = {it.name: insert.excluded[it.name] for it in table.c if not it.primary_key}
    key = [column.name for column in table.primary_key]
    connection.execute(insert.on_conflict_do_update(index_elements=key, set_=fresh))


def _insert(
    connection: sa.Connection, table: sa.Table, fresh: Mapping[str, Any]
) -> None:
    try:
        with connection.begin_nested():
            connection.execute(sa.insert(table).values(dict(fresh)))
    except sa.exc.IntegrityError:
        pass  # another process was first: its row is the one to lock
