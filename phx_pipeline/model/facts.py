"""What a source says of a house itself, in one set of names and units.

The names are those of the RESO Data Dictionary. Sources spell the same fact in their
own ways; the functions here turn a spelling into a value, or into None. In which facts
sources disagree is told in `model.conflicts`.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date
from typing import Any

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


# --- from spellings to values ---------------------------------------------------------

_MOST = 2**31 - 1  # what an integer column holds
_SQUARE_FEET_PER_ACRE = 43_560
FIRST_YEAR, LAST_YEAR = 1600, 2200
_LONGEST_WORDS = 60
_LONGEST_TEXT = 500  # of which a fact is read
_DEEPEST = 3  # wrappers around a value

_NUMBER = re.compile(
    r"\$?\s*(?P<number>(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?)", re.ASCII
)
# Behind a number: it is of another size (`850K`), a part (`2 1/2`), one of several
# (`3-4`), or written in a way we do not read (`298.500,00`).
_GOES_ON = re.compile(
    r"[kmb]\b|e[+-]?\d|[½¼¾⅓⅔]|\s*[.,+/\u2013\u2014-]?\s*\$?\d", re.IGNORECASE
)
_METRIC = re.compile(
    r"m²|\bm2\b|\bsq(?:uare|\.)?\s*m(?:et(?:er|re)s?)?\b|\bhectares?\b|\bha\b",
    re.IGNORECASE,
)
_ACRES = re.compile(r"\bacres?\b", re.IGNORECASE)
_SQUARE_FEET = re.compile(r"\bsq(?:uare|\.)?\s*(?:feet|foot|ft)\b", re.IGNORECASE)
_NOTHING_SAID = frozenset({"", "-", "\u2014", "n/a", "na", "none", "other", "unknown"})
_NO_POOL = frozenset({"none", "no", "no pool"})
_NO_FEE = frozenset({"none", "n/a", "no", "no fee", "no fees", "no hoa"})
_PERIODS: Sequence[tuple[re.Pattern[str], float]] = (
    (re.compile(r"semi-?\s?annual|twice a year", re.IGNORECASE), 6),
    (re.compile(r"bi-?\s?month", re.IGNORECASE), 2),
    (re.compile(r"quarter", re.IGNORECASE), 3),
    (re.compile(r"year|annual|/\s*yr\b", re.IGNORECASE), 12),
    (re.compile(r"week", re.IGNORECASE), 12 / 52),
    (re.compile(r"month|/\s*mo\b", re.IGNORECASE), 1),
)
_OWN_POOL = re.compile(r"\b(?:private|in-?\s?ground|above-?\s?ground)\b", re.IGNORECASE)
_SHARED_POOL = re.compile(r"\b(?:community|association)\b", re.IGNORECASE)
_SEPTIC = re.compile(r"\bseptic\b", re.IGNORECASE)
_CITY_SEWER = re.compile(r"\b(?:public|city|municipal)\b", re.IGNORECASE)
_PARCEL = re.compile(r"(?=.*\d)[A-Z0-9][A-Z0-9-]{2,39}", re.ASCII)
# Book, map and item, with a letter where a parcel was split.
_MARICOPA_PARCEL = re.compile(r"(\d{3})(\d{2})(\d{3}[A-Z]?)", re.ASCII)
_STATUSES: Mapping[str, str] = {
    "active": "Active",
    "active under contract": "Active Under Contract",
    "back on market": "Active",
    "closed": "Closed",
    "coming soon": "Coming Soon",
    "contingent": "Active Under Contract",
    "for sale": "Active",
    "new": "Active",
    "pending": "Pending",
    "recently sold": "Closed",
    "sold": "Closed",
    "under contract": "Active Under Contract",
}


def unwrapped(value: object) -> object:
    """Return a value some pages wrap: `{"value": 7, "displayLevel": 1}` is 7."""
    for _ in range(_DEEPEST):
        if not isinstance(value, dict) or "value" not in value:
            break
        value = value["value"]
    return value


def number(value: object) -> float | None:
    """Return a number a page states, as JSON or at the start of a text (`$1,791`).

    None for what is no number, is negative, or is too large to be stored.
    """
    value = unwrapped(value)
    if isinstance(value, str):
        words = value[:_LONGEST_TEXT].strip()
        found = _NUMBER.match(words)
        if found and _GOES_ON.match(words, found.end()):
            return None
        # Far fewer digits than Python refuses to read.
        text = found["number"].replace(",", "")[:40] if found else ""
        value = float(text) if text else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 <= value <= _MOST else None  # false for not-a-number too


def whole(value: object) -> int | None:
    """Return a stated number, rounded; None like `number`."""
    stated = number(value)
    return None if stated is None else round(stated)


def size(value: object) -> int | None:
    """Return a price or an area; 0 stands for unknown on pages."""
    return whole(value) or None


def price(value: object) -> int | None:
    """Return what is asked for a house; an amount for a month or a week is a rent."""
    return None if _months(_plain(value)) else size(value)


def year(value: object) -> int | None:
    """Return a year a house can be from."""
    stated = whole(value)
    return stated if stated and FIRST_YEAR <= stated <= LAST_YEAR else None


def square_feet(value: object, *, unit: object = None) -> int | None:
    """Return an area in square feet; the unit may stand in the text (`0.25 acres`).

    None if the unit is not known.
    """
    words = f"{_plain(value)} {_plain(unit) or str(unit or '')[:_LONGEST_WORDS]}"
    stated = number(value)
    if stated is None or _METRIC.search(words):
        return None
    if _ACRES.search(words):
        return size(stated * _SQUARE_FEET_PER_ACRE)
    return size(stated) if _SQUARE_FEET.search(words) else None


def monthly_fee(value: object, *, period: object = None) -> float | None:
    """Return a fee in dollars a month, to the cent; 0 where a text says there is none.

    Args:
        value: such as `$150/month`, `$1,200 annually`, `No Fees`, or the bare amount.
        period: such as `Monthly`, where it stands apart.
    """
    words = _plain(value)
    if words.lower() in _NO_FEE:
        return 0.0
    stated = number(value)
    months = _months(f"{words} {_plain(period)}")
    if stated == 0:
        return 0.0
    return None if stated is None or months is None else round(stated / months, 2)


def sewer_kind(words: Iterable[object]) -> str | None:
    """Return `city` or `septic`, or the source's own words if they tell neither."""
    said = [text for word in words if (text := _plain(word))]
    told = ", ".join(text for text in said if text.lower() not in _NOTHING_SAID)
    septic, city = _SEPTIC.search(told), _CITY_SEWER.search(told)
    if septic and not city:
        return "septic"
    if city and not septic:
        return "city"
    return told[:_LONGEST_WORDS] or None


