"""Which property an address means: its own, a confirmed spelling's, a former one's."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace

import sqlalchemy as sa

from phx_pipeline.catalog import tables
from phx_pipeline.catalog.rows import AnyRow, property_of
from phx_pipeline.catalog.rulings import newest_of
from phx_pipeline.errors import InputError
from phx_pipeline.model.address import Address, Match
from phx_pipeline.model.property import Property
from phx_pipeline.model.ruling import About, SpellingRuling

_HOUSE = tables.house


@dataclass(frozen=True, slots=True, kw_only=True)
class Meanings:
    """The properties addresses mean, by key and match key.

    `rows` are the properties that were read; `former` and `confirmed` lead from a match
    key to a property's key.
    """

    rows: dict[str, AnyRow]
    former: Mapping[str, str]
    confirmed: Mapping[str, str]
    by_match_key: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Let a match key mean the first of its twins that is followed."""
        for row in sorted(self.rows.values(), key=_order):
            self.by_match_key.setdefault(row.match_key, row.slug)

    def slug_of(self, address: Address) -> str | None:
        """The key of the property an address means; of twins the one spelled so."""
        key = address.match_key
        own = self.rows.get(address.slug)
        if own is not None and own.match_key == key:
            return address.slug
        known = (self.by_match_key, self.confirmed, self.former)
        return next((it[key] for it in known if key in it), None)


def all_meanings(connection: sa.Connection) -> Meanings:
    """Read what every address means."""
    return _meanings(connection, connection.execute(sa.select(_HOUSE)))


def meanings_of(connection: sa.Connection, address: Address) -> Meanings:
    """Read what one address means, without reading all properties."""
    mine = sa.select(_HOUSE).where(_HOUSE.c.match_key == address.match_key)
    return _meanings(connection, connection.execute(mine))


def with_spellings(
    connection: sa.Connection, houses: Collection[Property]
) -> list[Property]:
    """Return the properties with the spellings people ruled on."""
    alone = len(houses) == 1
    rulings = newest_of(
        connection, About.SPELLING, [it.slug for it in houses] if alone else None
    )
    ruled: dict[tuple[str, str], list[Address]] = defaultdict(list)
    for ruling in rulings.values():
        ruled[ruling.slug, ruling.value] += _addresses([ruling.key])
    if not ruled:
        return list(houses)
    former = _former(connection)
    return [
        replace(
            house,
            spellings=frozenset(
                address.match_key
                for address in ruled[house.slug, SpellingRuling.SAME]
                if _still_means(house, address, former=former)
            ),
            strangers=frozenset(
                it.match_key for it in ruled[house.slug, SpellingRuling.OTHER]
            ),
        )
        for house in houses
    ]


def _still_means(
    house: Property, address: Address, *, former: Collection[tuple[str, str]]
) -> bool:
    """Whether a spelling is like the address the house has now.

    One confirmed before a rename was like the wrong address. The address of a house
    that was merged may be quite another one: its key is an alias.
    """
    if house.address.compare(address) is not Match.OTHER:
        return True
    return (house.slug, address.match_key) in former


def _former(connection: sa.Connection) -> set[tuple[str, str]]:
    """The keys of houses with the match keys of their aliases."""
    alias = tables.alias.c
    rows = connection.execute(sa.select(alias.slug, alias.address))
    return {(row.slug, key) for row in rows for key in _match_keys([row.address])}


def _meanings(connection: sa.Connection, rows: Iterable[AnyRow]) -> Meanings:
    alias = tables.alias.c
    former = connection.execute(sa.select(alias.slug, alias.address)).all()
    return Meanings(
        rows={row.slug: row for row in rows},
        former={k: row.slug for row in former for k in _match_keys([row.address])},
        confirmed={
            key: house.slug
            for house in with_spellings(connection, _ruled(connection))
            for key in house.spellings
        },
    )


def _ruled(connection: sa.Connection) -> list[Property]:
    """The houses about whose spellings anybody ruled."""
    ruling = tables.ruling.c
    slugs = sa.select(ruling.slug).where(ruling.about == About.SPELLING.value)
    rows = connection.execute(sa.select(_HOUSE).where(_HOUSE.c.slug.in_(slugs)))
    return [property_of(row) for row in rows]


def _match_keys(spellings: Iterable[str]) -> set[str]:
    return {address.match_key for address in _addresses(spellings)}


def _addresses(spellings: Iterable[str]) -> list[Address]:
    found = []
    for spelling in spellings:
        try:
            found.append(Address.parse(spelling))
        except InputError:
            continue  # brought from elsewhere, or of a version that read more
    return found


def _order(row: AnyRow) -> tuple[bool, int]:
    return row.removed_at is not None, row.twin
