"""How facts are called in front of people, and how their values are written."""

from collections.abc import Mapping

from phx_pipeline.model.facts import FactValue, ListingFacts

LABELS: Mapping[str, str] = {
    "list_price": "price",
    "bedrooms_total": "bedrooms",
    "bathrooms_total": "bathrooms",
    "living_area": "living area (sqft)",
    "lot_size_square_feet": "lot (sqft)",
    "garage_spaces": "garage",
    "pool_private": "pool",
    "association_fee": "HOA a month",
    "sewer": "sewer",
    "year_built": "year built",
    "days_on_market": "days on market",
    "standard_status": "status",
    "mls_number": "MLS number",
    "stories_total": "stories",
    "roof": "roof",
    "construction_materials": "outer walls",
    "cooling": "cooling",
    "heating": "heating",
    "parcel_number": "parcel number",
    "property_sub_type": "kind of home",
}
_DOLLARS = frozenset({"list_price", "association_fee"})
_THOUSANDS = frozenset({"living_area", "lot_size_square_feet"})


def shown_value(name: str, value: FactValue | None) -> str:
    """A fact as people read it; nothing for one that is not known."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return value
    number = f"{value:,}" if name in _DOLLARS | _THOUSANDS else f"{value:g}"
    return "$" + number.removesuffix(".0") if name in _DOLLARS else number


def size_words(facts: ListingFacts) -> str:
    """How large a home is: beds, baths and area, as far as they are known."""
    parts = (
        facts.bedrooms_total and f"{facts.bedrooms_total:g} bd",
        facts.bathrooms_total and f"{facts.bathrooms_total:g} ba",
        facts.living_area and f"{facts.living_area:,} sqft",
    )
    return ", ".join(str(part) for part in parts if part)
