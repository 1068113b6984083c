"""The address search of the stand-in for Redfin."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from phx_pipeline.sources.redfin.standin import MARKET, Json, guarded
from phx_pipeline.sources.standins import House

AUTOCOMPLETE_PATH = "/stingray/do/location-autocomplete"

_SHORT = {
    "avenue": "ave",
    "court": "ct",
    "drive": "dr",
    "lane": "ln",
    "road": "rd",
    "street": "st",
    "north": "n",
    "south": "s",
    "east": "e",
    "west": "w",
}
_IGNORED = frozenset({"unit", "apt", "usa", "az", "arizona"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Something the address search can find."""

    line: str
    city: str
    state: str
    zip_code: str
    home_id: int
    path: str
    is_city: bool = False


def suggested(asked_for: str, *, places: Sequence[Place]) -> bytes:
    """Return the answer to an address search as the site writes it.

    A place asked for exactly comes with `exactMatch`; otherwise the rows hold houses
    of the same street and ZIP, neighbours nobody asked for.
    """
    exact = [place for place in places if _same(asked_for, place=place)]
    found = exact or [place for place in places if _close(asked_for, place=place)]
    rows = [_row(place) for place in found]
    payload: Json = {
        "sections": [{"rows": rows, "name": "Addresses"}] if rows else [],
        "extraResults": {},
        "responseTime": 0,
        "hasFakeResults": False,
        "isGeocoded": False,
        "isRedfinServiced": bool(rows),
    }
    if exact:
        payload["exactMatch"] = rows[0]
    return guarded(payload).encode()


def _row(place: Place) -> Json:
    return {
        "id": f"{2 if place.is_city else 1}_{place.home_id}",
        "type": "2" if place.is_city else "1",
        "name": place.line,
        "subName": f"{place.city}, {place.state}, USA",
        "url": place.path,
        "active": True,
        "claimedHome": False,
        "invalidMRS": False,
        "businessMarketIds": [MARKET],
        "countryCode": "US",
    }


def _words(text: str) -> frozenset[str]:
    found = re.findall(r"[a-z0-9]+", text.lower())
    return frozenset(_SHORT.get(word, word) for word in found) - _IGNORED


def _same(asked_for: str, *, place: Place) -> bool:
    beside = _words(f"{place.city} {place.state}")
    own = _words(f"{place.line} {place.zip_code}")
    return _words(asked_for) - beside == own - beside


def _close(asked_for: str, *, place: Place) -> bool:
    street = {word for word in _words(place.line) if word.isalpha()}
    return street | {place.zip_code} <= _words(asked_for)


def place_of(house: House) -> Place:
    """Return what the address search finds of a house."""
    return Place(
        line=house.unit_line,
        city=house.city,
        state="AZ",
        zip_code=house.zip_code,
        home_id=house.home_id,
        path=house.path,
    )
