"""What Zillow says of the house itself, on its detail page and in a search row.

Only the fields named here are read: the same objects name agents and owners, and hold
cards of other homes.
"""

import re
from typing import Any

from phx_pipeline.model.facts import ListingFacts
from phx_pipeline.sources.json_values import JsonObject
from phx_pipeline.sources.stated import days, number, rounded, text
from phx_pipeline.sources.stated_facts import (
    monthly_fee,
    price,
    private_pool,
    sewer_kind,
    size,
    square_feet,
    status_word,
    year,
    yes_or_no,
)

_FOR_SALE = frozenset({"FOR_SALE", "PENDING", "COMING_SOON"})
_UNDER_CONTRACT = "UNDER_CONTRACT"
_SMALL_THEN_LARGE = re.compile(r"(?<=[a-z])(?=[A-Z])")
_MOST_DAYS = 36_500
_MS_PER_DAY = 86_400_000
_NO_LISTING = "OTHER"  # how the site says that a home is not on the market
# What each kind of bathroom counts; `bathrooms` itself counts all of them as one.
_BATHS = {
    "bathroomsFull": 1.0,
    "bathroomsThreeQuarter": 0.75,
    "bathroomsHalf": 0.5,
    "bathroomsOneQuarter": 0.25,
}


def home_facts(home: JsonObject, *, mls_id: str | None) -> ListingFacts:
    """Return the facts of a property object, whose address is the house's."""
    reso = _inner(home, "resoFacts")
    return ListingFacts(
        list_price=_price(home),
        bedrooms_total=_either("bedrooms", home, reso),
        bathrooms_total=_baths(reso) or number(home.get("bathrooms")),
        living_area=_living_area(home, reso=reso),
        lot_size_square_feet=_lot(home, reso=reso),
        garage_spaces=_garage(reso),
        pool_private=_pool(reso),
        association_fee=_fee(home, reso=reso),
        sewer=sewer_kind(_list(reso.get("sewer"))),
        year_built=year(home.get("yearBuilt")) or year(reso.get("yearBuilt")),
        days_on_market=_days(home),
        standard_status=_status(home),
        mls_number=mls_id,
    )


def row_facts(info: JsonObject) -> ListingFacts:
    """Return the facts of a search row's `homeInfo`: fewer than a detail page has."""
    stated, unit = info.get("lotAreaValue"), info.get("lotAreaUnit")
    return ListingFacts(
        list_price=_price(info),
        bedrooms_total=number(info.get("bedrooms")),
        bathrooms_total=number(info.get("bathrooms")),
        living_area=size(info.get("livingArea")),
        lot_size_square_feet=square_feet(stated, unit=unit)
        or size(info.get("lotSize")),
        year_built=year(info.get("yearBuilt")),
        days_on_market=rounded(info.get("daysOnZillow")),
        standard_status=_status(info),
    )


def _price(home: JsonObject) -> int | None:
    """Return the price asked; that of a sold home is an estimate or of its sale."""
    return price(home.get("price")) if status_of(home) in _FOR_SALE else None


def _days(home: JsonObject) -> int | None:
    """Return the days on the site; a new count that still stands at 0 is none yet."""
    stated = days(home.get("daysOnZillow"))
    if stated and stated <= _MOST_DAYS:
        return stated
    told = days(home.get("timeOnZillow"))
    if told is not None and told > _MOST_DAYS:
        told //= _MS_PER_DAY
    return told if told is not None else stated


def status_of(home: JsonObject) -> str:
    """Return the state as the site's own words have it, such as `FOR_SALE`."""
    words = _SMALL_THEN_LARGE.sub("_", text(home.get("homeStatus")))
    return re.sub(r"[\s_-]+", "_", words.upper())


def _baths(reso: JsonObject) -> float | None:
    exact = number(reso.get("bathroomsFloat"))
    if exact:
        return exact
    counts = [(number(reso.get(name)) or 0) * part for name, part in _BATHS.items()]
    return sum(counts) or None


def _living_area(home: JsonObject, *, reso: JsonObject) -> int | None:
    unit = home.get("livingAreaUnits") or home.get("livingAreaUnitsShort") or "sqft"
    for name in ("livingAreaValue", "livingArea"):
        if area := square_feet(home.get(name), unit=unit):
            return area
    return square_feet(reso.get("livingArea"))


def _lot(home: JsonObject, *, reso: JsonObject) -> int | None:
    """Return the lot; `lotSize` is in square feet, whatever `lotAreaUnits` says."""
    stated, unit = home.get("lotAreaValue"), home.get("lotAreaUnits")
    return (
        size(home.get("lotSize"))
        or square_feet(stated, unit=unit)
        or square_feet(reso.get("lotSize"))
    )


def _garage(reso: JsonObject) -> float | None:
    spaces = number(reso.get("garageParkingCapacity"))
    if spaces is None and reso.get("hasGarage") is False:
        return 0.0
    return spaces


def _pool(reso: JsonObject) -> bool | None:
    stated = yes_or_no(reso.get("hasPrivatePool"))
    return private_pool(_list(reso.get("poolFeatures"))) if stated is None else stated


def _fee(home: JsonObject, *, reso: JsonObject) -> float | None:
    stated = (
        monthly_fee(home.get("monthlyHoaFee"), period="monthly"),
        monthly_fee(reso.get("hoaFee")),
        monthly_fee(reso.get("associationFee")),
    )
    fee = next((fee for fee in stated if fee is not None), None)
    if fee is None and reso.get("hasAssociation") is False:
        return 0.0
    return fee


def _status(home: JsonObject) -> str | None:
    """Return the state; a home under contract can still be FOR_SALE."""
    status = status_of(home)
    contingent = text(home.get("contingentListingType"))
    if status == "FOR_SALE" and contingent == _UNDER_CONTRACT:
        status = contingent
    return "Off Market" if status == _NO_LISTING else status_word(status)


def _either(name: str, home: JsonObject, reso: JsonObject) -> float | None:
    stated = number(home.get(name))
    return number(reso.get(name)) if stated is None else stated


def _inner(home: JsonObject, name: str) -> dict[str, Any]:
    inner = home.get(name)
    return inner if isinstance(inner, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else [value]
