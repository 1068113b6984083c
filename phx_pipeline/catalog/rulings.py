"""What people ruled, for ever: rows are added, never changed; the newest counts."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from phx_pipeline.catalog import tables
from phx_pipeline.catalog.engine import reading, writing
from phx_pipeline.catalog.leases import Lease, Leases
from phx_pipeline.catalog.rows import AnyRow
from phx_pipeline.model.batches import batches
from phx_pipeline.model.ruling import About, Ruling
from phx_pipeline.model.source import Source

_RULING = tables.ruling
_MANY = 500  # values in one statement; SQLite allows 32,766
_TICK = timedelta(microseconds=1)  # what both databases tell apart

Subject = tuple[Source | None, str]


class RulingBook:
    """Reads and writes of `ruling`."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def record(self, lease: Lease, ruling: Ruling) -> Ruling:
        """Add a ruling; return it as it is stored.

        It counts from now on: where the clock gives a time that is not after the newest
        ruling on the same, it is dated right after that one.
        """
        with writing(self._engine) as connection:
            Leases.fence(connection, lease)
            return record_ruling(connection, ruling)

    def record_unheld(self, rulings: Iterable[Ruling]) -> list[Ruling]:
        """Add rulings as `record` does, all at once, while a run may hold the houses.

        One of a key no property has is left out. As with `add_missing` no lease is
        needed. A run that has read what counts already does not see them: ask for
        another one.
        """
        given = list(rulings)
        with writing(self._engine) as connection:
            there = _there(connection, {ruling.slug for ruling in given})
            known = [ruling for ruling in given if ruling.slug in there]
            return [record_ruling(connection, ruling) for ruling in known]

    def newest(self, slug: str, about: About) -> dict[Subject, Ruling]:
        """The rulings of one kind that count for a property, by source and key."""
        with reading(self._engine) as connection:
            found = newest_of(connection, about, [slug])
        return {(source, key): ruling for (_, source, key), ruling in found.items()}

    def all(self) -> list[Ruling]:
        """Every ruling ever given, the oldest first."""
        with reading(self._engine) as connection:
            rows = connection.execute(sa.select(_RULING)).all()
        return sorted(map(_ruling_of, rows), key=lambda ruling: ruling.order)

    def add_missing(self, rulings: Iterable[Ruling]) -> list[Ruling]:
        """Add the rulings that are not here yet, by id; return those added.

        One of a key no property has is left out. A ruling keeps its time, so an older
        one that comes later does not count in place of a newer one. No lease is needed:
        nothing here is changed, and stages read what counts within their own writes.
        """
        wanted = {ruling.id: ruling for ruling in rulings}
        with writing(self._engine) as connection:
            there = _there(connection, {ruling.slug for ruling in wanted.values()})
            known = _known(connection, sorted(wanted))
            added = [
                ruling
                for ruling in wanted.values()
                if ruling.id not in known and ruling.slug in there
            ]
            if added:
                connection.execute(sa.insert(_RULING), list(map(_values, added)))
        return added


def record_ruling(connection: sa.Connection, ruling: Ruling) -> Ruling:
    """Add a ruling within a transaction, as `RulingBook.record` does."""
    before = newest_of(connection, ruling.about, [ruling.slug])
    last = before.get((ruling.slug, ruling.source, ruling.key))
    if last is not None and last.at >= ruling.at:
        ruling = replace(ruling, at=last.at + _TICK)
    connection.execute(sa.insert(_RULING).values(_values(ruling)))
    return ruling


def newest_of(
    connection: sa.Connection, about: About, slugs: Collection[str] | None = None
) -> dict[tuple[str, Source | None, str], Ruling]:
    """Return the rulings of one kind that count, of some properties or of all."""
    query = sa.select(_RULING).where(_RULING.c.about == about.value)
    rows = [row for some in _parts(query, slugs) for row in connection.execute(some)]
    found = sorted(map(_ruling_of, rows), key=lambda ruling: ruling.order)
    return {(it.slug, it.source, it.key): it for it in found}


def newest_of_house(connection: sa.Connection, slug: str) -> list[Ruling]:
    """Return the rulings of all kinds that count for a property, the oldest first."""
    rows = connection.execute(sa.select(_RULING).where(_RULING.c.slug == slug))
    found = sorted(map(_ruling_of, rows), key=lambda ruling: ruling.order)
    newest = {(it.about, it.source, it.key): it for it in found}
    return sorted(newest.values(), key=lambda ruling: ruling.order)


def _parts(
    query: sa.Select[Any], slugs: Collection[str] | None
) -> Iterator[sa.Select[Any]]:
    if slugs is None:
        yield query
        return
    for some in batches(sorted(slugs), _MANY):
        yield query.where(_RULING.c.slug.in_(some))


def _there(connection: sa.Connection, slugs: Collection[str]) -> set[str]:
    """Which of these keys properties have, and keep until the transaction ends."""
    house = tables.house.c
    found: set[str] = set()
    for some in batches(sorted(slugs), _MANY):
        query = sa.select(house.slug).where(house.slug.in_(some))
        locked = query.with_for_update(read=True, key_share=True)
        found |= set(connection.execute(locked).scalars())
    return found


def _known(connection: sa.Connection, ids: Sequence[str]) -> set[str]:
    found: set[str] = set()
    for some in batches(ids, _MANY):
        query = sa.select(_RULING.c.id).where(_RULING.c.id.in_(some))
        found |= set(connection.execute(query).scalars())
    return found


def _values(ruling: Ruling) -> dict[str, object]:
    return {
        "id": ruling.id,
        "at": ruling.at,
        "who": ruling.who,
        "about": ruling.about.value,
        "slug": ruling.slug,
        "source": ruling.source.value if ruling.source else "",
        "key": ruling.key,
        "value": ruling.value,
        "why": ruling.why,
    }


def _ruling_of(row: AnyRow) -> Ruling:
    return Ruling(
        id=row.id,
        at=row.at,
        who=row.who,
        about=About(row.about),
        slug=row.slug,
        source=Source(row.source) if row.source else None,
        key=row.key,
        value=row.value,
        why=row.why,
    )
