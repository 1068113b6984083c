"""Indexes of some rows of a table only, for who compares the schema.

They are no part of `tables`: to name their condition, SQLAlchemy loads all drivers of
PostgreSQL, which takes a tenth of the time in which a command shows something.
"""

import sqlalchemy as sa

from phx_pipeline.catalog import tables


def add_partial_indexes() -> None:
    """Add them to the tables; once in a process."""
    told, photo = tables.change.c, tables.photo.c
    _add("ix_change_told", told.at, where=tables.CHANGE_TOLD)
    _add("ix_photo_faulted", photo.slug, photo.source, where=tables.PHOTO_FAULTED)


def _add(name: str, *columns: sa.Column[object], where: str) -> None:
    if all(index.name != name for index in columns[0].table.indexes):
        rows = sa.text(where)
        sa.Index(name, *columns, sqlite_where=rows, postgresql_where=rows)
