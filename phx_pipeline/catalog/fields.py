"""Which fields the pages of the sources had, counted by day; the rule: `model.drift`.

Written with the listing a page gave (`catalog.store.Catalog.record_listing`).
"""

from collections.abc import Collection
from datetime import date
from typing import Any

import sqlalchemy as sa

from phx_pipeline.catalog import tables
from phx_pipeline.catalog.engine import reading
from phx_pipeline.catalog.locking import upserting
from phx_pipeline.catalog.rows import AnyRow
from phx_pipeline.model.drift import FieldCount, fields_read
from phx_pipeline.model.listing import Listing
from phx_pipeline.model.source import Source

_COUNT = tables.field_count
_KEY = ("source", "page_kind", "field")


class FieldBook:
    """Reads of `field_count`."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def lacking(
        self, *, first: date, sources: Collection[Source] | None = None
    ) -> list[FieldCount]:
        """Count from *first* on the fields that the last page lacked and another had.

        Whether such a field is gone is for `model.drift.drifts` to say.

        Args:
            first: the first day that is looked at.
            sources: whose pages; of all by default.
        """
        query = sa.select(_COUNT).where(_COUNT.c.seen_on >= first)
        candidates = _candidates(first, sources).subquery()
        same = (_COUNT.c[name] == candidates.c[name] for name in _KEY)
        with reading(self._engine) as connection:
            rows = connection.execute(query.join(candidates, sa.and_(*same)))
            return [_field_count(row) for row in rows]


def count_fields(connection: sa.Connection, listing: Listing, *, seen_on: date) -> None:
    """Count a page that was read now; an answer that is of no house counts nothing."""
    read = fields_read(listing)
    if not read:
        return
    key = {"source": listing.source.value, "seen_on": seen_on, "pages": 1}
    # In one order: two that count at once must not wait for each other.
    rows = [
        {
            **key,
            "page_kind": kind,
            "field": field,
            "had": int(had),
            "lacking": int(not had),
        }
        for (kind, field), had in sorted(read.items())
    ]
    insert = upserting(connection, _COUNT)
    new = insert.excluded
    in_a_row = sa.case((new.had > 0, 0), else_=_COUNT.c.lacking + 1)
    values = {
        "pages": _COUNT.c.pages + 1,
        "had": _COUNT.c.had + new.had,
        "lacking": in_a_row,
    }
    add = insert.on_conflict_do_update(
        index_elements=list(_COUNT.primary_key), set_=values
    )
    connection.execute(add, rows)


def _candidates(first: date, sources: Collection[Source] | None) -> sa.Select[Any]:
    """The fields of which some pages lacked it on the newest day, and some had it."""
    keys = [_COUNT.c[name] for name in _KEY]
    days = (
        sa.select(*keys, sa.func.max(_COUNT.c.seen_on).label("seen_on"))
        .where(_COUNT.c.seen_on >= first)
        .group_by(*keys)
        .having(sa.func.sum(_COUNT.c.had) > 0)
    )
    if sources is not None:
        days = days.where(_COUNT.c.source.in_(sorted(it.value for it in sources)))
    newest = days.subquery()
    same = (_COUNT.c[name] == newest.c[name] for name in (*_KEY, "seen_on"))
    return sa.select(*keys).join(newest, sa.and_(*same)).where(_COUNT.c.lacking > 0)


def _field_count(row: AnyRow) -> FieldCount:
    return FieldCount(
        source=Source(row.source),
        page_kind=row.page_kind,
        field=row.field,
        seen_on=row.seen_on,
        pages=row.pages,
        had=row.had,
        lacking=row.lacking,
    )
