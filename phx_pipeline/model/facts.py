"""What a source says of a house itself, in one set of names and units.

The names are those of the RESO Data Dictionary. How sources spell the same fact is read
in their packages. In which facts sources disagree is told in `model.conflicts`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import date
from typing import Any, Final

from phx_pipeline.model.printable import printable
from phx_pipeline.model.source import Source

FactValue = int | float | bool | str


@dataclass(frozen=True, slots=True, kw_only=True)
class ListingFacts:
    """The facts of one answer; None means that the source did not say.

    Prices in dollars, areas in square feet, `association_fee` in dollars a month. Half
    a bath is 0.5. What stands in words is the source's own, but for `sewer` and
    `standard_status`; `construction_materials` are those of the outer walls,
    `parcel_number` is the assessor's, as `parcel_number` writes it.
    """

    list_price: int | None = None
    bedrooms_total: float | None = None
    bathrooms_total: float | None = None
    living_area: int | None = None
    lot_size_square_feet: int | None = None
    garage_spaces: float | None = None
    pool_private: bool | None = None
    association_fee: float | None = None
    sewer: str | None = None
    year_built: int | None = None
    days_on_market: int | None = None
    standard_status: str | None = None
    mls_number: str | None = None
    stories_total: float | None = None
    roof: str | None = None
    construction_materials: str | None = None
    cooling: str | None = None
    heating: str | None = None
    parcel_number: str | None = None
    property_sub_type: str | None = None

    @property
    def stated(self) -> dict[str, FactValue]:
        """The facts that were said, by name, in the order of the fields."""
        named = {name: self.value(name) for name in FACT_NAMES}
        return {name: value for name, value in named.items() if value is not None}

    def value(self, name: str) -> FactValue | None:
        """One fact by its name."""
        value: FactValue | None = getattr(self, name)
        return value


FACT_NAMES = tuple(field.name for field in fields(ListingFacts))


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenFacts:
    """Facts, who stated them, and on which day in Phoenix."""

    source: Source
    seen_on: date
    facts: ListingFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class LastSaid:
    """What a source said last of each fact; `days` tells when it did, by fact.

    The day of `seen` is that of its newest answer.
    """

    seen: SeenFacts
    days: Mapping[str, date]


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceSeen:
    """A price, and the first day a source was seen with it."""

    seen_on: date
    source: Source
    list_price: int


# --- what is taken from a source ------------------------------------------------------

LARGEST_INTEGER: Final = 2**31 - 1  # what an integer column holds
LONGEST_WORDS: Final = 60  # characters of a source's own words
FIRST_YEAR, LAST_YEAR = 1600, 2200


# The least and the most that is taken from a source, whoever states it.
_RANGES: Mapping[str, tuple[float, float]] = {
    "list_price": (1, 1_000_000_000),
    "bedrooms_total": (0, 100),
    "bathrooms_total": (0, 100),
    "living_area": (1, 1_000_000),
    "lot_size_square_feet": (1, LARGEST_INTEGER),
    "garage_spaces": (0, 100),
    "association_fee": (0, 1_000_000),
    "year_built": (FIRST_YEAR, LAST_YEAR),
    "days_on_market": (0, 36_500),
    "stories_total": (0, 200),
}


def plausible(facts: ListingFacts) -> ListingFacts:
    """Return the facts without those no house can have; texts as short lines."""
    held: dict[str, Any] = {
        name: _plausible(name, said) for name, said in facts.stated.items()
    }
    return replace(facts, **held)


def _plausible(name: str, said: FactValue) -> FactValue | None:
    if isinstance(said, str):
        return printable(said, most=LONGEST_WORDS) or None
    least, most = _RANGES.get(name, (0, 1))
    return said if least <= said <= most else None  # false for not-a-number too


# --- over the days --------------------------------------------------------------------

# What a later answer leaves out is over: a house that was sold has no price asked.
_OF_THE_DAY = frozenset({"list_price", "standard_status", "days_on_market"})


def last_said(history: Iterable[SeenFacts]) -> dict[Source, LastSaid]:
    """Return what each source said last of each fact, and when.

    A page may say less than one before, as a search row does; then what was said before
    stands, but for what is of the day: price, status, days on the market.
    """
    found: dict[Source, LastSaid] = {}
    for seen in sorted(history, key=lambda it: it.seen_on):
        before = found.get(seen.source)
        kept = before.seen.facts.stated if before else {}
        kept = {name: it for name, it in kept.items() if name not in _OF_THE_DAY}
        facts: dict[str, Any] = kept | seen.facts.stated
        days = before.days if before else {}
        found[seen.source] = LastSaid(
            seen=replace(seen, facts=ListingFacts(**facts)),
            days={
                name: seen.seen_on if name in seen.facts.stated else days[name]
                for name in facts
            },
        )
    return found


def said_since(
    history: Iterable[SeenFacts],
) -> dict[Source, dict[str, tuple[FactValue, date]]]:
    """Return what each source says of each fact, and the first day it has said so.

    That is the day of the value: it does not change while the source repeats itself.
    What counts as said is told by `last_said`.
    """
    found: dict[Source, dict[str, tuple[FactValue, date]]] = {}
    for seen in sorted(history, key=lambda it: it.seen_on):
        before = found.get(seen.source, {})
        stands = {name: it for name, it in before.items() if name not in _OF_THE_DAY}
        found[seen.source] = stands | {
            name: before[name]
            if name in before and before[name][0] == value
            else (value, seen.seen_on)
            for name, value in seen.facts.stated.items()
        }
    return found


def price_changes(history: Iterable[SeenFacts]) -> tuple[PriceSeen, ...]:
    """Return the first price of each source and every price that differs from its last.

    In the order of the days.
    """
    last: dict[Source, int] = {}
    found = []
    for seen in sorted(history, key=lambda it: (it.seen_on, it.source.value)):
        price = seen.facts.list_price
        if price is not None and last.get(seen.source) != price:
            last[seen.source] = price
            found.append(
                PriceSeen(seen_on=seen.seen_on, source=seen.source, list_price=price)
            )
    return tuple(found)
