"""What the sources said of the houses themselves: facts by day, values by tax year.

Written with the listing they came with (`catalog.store.Catalog.record_listing`).
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from phx_pipeline.catalog import tables
from phx_pipeline.catalog.engine import reading
from phx_pipeline.catalog.locking import change_row
from phx_pipeline.catalog.rows import AnyRow
from phx_pipeline.model.conflicts import COMPARED_FACTS
from phx_pipeline.model.facts import FACT_NAMES, ListingFacts, SeenFacts
from phx_pipeline.model.moments import day_start
from phx_pipeline.model.source import Source
from phx_pipeline.model.valuation import Valuation

_FACT = tables.listing_fact
_VALUATION = tables.valuation
_DAY = timedelta(days=1)

# Built once: each look at a house asks them.
_LATER = _FACT.alias("later")
_OF_LAST_DAY = sa.select(_FACT).where(
    _FACT.c.slug == sa.bindparam("of_slug"),
    _FACT.c.seen_on
    == sa.select(sa.func.max(_LATER.c.seen_on))
    .where(_LATER.c.slug == _FACT.c.slug, _LATER.c.source == _FACT.c.source)
    .scalar_subquery(),
)
_LAST_TWO = (
    sa.select(_FACT)
    .where(
        _FACT.c.slug == sa.bindparam("of_slug"),
        _FACT.c.source == sa.bindparam("of_source"),
    )
    .order_by(_FACT.c.seen_on.desc())
    .limit(2)
)
_RAN = sa.select(
    sa.exists().where(
        tables.run.c.slug == sa.bindparam("of_slug"),
        tables.run.c.started_at >= sa.bindparam("since"),
        tables.run.c.started_at < sa.bindparam("until"),
    )
)


class FactBook:
    """Reads of `listing_fact` and `valuation`, and where the listings are."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def history(self, slug: str) -> list[SeenFacts]:
        """All that was ever said of a property, by day and source."""
        query = sa.select(_FACT).where(_FACT.c.slug == slug)
        with reading(self._engine) as connection:
            found = [_seen(row) for row in connection.execute(query)]
        return sorted(found, key=lambda seen: (seen.seen_on, seen.source.value))

    def newest(self, slug: str) -> dict[Source, SeenFacts]:
        """The newest answer of each source that said anything of a property."""
        return {seen.source: seen for seen in self.history(slug)}

    def of_last_day(self, slug: str) -> dict[Source, SeenFacts]:
        """As `newest`, without reading the days before."""
        with reading(self._engine) as connection:
            seen = map(_seen, connection.execute(_OF_LAST_DAY, {"of_slug": slug}))
            return {one.source: one for one in seen}

    def valuations(self, slug: str) -> dict[Source, tuple[Valuation, ...]]:
        """The values of a property by source, the newest year first."""
        newest_first = sa.desc(_VALUATION.c.tax_year)
        query = sa.select(_VALUATION).where(_VALUATION.c.slug == slug)
        found: dict[Source, tuple[Valuation, ...]] = {}
        with reading(self._engine) as connection:
            for row in connection.execute(query.order_by(newest_first)):
                source = Source(row.source)
                found[source] = (*found.get(source, ()), _valuation(row))
        return found

    def differing(
        self, slugs: Collection[str] | None = None
    ) -> dict[str, list[SeenFacts]]:
        """The newest answers about properties whose sources differ in any value.

        Whether that is a conflict is told by `model.conflicts`. Only followed
        properties; the database compares, so that those that agree are never read.

        Args:
            slugs: the properties; all by default.
        """
        with reading(self._engine) as connection:
            rows = connection.execute(_differing_query(slugs)).all()
        found: dict[str, list[SeenFacts]] = defaultdict(list)
        for row in rows:
            found[row.slug].append(_seen(row))
        return dict(found)

    def gallery_shown_at(self, slug: str, source: Source) -> datetime | None:
        """When a source last showed the whole gallery of a property, if it ever did."""
        row = tables.listing.c
        this = sa.and_(row.slug == slug, row.source == source.value)
        with reading(self._engine) as connection:
            query = sa.select(row.gallery_seen_at).where(this)
            shown_at: datetime | None = connection.execute(query).scalar()
        return shown_at

    def listing_urls(self, slug: str) -> dict[Source, str]:
        """Where each source that knows a property has its listing."""
        row = tables.listing.c
        query = sa.select(row.source, row.url).where(row.slug == slug)
        with reading(self._engine) as connection:
            rows = connection.execute(query).all()
        return {Source(row.source): row.url for row in rows if row.url}


