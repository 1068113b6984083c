"""What a record of a licensed feed says of the house itself.

The names are those of the RESO Data Dictionary, and the older ones of the Spark API.
Agents, offices and remarks are not read.
"""

import re
from collections.abc import Iterator
from typing import Final

from phx_pipeline.model.facts import ListingFacts
from phx_pipeline.sources.json_values import JsonObject
from phx_pipeline.sources.phoenix_mls.licensed import Record
from phx_pipeline.sources.stated import number, rounded, text
from phx_pipeline.sources.stated_facts import (
    monthly_fee,
    own_words,
    parcel_number,
    price,
    private_pool,
    sewer_kind,
    square_feet,
    status_word,
    year,
    yes_or_no,
)

_SQUARE_FEET: Final = "sqft"
_MOST_WORDS = 20
_TWO_WORDS = re.compile(r"(?<=[a-z])(?=[A-Z])")


def record_facts(record: Record) -> ListingFacts:
    """Return the facts of a record; a price only while somebody asks it."""
    told = record.fields
    return ListingFacts(
        list_price=price(told.get("ListPrice")) if record.is_on_market else None,
        bedrooms_total=_number(told, "BedroomsTotal", "BedsTotal"),
        bathrooms_total=_number(
            told, "BathroomsTotalDecimal", "BathroomsTotalInteger", "BathsTotal"
        ),
        living_area=_area(told, "LivingArea") or _area(told, "BuildingArea", "Total"),
        lot_size_square_feet=_lot(told),
        garage_spaces=_number(told, "GarageSpaces"),
        pool_private=_pool(told),
        association_fee=_fee(told),
        sewer=sewer_kind(map(_spaced, _words(told.get("Sewer")))),
        year_built=year(told.get("YearBuilt")),
        days_on_market=rounded(told.get("DaysOnMarket")),
        standard_status=_status(record),
        mls_number=record.mls_id,
        stories_total=_number(told, "StoriesTotal", "Stories"),
        roof=_said(told.get("Roof")),
        construction_materials=_said(told.get("ConstructionMaterials")),
        cooling=_said(told.get("Cooling")),
        heating=_said(told.get("Heating")),
        parcel_number=parcel_number(told.get("ParcelNumber")),
        property_sub_type=_said(told.get("PropertySubType")),
    )


def _number(told: JsonObject, *names: str) -> float | None:
    found = (number(told.get(name)) for name in names)
    return next((value for value in found if value is not None), None)


def _area(told: JsonObject, name: str, end: str = "") -> int | None:
    """Return an area; where no unit is said it is in square feet."""
    unit = text(told.get(f"{name}Units")) or _SQUARE_FEET
    return square_feet(told.get(f"{name}{end}"), unit=_spaced(unit))


def _lot(told: JsonObject) -> int | None:
    return (
        square_feet(told.get("LotSizeSquareFeet"), unit=_SQUARE_FEET)
        or square_feet(told.get("LotSizeAcres"), unit="acres")
        or square_feet(
            told.get("LotSizeArea"), unit=_spaced(text(told.get("LotSizeUnits")))
        )
    )


def _pool(told: JsonObject) -> bool | None:
    stated = yes_or_no(told.get("PoolPrivateYN"))
    features = map(_spaced, _words(told.get("PoolFeatures")))
    return private_pool(features) if stated is None else stated


def _fee(told: JsonObject) -> float | None:
    fee = told.get("AssociationFee")
    if fee is not None:
        frequency = _spaced(text(told.get("AssociationFeeFrequency")))
        return monthly_fee(fee, period=frequency)
    return 0.0 if yes_or_no(told.get("AssociationYN")) is False else None


def _status(record: Record) -> str | None:
    said = record.status or text(record.fields.get("MlsStatus"))
    return status_word(_spaced(str(said)))


def _said(value: object) -> str | None:
    return own_words(", ".join(map(_spaced, _words(value))))


def _words(value: object) -> Iterator[str]:
    """Yield the words of a field: a text, a list, or `{"Tile": true}` as Spark writes.

    Those that a feed hides from us are written as asterisks.
    """
    if isinstance(value, dict):
        value = [name for name, holds in value.items() if holds is True]
    said = value if isinstance(value, list) else [value]
    for word in map(text, said[:_MOST_WORDS]):
        if word.strip("* "):
            yield word


def _spaced(word: str) -> str:
    """Return a name for machines as people write it: `TarGravel` is `Tar Gravel`."""
    return _TWO_WORDS.sub(" ", word)