def private_pool(words: Iterable[object]) -> bool | None:
    """Return what a pool's features tell: `None` means no pool.

    A pool of the community tells nothing.
    """
    said = [text for word in words if (text := _plain(word))]
    told = ", ".join(said)
    if _OWN_POOL.search(told) and not _SHARED_POOL.search(told):
        return True
    return False if said and {word.lower() for word in said} <= _NO_POOL else None


def status_word(value: object) -> str | None:
    """Return a status as RESO spells it, or the source's own word."""
    told = _plain(value)
    return _STATUSES.get(told.lower().replace("_", " "), told[:_LONGEST_WORDS]) or None


def own_words(value: object) -> str | None:
    """Return a source's own words as one short line; None where they say nothing.

    `No` is a word: of heating it tells that there is none.
    """
    told = _plain(value).strip(" ,;")[:_LONGEST_WORDS].rstrip()
    return None if told.lower() in _NOTHING_SAID else told


def parcel_number(value: object) -> str | None:
    """Return an assessor's number of a parcel; one of Maricopa County as `501-79-577`.

    Of a number that is written in another way only what divides its parts is made one.
    """
    told = re.sub(r"[\s.-]+", "-", _plain(value).strip()).strip("-").upper()
    if own := _MARICOPA_PARCEL.fullmatch(told.replace("-", "")):
        return "-".join(own.groups())
    return told if _PARCEL.fullmatch(told) else None


def yes_or_no(value: object) -> bool | None:
    """Return what a flag or one of the words Yes and No says."""
    if isinstance(told := unwrapped(value), bool):
        return told
    return {"yes": True, "no": False}.get(_plain(value).lower())


def _months(words: str) -> float | None:
    return next((months for period, months in _PERIODS if period.search(words)), None)


def _plain(value: object) -> str:
    told = unwrapped(value)
    return printable(told, most=_LONGEST_TEXT) if isinstance(told, str) else ""


# The least and the most that is taken from a source, whoever states it.
_RANGES: Mapping[str, tuple[float, float]] = {
    "list_price": (1, 1_000_000_000),
    "bedrooms_total": (0, 100),
    "bathrooms_total": (0, 100),
    "living_area": (1, 1_000_000),
    "lot_size_square_feet": (1, _MOST),
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
        return printable(said, most=_LONGEST_WORDS) or None
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
