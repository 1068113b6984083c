"""What the sources said of the houses themselves: facts by day, values by tax year.

Written with the listing they came with (`catalog.store.Catalog.record_listing`).
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any, Final

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

_DAY = tables.fact_day
_FACT = tables.listing_fact
_VALUATION = tables.valuation
_COUNTS_UP = "days_on_market"  # another one every day, and no news

SAID: Final = (
    sa.select(*_DAY.c, *(it for it in _FACT.c if not it.primary_key))
    .join(_FACT, _FACT.c.id == _DAY.c.fact_id)
    .subquery("said")
)
"""A row for each day, house and source: the day, and all facts that it has."""

# Built once: each look at a house asks them.
_OF_LAST_DAY = sa.select(SAID).where(
    SAID.c.slug == sa.bindparam("of_slug"),
    SAID.c.seen_on
    == sa.select(sa.func.max(_DAY.c.seen_on))
    .where(_DAY.c.slug == SAID.c.slug, _DAY.c.source == SAID.c.source)
    .scalar_subquery(),
)
_LAST_TWO = (
    sa.select(SAID)
    .where(
        SAID.c.slug == sa.bindparam("of_slug"),
        SAID.c.source == sa.bindparam("of_source"),
        SAID.c.seen_on <= sa.bindparam("until"),  # but of a clock that was ahead
    )
    .order_by(SAID.c.seen_on.desc())
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
    """Reads of facts and of `valuation`, and where the listings are."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def history(self, slug: str) -> list[SeenFacts]:
        """All that was ever said of a property, by day and source."""
        query = sa.select(SAID).where(SAID.c.slug == slug)
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

    While a source repeats itself there are two days, the first and the last one.
    """
    if not facts.stated:
        return
    this = {"of_slug": slug, "of_source": source.value, "until": seen_on}
    known = connection.execute(_LAST_TWO, this).all()
    if known and known[0].seen_on == seen_on:
        _say_more(connection, known[0], facts)
        return
    day = {"seen_on": seen_on, _COUNTS_UP: facts.days_on_market}
    same = [_is_same(facts, row) for row in known]
    if same == [True, True] and not _ran_on(connection, slug, known[0].seen_on):
        connection.execute(sa.update(_DAY).where(_is_day(known[0])).values(day))
        return
    own = known[0].fact_id if same[:1] == [True] else _added(connection, facts)
    whose = {"slug": slug, "source": source.value, "fact_id": own}
    connection.execute(sa.insert(_DAY).values({**whose, **day}))


def _say_more(connection: sa.Connection, row: AnyRow, facts: ListingFacts) -> None:
    """Add to a day what a later answer of it says."""
    now = replace(_seen(row).facts, **facts.stated)  # type: ignore[arg-type]
    values: dict[str, Any] = {_COUNTS_UP: now.days_on_market}
    if not _is_same(now, row):
        values["fact_id"] = _changed(connection, row, now)
    connection.execute(sa.update(_DAY).where(_is_day(row)).values(values))


def _changed(connection: sa.Connection, row: AnyRow, facts: ListingFacts) -> int:
    """Let a day have other facts; those it had stay if another day has them, too."""
    others = sa.exists().where(
        _DAY.c.slug == row.slug,
        _DAY.c.source == row.source,
        _DAY.c.seen_on != row.seen_on,
        _DAY.c.fact_id == row.fact_id,
    )
    if connection.execute(sa.select(others)).scalar():
        return _added(connection, facts)
    change_row(connection, _FACT, {"id": row.fact_id, **_lasting(facts)})
    return int(row.fact_id)


def _added(connection: sa.Connection, facts: ListingFacts) -> int:
    adding = sa.insert(_FACT).values(_lasting(facts)).returning(_FACT.c.id)
    return int(connection.execute(adding).scalar_one())


def _lasting(facts: ListingFacts) -> dict[str, Any]:
    return {name: it for name, it in facts.stated.items() if name != _COUNTS_UP}


def _is_same(facts: ListingFacts, row: AnyRow) -> bool:
    return _lasting(facts) == _lasting(_seen(row).facts)


def _is_day(row: AnyRow) -> sa.ColumnElement[bool]:
    return sa.and_(*(it == getattr(row, it.name) for it in _DAY.primary_key))


def _ran_on(connection: sa.Connection, slug: str, day: date) -> bool:
    """Whether a run began on a day: what is told of it shows what was said then."""
    span = {"since": day_start(day), "until": day_start(day + timedelta(days=1))}
    return bool(connection.execute(_RAN, {"of_slug": slug, **span}).scalar())


def said_of(connection: sa.Connection, slug: str) -> list[int]:
    """The ids of all facts that were ever said of a property."""
    query = sa.select(_DAY.c.fact_id).where(_DAY.c.slug == slug).distinct()
    return list(connection.execute(query).scalars())


def drop_unsaid(connection: sa.Connection, ids: Collection[int]) -> None:
    """Delete those of some facts that no day has any more."""
    said = sa.select(_DAY.c.fact_id).where(_DAY.c.fact_id.in_(ids))
    these = sa.and_(_FACT.c.id.in_(ids), _FACT.c.id.not_in(said))
    connection.execute(sa.delete(_FACT).where(these))


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
        *(SAID.c[name] == newest.c[name] for name in ("slug", "source", "seen_on"))
    )
    differing = (
        sa.select(SAID.c.slug)
        .join(newest, same)
        .group_by(SAID.c.slug)
        .having(sa.or_(*map(_differs, COMPARED_FACTS)))
    )
    return (
        sa.select(SAID)
        .join(newest, same)
        .where(SAID.c.slug.in_(differing))
        .order_by(SAID.c.slug, SAID.c.source)
    )


def _differs(name: str) -> sa.ColumnElement[bool]:
    column: sa.ColumnElement[Any] = SAID.c[name]
    if isinstance(column.type, sa.Boolean):  # PostgreSQL knows no greatest of them
        column = sa.cast(column, sa.Integer)
    return sa.func.min(column) != sa.func.max(column)


def _newest_days(slugs: Collection[str] | None) -> sa.CTE:
    """The newest day of each source; its cost does not grow with the history."""
    house, listing = tables.house.c, tables.listing.c
    own = sa.and_(_DAY.c.slug == listing.slug, _DAY.c.source == listing.source)
    newest = sa.select(sa.func.max(_DAY.c.seen_on)).where(own).scalar_subquery()
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
