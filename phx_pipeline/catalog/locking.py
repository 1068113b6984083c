"""Read, decide, write: rows that several processes change by what they find in them."""

from collections.abc import Callable, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

_INSERTS: Mapping[str, Callable[[sa.Table], Any]] = {
    "postgresql": postgresql.insert,
    "sqlite": sqlite.insert,
}


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
    query = sa.select(table).where(has_key(table, fresh)).with_for_update()
    row: sa.Row[Any] | None = connection.execute(query).one_or_none()
    if row is None:
        _insert(connection, table, fresh)
        row = connection.execute(query).one()
    return row


def has_key(table: sa.Table, values: Mapping[str, Any]) -> sa.ColumnElement[bool]:
    """The condition that a row of *table* has the primary key in *values*."""
    return sa.and_(*(column == values[column.name] for column in table.primary_key))


def insert_missing(
    connection: sa.Connection, table: sa.Table, values: Mapping[str, Any]
) -> None:
    """Add a row, unless one with its primary key is there, or comes at this moment."""
    insert = upserting(connection, table).values(values)
    connection.execute(insert.on_conflict_do_nothing())


def upserting(connection: sa.Connection, table: sa.Table) -> Any:
    """An insert that can be told what to do on a conflict, as both databases can.

    Its methods are those of `sqlalchemy.dialects.postgresql.Insert`.
    """
    return _INSERTS[connection.dialect.name](table)


def _insert(
    connection: sa.Connection, table: sa.Table, fresh: Mapping[str, Any]
) -> None:
    try:
        with connection.begin_nested():
            connection.execute(sa.insert(table).values(dict(fresh)))
    except sa.exc.IntegrityError:
        pass  # another process was first: its row is the one to lock
