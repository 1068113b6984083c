"""Rows of houses and of changes, a page at a time: of many not all is in memory."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa

from phx_pipeline.catalog import tables
from phx_pipeline.catalog.engine import reading
from phx_pipeline.catalog.properties import Known, followed
from phx_pipeline.catalog.rows import AnyRow, property_of
from phx_pipeline.model.change import RAW, NotedChange
from phx_pipeline.model.property import Property
from phx_pipeline.model.source import Source

# Ids are given when a row is written, times when its transaction began: a row may be
# this much older than one with a smaller id.
_LATE: Final = timedelta(hours=1)


class PageBook:
    """Reads a page after what the last one ended with."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def houses(self, *, limit: int, after: str | None = None) -> list[Property]:
        """The houses that are followed, by key, those after the key *after*.

        Without spellings that people have ruled on.
        """
        which = tables.house.c.removed_at.is_(None)
        return [property_of(row) for row in self._houses(which, limit, after)]

    def removed(self, *, limit: int, after: str | None = None) -> list[Known]:
        """The removed houses, as `houses`."""
        which = tables.house.c.removed_at.is_not(None)
        return [
            Known(house=property_of(row), removed_at=row.removed_at)
            for row in self._houses(which, limit, after)
        ]

    def _houses(
        self, which: sa.ColumnElement[bool], limit: int, after: str | None
    ) -> Sequence[AnyRow]:
        house = tables.house.c
        query = sa.select(tables.house).where(which)
        if after is not None:
            query = query.where(house.slug > after)
        with reading(self._engine) as connection:
            return connection.execute(query.order_by(house.slug).limit(limit)).all()

    def changes(
        self,
        *,
        limit: int,
        before: int | None = None,
        since: datetime | None = None,
        slug: str | None = None,
    ) -> list[NotedChange]:
        """What changed of verdicts, presence and outcomes (`RAW`), the newest first.

        Args:
            limit: at most so many.
            before: only changes with a smaller id.
            since: only those at this time or later.
            slug: of one property; else of all that are followed.
        """
        row = tables.change.c
        which = followed(row.slug) if slug is None else row.slug == slug
        query = sa.select(tables.change).where(which, row.what.in_(RAW))
        if before is not None:
            query = query.where(row.id < before)
        if since is not None:
            query = query.where(row.at >= since, row.id > _older_id(since))
        with reading(self._engine) as connection:
            rows = connection.execute(query.order_by(sa.desc(row.id)).limit(limit))
            return [change_of(found) for found in rows]


def _older_id(since: datetime) -> sa.ColumnElement[int]:
    """The newest id that is surely too old: what is below it is not looked at."""
    row = tables.change.c
    try:
        older = sa.select(row.id).where(row.at < since - _LATE)
    except OverflowError:  # before the first year
        return sa.literal(0)
    newest: sa.Select[Any] = older.order_by(sa.desc(row.id)).limit(1)
    return sa.func.coalesce(newest.scalar_subquery(), 0)


def change_of(row: AnyRow) -> NotedChange:
    """Read a `change` row."""
    return NotedChange(
        id=row.id,
        slug=row.slug,
        source=Source(row.source),
        photo_key=row.photo_key,
        what=row.what,
        before=row.before,
        after=row.after,
        at=row.at,
        run_id=row.run_id,
    )
