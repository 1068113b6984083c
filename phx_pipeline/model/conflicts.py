"""In which facts of a house its sources disagree, each of them being what it is.

What the facts are is told in `model.facts`.
"""

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import combinations

from phx_pipeline.model.facts import FACT_NAMES, FactValue, SeenFacts
from phx_pipeline.model.source import Source

_ALMOST = 0.01  # of an area: walls are measured differently
_ROUNDED_LOT = 218  # square feet, half a hundredth of an acre: lots are told in those
_ROUNDED_YEAR = 1  # a year is that of the permit, of the keys, or of the first taxes
_ROUNDED_FEE = 1.0  # dollars a month: of a yearly fee
_CHANGEABLE = frozenset({"list_price", "standard_status"})
# Further apart than this, two values tell of a change, not of a disagreement.
_SAME_TIME = timedelta(days=7)
# Each site counts days from its own start, and has words of its own for what a house
# is made of: `RF - REFRIGERATION` is `Central Air`.
_NOT_COMPARED = frozenset(
    {"days_on_market", "roof", "construction_materials", "cooling", "heating"}
    | {"property_sub_type"}
)
COMPARED_FACTS = tuple(name for name in FACT_NAMES if name not in _NOT_COMPARED)
_UNDER_CONTRACT = frozenset({"Active Under Contract", "Pending"})
_SEWERS = frozenset({"city", "septic"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """A fact in which sources disagree, with what each of them says."""

    name: str
    values: tuple[tuple[Source, FactValue], ...]


def conflicts(seen: Iterable[SeenFacts]) -> tuple[Conflict, ...]:
    """Return the facts in which the newest answers of a property's sources disagree.

    An assessor and a listing differ in nature, so what is no disagreement is this:

    - Living areas within 1 %. A county measures a house from outside, and most listings
      copy it; further apart, a room was built without a permit, or one side is wrong.
    - Lots within 1 % or 218 square feet: sites tell acres with two digits, a county
      square feet (6,240 is 0.14 acres, which is 6,098).
    - Years next to each other: of the permit, of the keys, of the first taxes. Further
      apart, a house was rebuilt, or it is another one.
    - Baths that agree when rounded up, because Zillow's rows count half a bath as one;
      stories less than one apart, as of split levels.
    - Fees within a dollar; prices and states of different weeks.

    A pool or a garage is there or not, whoever says so, and a parcel has one number.
    Words of the sources' own are not compared, nor what an assessor holds a house to be
    worth with what is asked for it.
    """
    ordered = sorted(seen, key=lambda it: it.source.value)
    found = []
    for name in COMPARED_FACTS:
        said = _said(name, ordered)
        differs = _DIFFERS.get(name, _differ)
        pairs = combinations((value for _, value in said), 2)
        if any(differs(one, other) for one, other in pairs):
            found.append(Conflict(name=name, values=said))
    return tuple(found)


def _said(name: str, seen: Sequence[SeenFacts]) -> tuple[tuple[Source, FactValue], ...]:
    stated = [(it, value) for it in seen if (value := it.facts.value(name)) is not None]
    if name in _CHANGEABLE and stated:
        newest = max(it.seen_on for it, _ in stated)
        stated = [pair for pair in stated if newest - pair[0].seen_on < _SAME_TIME]
    return tuple((it.source, value) for it, value in stated)


def _differ(one: FactValue, other: FactValue) -> bool:
    return one != other


def _areas_differ(one: FactValue, other: FactValue) -> bool:
    small, large = sorted((float(one), float(other)))
    return large - small > _ALMOST * large


def _lots_differ(one: FactValue, other: FactValue) -> bool:
    apart = abs(float(one) - float(other))
    return apart > _ROUNDED_LOT and _areas_differ(one, other)


def _years_differ(one: FactValue, other: FactValue) -> bool:
    return abs(float(one) - float(other)) > _ROUNDED_YEAR


def _stories_differ(one: FactValue, other: FactValue) -> bool:
    return abs(float(one) - float(other)) >= 1


def _baths_differ(one: FactValue, other: FactValue) -> bool:
    return math.ceil(float(one)) != math.ceil(float(other))


def _fees_differ(one: FactValue, other: FactValue) -> bool:
    return abs(float(one) - float(other)) > _ROUNDED_FEE


def _sewers_differ(one: FactValue, other: FactValue) -> bool:
    """Own words may mean either: only the two known kinds exclude each other."""
    return {one, other} == _SEWERS


def _states_differ(one: FactValue, other: FactValue) -> bool:
    """A sale under way is one state, by whatever name."""
    return one != other and not {one, other} <= _UNDER_CONTRACT


def _numbers_differ(one: FactValue, other: FactValue) -> bool:
    """Some sites put letters of the MLS before its number, as in `ML81929841`."""
    return _digits(one) != _digits(other)


def _parcels_differ(one: FactValue, other: FactValue) -> bool:
    return re.sub(r"\W", "", str(one)) != re.sub(r"\W", "", str(other))


def _digits(value: FactValue) -> str:
    return re.sub(r"\D", "", str(value)) or str(value)


_DIFFERS: Mapping[str, Callable[[FactValue, FactValue], bool]] = {
    "association_fee": _fees_differ,
    "bathrooms_total": _baths_differ,
    "living_area": _areas_differ,
    "lot_size_square_feet": _lots_differ,
    "mls_number": _numbers_differ,
    "parcel_number": _parcels_differ,
    "sewer": _sewers_differ,
    "standard_status": _states_differ,
    "stories_total": _stories_differ,
    "year_built": _years_differ,
}
