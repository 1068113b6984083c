"""Which houses and proposals an address may mean besides its own, were it careless.

What two addresses have in common is told by `model.address`; what becomes of such a
doubt, by `catalog.searches`.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import sqlalchemy as sa

from phx_pipeline.catalog import tables
from phx_pipeline.catalog.rows import property_of
from phx_pipeline.model.address import Address, Match
from phx_pipeline.model.batches import batches

_PROPOSAL = tables.proposal.c
_MANY: Final = 500  # keys in one statement, and doors of one number that are compared

_Means = Callable[[Address], Match]


@dataclass(slots=True)
class _Doors:
    """What has one number in one ZIP, by the ends of units: its key, name, and meaning.

    Units that end differently are different doors, which nobody has to compare: of
    hundreds in one building each has a few.
    """

    by_end: dict[str, list[tuple[str, str, _Means]]] = field(default_factory=dict)

    def add(self, address: Address, name: str, means: _Means) -> None:
        alike = self.by_end.setdefault(_end(address), [])
        if len(alike) < _MANY:
            alike.append((address.match_key, name, means))

    def near(self, address: Address) -> str:
        """Return the name of one that is this door, were one side careless."""
        end = _end(address)
        for each in (end, "") if end else self.by_end:
            for key, name, means in self.by_end.get(each, ()):
                if key != address.match_key and means(address) is Match.NEAR:
                    return name
        return ""


def near_houses(
    connection: sa.Connection, addresses: Sequence[Address]
) -> dict[str, str]:
    """Return why a house in the catalogue may be meant, by the match keys of some."""
    places = _with_houses(connection, addresses)
    found = {it.match_key: places[_place(it.match_key)].near(it) for it in addresses}
    return {key: _doubt(name) for key, name in found.items() if name}


def near_doors(
    connection: sa.Connection, addresses: Sequence[Address]
) -> dict[str, str]:
    """Return why a house, a proposal or an earlier address of *addresses* may be meant.

    By match key; one that is like nothing else has none.
    """
    if not addresses:
        return {}
    places = _with_houses(connection, addresses)
    for other in _proposed(connection, places):
        places[_place(other.match_key)].add(other, str(other), other.compare)
    near: dict[str, str] = {}
    for it in addresses:
        doors = places[_place(it.match_key)]
        if it.match_key not in near and (name := doors.near(it)):
            near[it.match_key] = _doubt(name)
        doors.add(it, str(it), it.compare)
    return near


def _with_houses(
    connection: sa.Connection, addresses: Iterable[Address]
) -> dict[tuple[str, str], _Doors]:
    places = {_place(it.match_key): _Doors() for it in addresses}
    for row in connection.execute(sa.select(tables.house)):
        if doors := places.get(_place(row.match_key)):
            house = property_of(row)
            doors.add(house.address, house.slug, house.means)
    return places


def _proposed(
    connection: sa.Connection, places: Iterable[tuple[str, str]]
) -> Iterator[Address]:
    """Yield the proposals at some places, all of whose keys are read for it."""
    wanted = set(places)
    keys = connection.execute(sa.select(_PROPOSAL.match_key)).scalars()
    alike: dict[tuple[str, str], list[str]] = defaultdict(list)
    for key in keys:
        alike[_place(key)].append(key)
    those = [key for place in wanted for key in alike.get(place, ())]
    for batch in batches(those, _MANY):
        some = _PROPOSAL.match_key.in_(batch)
        for text in connection.execute(sa.select(_PROPOSAL.address).where(some)):
            yield Address.parse(text.address)


def _place(match_key: str) -> tuple[str, str]:
    """The number and the ZIP of a match key."""
    number, _, rest = match_key.partition("|")
    return number, rest.rpartition("|")[2]


def _end(address: Address) -> str:
    return (address.unit or "")[-1:]


def _doubt(name: str) -> str:
    return f"it may be {name}"
