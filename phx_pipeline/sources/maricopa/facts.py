"""What a parcel's answer says of the house itself.

Who owns it, what they paid and where their mail goes stands in the same answer, and is
not read; nor are the parcels that it calls similar, which are other homes.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from phx_pipeline.model.facts import ListingFacts
from phx_pipeline.model.valuation import MOST_YEARS, Valuation
from phx_pipeline.sources.json_values import JsonObject
from phx_pipeline.sources.stated import members, members_of_any, number, text, unwrapped
from phx_pipeline.sources.stated_facts import (
    own_words,
    parcel_number,
    size,
    square_feet,
    year,
    yes_or_no,
)

_CODE = re.compile(r"^[A-Z][A-Za-z0-9]{0,3} - ", re.ASCII)  # "Ct - Concrete Tile"


def listing_facts(answer: JsonObject, *, parcel: str) -> ListingFacts:
    """Return the facts of *parcel*; bath fixtures are not baths, and not read."""
    home = _object(answer.get("ResidentialPropertyData"))
    return ListingFacts(
        living_area=_area(home.get("LivableSpace")),
        lot_size_square_feet=_area(home.get("LotSize")) or _area(answer.get("LotSize")),
        garage_spaces=number(home.get("NumberOfGarages")),
        pool_private=_pool(home.get("Pool")),
        year_built=year(home.get("ConstructionYear"))
        or year(home.get("OriginalConstructionYear")),
        stories_total=number(home.get("Stories"))
        or number(home.get("NumberOfStories")),
        roof=_words(home.get("RoofType")),
        construction_materials=_words(home.get("ExteriorWalls")),
        cooling=_words(home.get("Cooling")),
        heating=_words(home.get("Heating")),
        parcel_number=parcel_number(parcel),
        property_sub_type=_words(answer.get("PEPropUseDesc")),
    )


def valuations(answer: JsonObject) -> tuple[Valuation, ...]:
    """Return the values by tax year, as they stand."""
    return tuple(_valuations(answer.get("Valuations")))


def also_read(answer: JsonObject) -> dict[str, bool]:
    """Return which members an answer has that something else stands in for."""
    home, years = answer.get("ResidentialPropertyData"), answer.get("Valuations")
    pages = _object(answer.get("Sketches")).get("Pages")
    values = ("FullCashValue", "LimitedPropertyValue")
    return {
        **members(home, ["LotSize", "ConstructionYear", "OriginalConstructionYear"]),
        **members_of_any(years if isinstance(years, list) else [], values),
        **members_of_any(pages if isinstance(pages, list) else [], ["PageNum"]),
    }


def _valuations(years: object) -> Iterator[Valuation]:
    for entry in years[:MOST_YEARS] if isinstance(years, list) else ():
        stated = _object(entry)
        if tax_year := year(stated.get("TaxYear")):
            yield Valuation(
                tax_year=tax_year,
                full_cash_value=size(stated.get("FullCashValue")),
                limited_property_value=size(stated.get("LimitedPropertyValue")),
            )


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _area(value: object) -> int | None:
    return square_feet(value, unit="sqft")


def _words(value: object) -> str | None:
    return own_words(_CODE.sub("", text(value)))


def _pool(value: object) -> bool | None:
    """Return whether there is a pool, of a flag or of the pool's area."""
    stated = yes_or_no(value)
    if stated is None and (area := number(unwrapped(value))) is not None:
        return area > 0
    return stated
