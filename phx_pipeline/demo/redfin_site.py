"""A stand-in for Redfin: address search, listing pages and the photo CDN.

What is served is a pure function of the houses.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import parse_qs, urlsplit

from phx_pipeline.demo.houses import HOUSES, House
from phx_pipeline.demo.loopback import Answer, Asked, Handler
from phx_pipeline.demo.redfin_page import (
    MARKET,
    PAGE_HOST,
    Json,
    guarded,
    listing_page,
)
from phx_pipeline.demo.redfin_photos import PHOTO_HOST, photo_cdn

AUTOCOMPLETE_PATH = "/stingray/do/location-autocomplete"

_HTML = {"content-type": "text/html; charset=utf-8"}
_JSON = {"content-type": "application/json;charset=utf-8"}

_BLOCK_PAGE = b"""<!DOCTYPE html><html><head><meta charset="utf-8">\
<title>Are You a Robot? | Redfin</title></head><body><div id="header"></div>\
<h1>Are you a robot?</h1><p>Please confirm that you are a person.</p></body></html>"""

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


def redfin_sites(
    houses: Sequence[House] = HOUSES,
    *,
    blocked: frozenset[str] = frozenset(),
    photo_delay_s: float = 0.0,
) -> dict[str, Handler]:
    """Return the handlers of the page host and of the photo CDN.

    Args:
        houses: what is on the market; each page shows cards of all the others.
        blocked: hosts that answer every request with a block page (403).
        photo_delay_s: pause before each photo. Stand-ins answer one at a time, so it
            slows the whole site: meant for killing a run half-way, not for load.
    """
    sites: dict[str, Handler] = {
        PAGE_HOST: _pages(tuple(houses)),
        PHOTO_HOST: photo_cdn(houses, delay_s=photo_delay_s),
    }
    return {
        host: _refuse if host in blocked else handler for host, handler in sites.items()
    }


# --- address search -------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Something the address search can find."""

    line: str
    city: str
    state: str
    zip_code: str
    home_id: int
    path: str


def suggest(asked_for: str, *, places: Sequence[Place]) -> Answer:
    """Answer an address search as the site does.

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
    return Answer(body=guarded(payload).encode(), headers=_JSON)


def _row(place: Place) -> Json:
    return {
        "id": f"1_{place.home_id}",
        "type": "1",
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


def _place(house: House) -> Place:
    return Place(
        line=house.unit_line,
        city=house.city,
        state="AZ",
        zip_code=house.zip_code,
        home_id=house.home_id,
        path=house.path,
    )


# --- handlers -------------------------------------------------------------------------


def _refuse(_asked: Asked) -> Answer:
    return Answer(status=HTTPStatus.FORBIDDEN, body=_BLOCK_PAGE, headers=_HTML)


def _missing() -> Answer:
    return Answer(status=HTTPStatus.NOT_FOUND, body=b"Not Found", headers=_HTML)


def _moved(path: str) -> Answer:
    return Answer(status=HTTPStatus.MOVED_PERMANENTLY, headers={"location": path})


def _pages(houses: tuple[House, ...]) -> Handler:
    by_path = {house.path: house for house in houses}
    by_number = {f"/home/{house.home_id}": house for house in houses}
    places = [_place(house) for house in houses]

    def answer(asked: Asked) -> Answer:
        parts = urlsplit(asked.target)
        if parts.path == AUTOCOMPLETE_PATH:
            asked_for = parse_qs(parts.query).get("location", [""])
            return suggest(asked_for[0], places=places)
        if house := by_number.get(parts.path):
            return _moved(house.path)
        if house := by_path.get(parts.path):
            others = tuple(other for other in houses if other is not house)
            return Answer(body=listing_page(house, others=others), headers=_HTML)
        return _missing()

    return answer
