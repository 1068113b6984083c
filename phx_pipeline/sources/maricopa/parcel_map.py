"""The county's public parcel map (ArcGIS), which anybody may ask: a few facts, no more.

Asked only where there is no token for all the rest.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from phx_pipeline.errors import SourceChangedError
from phx_pipeline.fetch.base import Fetched
from phx_pipeline.model.address import Address, Match
from phx_pipeline.model.address.street import (
    is_suffix,
    split_first_direction,
    split_last_direction,
)
from phx_pipeline.model.facts import ListingFacts
from phx_pipeline.model.property import Property
from phx_pipeline.sources.json_values import JsonObject
from phx_pipeline.sources.maricopa.answers import (
    decoded,
    is_address,
    member,
    situs,
    text_of,
    zip_in,
)
from phx_pipeline.sources.maricopa.county import MAP_HOST
from phx_pipeline.sources.maricopa.rows import Place, sifted
from phx_pipeline.sources.stated_facts import parcel_number, square_feet, year

_LAYER = f"https://{MAP_HOST}/arcgis/rest/services/Parcels/MapServer/0/query"
_FIELDS = (
    "APN",
    "PHYSICAL_ADDRESS",
    "PHYSICAL_ZIP",
    "CONST_YEAR",
    "LIVING_SPACE",
    "LAND_SIZE",
)
_MOST_ROWS = 50
_WHAT = "the parcel map"
_PARCEL = "a parcel of the map"


@dataclass(frozen=True, slots=True, kw_only=True)
class OnMap:
    """A parcel of the map, and its facts."""

    parcel: str
    facts: ListingFacts


def map_url(address: Address) -> str:
    """Return the URL that asks for the parcels of a number, a street's name and a ZIP.

    The map keeps the parts of an address apart, all in capitals.
    """
    asked = {
        "PHYSICAL_STREET_NUM": address.street_number,
        "PHYSICAL_STREET_NAME": _name_of(address.street),
        "PHYSICAL_ZIP": address.zip_code,
    }
    query = {
        "where": " AND ".join(f"{name}={_literal(it)}" for name, it in asked.items()),
        "outFields": ",".join(_FIELDS),
        "returnGeometry": "false",
        "resultRecordCount": str(_MOST_ROWS),
        "f": "json",
    }
    return f"{_LAYER}?{urlencode(query, quote_via=quote)}"


def parcel_on_map(fetched: Fetched, *, house: Property) -> OnMap | None:
    """Return the one parcel of *house*; None if there is none, or more than one.

    Raises:
        SourceChangedError: the answer has another shape, or tells of an error.
    """
    found: dict[str, OnMap] = {}
    read = sifted(
        _parcels(fetched),
        lambda row: _place(row, house=house),
        house=house,
        what=_PARCEL,
    )
    for parcel, place, attributes in read.rows:
        if house.means(place.address) is Match.SAME:
            facts = _facts(attributes, parcel=parcel)
            found[parcel] = OnMap(parcel=parcel, facts=facts)
    if not found and read.doubt:
        raise SourceChangedError(read.doubt)
    return next(iter(found.values())) if len(found) == 1 else None


def _parcels(fetched: Fetched) -> Iterator[object]:
    """Yield the attributes of each parcel, whatever they are."""
    answer = decoded(text_of(fetched), what=_WHAT)
    features = answer.get("features")
    if not isinstance(features, list):
        told = "an error" if "error" in answer else "no list of features"
        raise SourceChangedError(f"{_WHAT} answered with {told}")
    for feature in features[:_MOST_ROWS]:
        yield feature.get("attributes") if isinstance(feature, dict) else feature


def _place(attributes: JsonObject, *, house: Property) -> Place | None:
    """Read where a parcel is; None if it tells no address with a ZIP code."""
    line = member(attributes, "PHYSICAL_ADDRESS", what=_PARCEL)
    zip_code = zip_in(member(attributes, "PHYSICAL_ZIP", what=_PARCEL))
    if not (zip_code and is_address(line)):
        return None
    own = situs(line, city=house.address.city, zip_code=zip_code)
    return Place(address=own, is_whole=True) if own else None


def _facts(attributes: JsonObject, *, parcel: str) -> ListingFacts:
    return ListingFacts(
        year_built=year(attributes.get("CONST_YEAR")),
        living_area=square_feet(attributes.get("LIVING_SPACE"), unit="sqft"),
        lot_size_square_feet=square_feet(attributes.get("LAND_SIZE"), unit="sqft"),
        parcel_number=parcel_number(parcel),
    )


def _name_of(street: str) -> str:
    """Return the name in a street line: `W Port Royale Ln` is at `PORT ROYALE`."""
    _, words = split_first_direction(street.split())
    words, _ = split_last_direction(words)
    name = words[:-1] if is_suffix(words) else words
    return " ".join(name).upper()


def _literal(text: str) -> str:
    """Return a text as SQL writes it; a quote in it is doubled."""
    return "'" + text.replace("'", "''") + "'"
