"""A stand-in for Redfin: address search, listing pages and the photo CDN.

What is served is a pure function of the houses.
"""

from collections.abc import Sequence
from http import HTTPStatus
from urllib.parse import parse_qs, urlsplit

from phx_pipeline.demo.houses import HOUSES, NEWCOMERS, House
from phx_pipeline.demo.loopback import Answer, Asked, Handler
from phx_pipeline.demo.redfin_photos import photo_cdn
from phx_pipeline.sources.redfin.standin import PAGE_HOST, listing_page
from phx_pipeline.sources.redfin.standin_listings import city_path, place_page
from phx_pipeline.sources.redfin.standin_photos import PHOTO_HOST
from phx_pipeline.sources.redfin.standin_search import (
    AUTOCOMPLETE_PATH,
    Place,
    place_of,
    suggested,
)

_HTML = {"content-type": "text/html; charset=utf-8"}
_JSON = {"content-type": "application/json;charset=utf-8"}

_BLOCK_PAGE = b"""<!DOCTYPE html><html><head><meta charset="utf-8">\
<title>Are You a Robot? | Redfin</title></head><body><div id="header"></div>\
<h1>Are you a robot?</h1><p>Please confirm that you are a person.</p></body></html>"""


def redfin_sites(
    houses: Sequence[House] = HOUSES,
    *,
    newcomers: Sequence[House] = NEWCOMERS,
    blocked: frozenset[str] = frozenset(),
    photo_delay_s: float = 0.0,
) -> dict[str, Handler]:
    """Return the handlers of the page host and of the photo CDN.

    Args:
        houses: what is on the market; each page shows cards of all the others.
        newcomers: on the market too, but shown by searches by place and their own
            pages alone.
        blocked: hosts that answer every request with a block page (403).
        photo_delay_s: pause before each photo. Stand-ins answer one at a time, so it
            slows the whole site: meant for killing a run half-way, not for load.
    """
    sites: dict[str, Handler] = {
        PAGE_HOST: _pages(tuple(houses), newcomers=tuple(newcomers)),
        PHOTO_HOST: photo_cdn([*houses, *newcomers], delay_s=photo_delay_s),
    }
    return {
        host: _refuse if host in blocked else handler for host, handler in sites.items()
    }


# --- address search -------------------------------------------------------------------


def suggest(asked_for: str, *, places: Sequence[Place]) -> Answer:
    """Answer an address search as the site does."""
    return Answer(body=suggested(asked_for, places=places), headers=_JSON)


# --- handlers -------------------------------------------------------------------------


def _refuse(_asked: Asked) -> Answer:
    return Answer(status=HTTPStatus.FORBIDDEN, body=_BLOCK_PAGE, headers=_HTML)


def _missing() -> Answer:
    return Answer(status=HTTPStatus.NOT_FOUND, body=b"Not Found", headers=_HTML)


def _moved(path: str) -> Answer:
    return Answer(status=HTTPStatus.MOVED_PERMANENTLY, headers={"location": path})


def _city(name: str) -> Place:
    return Place(
        line=name,
        city="",
        state="AZ",
        zip_code="",
        home_id=1,
        path=city_path(name),
        is_city=True,
    )


def _pages(houses: tuple[House, ...], *, newcomers: tuple[House, ...]) -> Handler:
    everything = (*houses, *newcomers)
    by_path = {house.path: house for house in everything}
    by_number = {f"/home/{house.home_id}": house for house in everything}
    places = [place_of(house) for house in everything]
    places += map(_city, sorted({house.city for house in everything}))

    def answer(asked: Asked) -> Answer:
        parts = urlsplit(asked.target)
        if parts.path == AUTOCOMPLETE_PATH:
            asked_for = parse_qs(parts.query).get("location", [""])
            return suggest(asked_for[0], places=places)
        if listed := place_page(asked.target, houses=everything):
            return Answer(body=listed, headers=_HTML)
        if house := by_number.get(parts.path):
            return _moved(house.path)
        if house := by_path.get(parts.path):
            others = tuple(other for other in houses if other is not house)
            return Answer(body=listing_page(house, others=others), headers=_HTML)
        return _missing()

    return answer