def upsert_facts(
    connection: sa.Connection,
    slug: str,
    source: Source,
    facts: ListingFacts,
    *,
    seen_on: date,
) -> None:
    """Write what was said; what a later answer of the day leaves out stays.

    While a source repeats itself there are two rows, of the first and the last day.
    """
    key = {"slug": slug, "source": source.value, "seen_on": seen_on}
    stated = facts.stated
    if not stated or change_row(connection, _FACT, {**key, **stated}):
        return
    if (day := _repeated_on(connection, key, facts)) is None:
        connection.execute(sa.insert(_FACT).values({**key, **stated}))
        return
    table = _FACT.c
    this = (table.slug == slug, table.source == source.value, table.seen_on == day)
    connection.execute(sa.update(_FACT).where(*this).values({**key, **stated}))


def _repeated_on(
    connection: sa.Connection, key: Mapping[str, Any], facts: ListingFacts
) -> date | None:
    """The last day, if no more is to be known of it than of the day before and this.

    Days on the market count up, and are no news. A day of a run stays: what is told of
    the run shows what was said on it.
    """
    this = {"of_slug": key["slug"], "of_source": key["source"]}
    last = [_seen(it) for it in connection.execute(_LAST_TWO, this)]
    told = replace(facts, days_on_market=None)
    same = [replace(it.facts, days_on_market=None) == told for it in last]
    if same != [True, True] or last[0].seen_on > key["seen_on"]:
        return None
    day = last[0].seen_on
    span = {"since": day_start(day), "until": day_start(day + _DAY)}
    ran = connection.execute(_RAN, {"of_slug": key["slug"], **span}).scalar()
    return None if ran else day


def upsert_valuations(
    connection: sa.Connection,
    slug: str,
    source: Source,
    valuations: Iterable[Valuation],
) -> None:
    """Write the values of each year; years and values not said again stay."""
    for one in valuations:
        key = {"slug": slug, "source": source.value, "tax_year": one.tax_year}
        if stated := one.stated:
            _upsert(connection, _VALUATION, key, stated)


def _upsert(
    connection: sa.Connection,
    table: sa.Table,
    key: Mapping[str, Any],
    values: Mapping[str, Any],
) -> None:
    """Write a row that only the holder of the property's lease writes."""
    if not change_row(connection, table, {**key, **values}):
        connection.execute(sa.insert(table).values({**key, **values}))


def _differing_query(slugs: Collection[str] | None) -> sa.Select[Any]:
    newest = _newest_days(slugs)
    same = sa.and_(
        *(_FACT.c[name] == newest.c[name] for name in ("slug", "source", "seen_on"))
    )
    differing = (
        sa.select(_FACT.c.slug)
        .join(newest, same)
        .group_by(_FACT.c.slug)
        .having(sa.or_(*map(_differs, COMPARED_FACTS)))
    )
    return (
        sa.select(_FACT)
        .join(newest, same)
        .where(_FACT.c.slug.in_(differing))
        .order_by(_FACT.c.slug, _FACT.c.source)
    )


def _differs(name: str) -> sa.ColumnElement[bool]:
    column: sa.ColumnElement[Any] = _FACT.c[name]
    if isinstance(column.type, sa.Boolean):  # PostgreSQL knows no greatest of them
        column = sa.cast(column, sa.Integer)
    return sa.func.min(column) != sa.func.max(column)


def _newest_days(slugs: Collection[str] | None) -> sa.CTE:
    """The newest day of each source; its cost does not grow with the history."""
    house, listing = tables.house.c, tables.listing.c
    own = sa.and_(_FACT.c.slug == listing.slug, _FACT.c.source == listing.source)
    newest = sa.select(sa.func.max(_FACT.c.seen_on)).where(own).scalar_subquery()
    query = (
        sa.select(listing.slug, listing.source, newest.label("seen_on"))
        .join(tables.house, house.slug == listing.slug)
        .where(house.removed_at.is_(None))
    )
    if slugs is not None:
        query = query.where(listing.slug.in_(slugs))
    return query.cte("newest")


def _seen(row: AnyRow) -> SeenFacts:
    stated = {name: getattr(row, name) for name in FACT_NAMES}
    return SeenFacts(
        source=Source(row.source),
        seen_on=row.seen_on,
        facts=ListingFacts(**stated),
    )


def _valuation(row: AnyRow) -> Valuation:
    return Valuation(
        tax_year=row.tax_year,
        full_cash_value=row.full_cash_value,
        limited_property_value=row.limited_property_value,
    )
