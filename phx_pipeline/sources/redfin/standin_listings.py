"""The searches by place of the stand-in for Redfin: what is asked, and its pages.

A page embeds one answer with all its homes; agents and remarks are in it as on real
pages.
"""

import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from phx_pipeline.model.search import Criteria
from phx_pipeline.sources.redfin.standin import MARKET, Json, home_card, state_page
from phx_pipeline.sources.standins import House, matching

_PLACE = re.compile(
    r"/(?:zipcode/(?P<zip>\d{5})|city/\d+/AZ/(?P<city>[A-Za-z-]+))"
    r"(?:/filter/(?P<filters>[^/]+))?",
    re.ASCII,
)
_FIRST_CITY = 7000
_NAMES = {
    "min-price": "min_price",
    "max-price": "max_price",
    "min-beds": "min_beds",
    "min-baths": "min_baths",
}


def asked_for(target: str) -> Criteria | None:
    """Return what a search by place asks for; None for other paths."""
    found = _PLACE.fullmatch(urlsplit(target).path)
    if found is None:
        return None
    pairs = (it.partition("=") for it in (found["filters"] or "").split(",") if it)
    asked: dict[str, Any] = {_NAMES[name]: _number(it) for name, _, it in pairs}
    if found["zip"]:
        return Criteria.of({"zip_codes": [found["zip"]], **asked})
    return Criteria.of({"cities": [found["city"].replace("-", " ")], **asked})


def place_page(target: str, *, houses: Sequence[House]) -> bytes | None:
    """Return the page of a search by place; None for other paths."""
    criteria = asked_for(target)
    if criteria is None:
        return None
    found = matching(houses, criteria)
    path = "/stingray/api/gis?al=1&market=phoenix&num_homes=350&v=8"
    payload: Json = {"homes": [_row(house) for house in found], "dataSources": []}
    return state_page(f"Homes for sale in {criteria.place}", {path: payload})


def city_path(city: str) -> str:
    """Return where the site has the page of a city."""
    number = _FIRST_CITY + sum(map(ord, city))
    return f"/city/{number}/AZ/{city.replace(' ', '-')}"


def _row(house: House) -> Json:
    return {
        **home_card(house),
        "yearBuilt": {"value": house.year_built, "level": 1},
        "lotSize": {"value": house.lot_sqft, "level": 1},
        "dom": {"value": 1, "level": 1},
        "marketId": MARKET,
        "listingAgent": {"name": "An Agent", "redfinAgentId": 1},
        "listingBroker": {"name": "A Broker", "isRedfin": False},
        "listingRemarks": "Call An Agent at 000-000-0000.",
    }


def _number(text: str) -> int:
    return int(text.removesuffix("k")) * (1000 if text.endswith("k") else 1)
