"""Reading the changes that people are told of, a day in Phoenix at a time.

What they amount to is decided in `model.history`; raw rows are read in
`catalog.pages`.
"""

from datetime import datetime

import sqlalchemy as sa

from phx_pipeline.catalog import tables
from phx_pipeline.catalog.engine import reading
from phx_pipeline.catalog.pages import change_of
from phx_pipeline.catalog.properties import followed
from phx_pipeline.model.change import NotedChange, Scope
from phx_pipeline.model.source import Source

_CHANGE = tables.change


class ToldBook:
    """Reads of `change`, and of the photos that are present."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def newest_before(self, end: datetime, scope: Scope) -> datetime | None:
        """When the last change before *end* was; None if there is none."""
        at = _CHANGE.c.at
        query = sa.select(at).where(*_chosen(scope), at < end)
        with reading(self._engine) as connection:
            newest = query.order_by(sa.desc(at)).limit(1)
            found: datetime | None = connection.execute(newest).scalar()
        return found

    def between(
        self, start: datetime, end: datetime, scope: Scope
    ) -> list[NotedChange]:
        """The changes from *start* on and before *end*, in no order."""
        at = _CHANGE.c.at
        query = sa.select(_CHANGE).where(*_chosen(scope), at >= start, at < end)
        with reading(self._engine) as connection:
            return [change_of(row) for row in connection.execute(query)]

    def since(self, at: datetime, slug: str, source: Source) -> list[NotedChange]:
        """All that was noted from *at* on of a property at one source; verdicts too."""
        row = _CHANGE.c
        own = sa.and_(row.slug == slug, row.source == source.value, row.at >= at)
        with reading(self._engine) as connection:
            rows = connection.execute(sa.select(_CHANGE).where(own))
            return [change_of(found) for found in rows]

    def present(self, slug: str, source: Source) -> frozenset[str]:
        """The keys of the photos that are in a gallery, as last known."""
        photo = tables.photo.c
        own = sa.and_(photo.slug == slug, photo.source == source.value, photo.present)
        with reading(self._engine) as connection:
            keys = connection.execute(sa.select(photo.photo_key).where(own)).scalars()
            return frozenset(keys)


def _chosen(scope: Scope) -> list[sa.ColumnElement[bool]]:
    row = _CHANGE.c
    chosen: list[sa.ColumnElement[bool]] = [
        row.what.in_(sorted(it.value for it in scope.what))
    ]
    if scope.slug is not None:  # its own index finds its rows, of which there are few
        chosen.append(row.slug == scope.slug)
    else:
        chosen += [sa.literal_column(tables.CHANGE_TOLD), followed(row.slug)]
    if scope.source is not None:
        chosen.append(row.source == scope.source.value)
    return chosen
