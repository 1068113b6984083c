"""What a Redfin page says of the house itself.

Only the listing's own objects are read. The page also shows what the county says, of a
house that may since have been replaced (other size, other year), and cards of other
houses; and it names agents. None of that is read.
"""

import re
from collections.abc import Iterator
from typing import Any

from phx_pipeline.model.facts import ListingFacts
from phx_pipeline.sources.json_values import JsonObject
from phx_pipeline.sources.redfin.answers import EmbeddedAnswers
from phx_pipeline.sources.stated import days, number, rounded, text, unwrapped
from phx_pipeline.sources.stated_facts import (
    monthly_fee,
    price,
    private_pool,
    sewer_kind,
    square_feet,
    status_word,
    year,
    yes_or_no,
)

_MS_PER_DAY = 86_400_000
_MILLISECONDS = re.compile(r"\d{1,15}", re.ASCII)
_MOST_DAYS = 36_500
_MOST = 50  # values of one amenity
# Labels of amounts that nobody asks for the house.
_NOT_ASKED = re.compile(
    r"\b(?:sold|estimate|off market|last|previous(?:ly)?|rent(?:al)?|lease"
    r"|month(?:ly)?|bid|deposit)\b",
    re.IGNORECASE,
)

_Amenities = dict[str, list[str]]


def listing_facts(
    answers: EmbeddedAnswers,
    *,
    section: JsonObject,
    mls_id: str | None,
    off_market: bool,
) -> ListingFacts:
    """Return the facts of the house a page is about.

    Args:
        answers: what the page carries.
        section: its `addressSectionInfo`, whose address is the house's.
        mls_id: the listing's number.
        off_market: whether nobody asks a price for it now.
    """
    told = _amenities(answers.optional("belowTheFold").get("amenitiesInfo"))
    return ListingFacts(
        list_price=None if off_market else _price(section),
        bedrooms_total=number(section.get("beds")),
        bathrooms_total=number(section.get("baths")),
        living_area=square_feet(section.get("sqFt"), unit="sqft"),
        lot_size_square_feet=square_feet(section.get("lotSize"), unit="sqft")
        or square_feet(_first(told, "LOT_SIZE_AREA"), unit="sqft"),
        garage_spaces=number(_first(told, "GARAGE_SPACES")),
        pool_private=_pool(told),
        association_fee=_fee(told),
        sewer=sewer_kind(told.get("SEWER", ())),
        year_built=year(section.get("yearBuilt")),
        days_on_market=_days(section),
        standard_status=_status(section),
        mls_number=mls_id,
    )


def _price(section: JsonObject) -> int | None:
    for name in ("priceInfo", "latestPriceInfo"):
        stated = section.get(name)
        if isinstance(stated, dict) and (asked := price(stated.get("amount"))):
            return None if _NOT_ASKED.search(text(stated.get("label"))) else asked
    return None


def _fee(told: _Amenities) -> float | None:
    fee = _first(told, "ASSOCIATION_FEE")
    if fee is not None:
        return monthly_fee(fee, period=_first(told, "ASSOCIATION_FEE_FREQUENCY"))
    return 0.0 if yes_or_no(_first(told, "ASSOCIATION_YN")) is False else None


def _pool(told: _Amenities) -> bool | None:
    stated = yes_or_no(_first(told, "POOL_PRIVATE_YN"))
    return private_pool(told.get("POOL_FEATURES", ())) if stated is None else stated


def _days(section: JsonObject) -> int | None:
    """Return the days on the market; a new count that still stands at 0 is none yet."""
    stated = days(section.get("cumulativeDaysOnMarket"))
    if stated and stated <= _MOST_DAYS:
        return stated
    elapsed = unwrapped(section.get("timeOnRedfin"))
    if isinstance(elapsed, str) and _MILLISECONDS.fullmatch(elapsed):
        elapsed = int(elapsed)
    if isinstance(elapsed, bool) or not isinstance(elapsed, int | float):
        told = days(elapsed) if isinstance(elapsed, str) else None
        return stated if told is None else told
    counted = rounded(elapsed // _MS_PER_DAY)
    return stated if counted is None or counted > _MOST_DAYS else counted


def _status(section: JsonObject) -> str | None:
    status = section.get("status")
    shown = status.get("displayValue", status) if isinstance(status, dict) else status
    return status_word(shown) or status_word(section.get("homeStatusLabel"))


def _amenities(stated: object) -> _Amenities:
    """Return what the MLS says, by the RESO name in capitals, such as `SEWER`.

    Entries of the county have no such name.
    """
    found: _Amenities = {}
    for section in _objects_in(stated, "superGroups"):
        for group in _objects_in(section, "amenityGroups"):
            for entry in _objects_in(group, "amenityEntries"):
                name, values = entry.get("referenceName"), entry.get("amenityValues")
                if isinstance(name, str) and isinstance(values, list):
                    found.setdefault(name, [text(value) for value in values[:_MOST]])
    return found


def _objects_in(holder: object, name: str) -> Iterator[dict[str, Any]]:
    entries = holder.get(name) if isinstance(holder, dict) else None
    for entry in entries if isinstance(entries, list) else ():
        if isinstance(entry, dict):
            yield entry


def _first(told: _Amenities, name: str) -> str | None:
    return next(iter(told.get(name, ())), None)
