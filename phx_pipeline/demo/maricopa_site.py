"""A stand-in for the Maricopa County Assessor: search and parcels, and the public map.

What is served is a pure function of the houses.
"""

from collections.abc import Callable, Sequence
from http import HTTPStatus
from urllib.parse import parse_qs, urlsplit

from phx_pipeline.demo.houses import HOUSES, House
from phx_pipeline.demo.loopback import Answer, Asked, Handler
from phx_pipeline.demo.maricopa_sketches import sketches_of
from phx_pipeline.sources.maricopa.standin import (
    MAP_HOST,
    MAP_PATH,
    PAGE_HOST,
    SEARCH_PATH,
    TOKEN,
    map_answer,
    parcel_answer,
    parcel_of,
    search_answer,
)

Pages = Callable[[House], Sequence[bytes]]

_JSON = {"content-type": "application/json; charset=utf-8"}
_PARCEL = "/parcel/"


def maricopa_sites(
    houses: Sequence[House] = HOUSES, *, sketches: Pages = sketches_of
) -> dict[str, Handler]:
    """Return the handlers of the assessor's host, and of its public map.

    The first wants the token of the stand-in; an address it does not know it answers
    with nothing (204).

    Args:
        houses: what is known.
        sketches: the drawings of a house.
    """
    known = tuple(houses)
    return {
        PAGE_HOST: _assessor(known, sketches=sketches),
        MAP_HOST: lambda asked: _map(asked, houses=known),
    }


def _assessor(houses: tuple[House, ...], *, sketches: Pages) -> Handler:
    parcels = {f"{_PARCEL}{parcel_of(house)}": house for house in houses}

    def answer(asked: Asked) -> Answer:
        parts = urlsplit(asked.target)
        if asked.headers.get("authorization") != TOKEN:
            return Answer(status=HTTPStatus.UNAUTHORIZED, headers=_JSON)
        if parts.path == SEARCH_PATH:
            return _search(parts.query, houses=houses)
        if house := parcels.get(parts.path):
            others = [other for other in houses if other is not house]
            body = parcel_answer(house, sketches=sketches(house), others=others)
            return Answer(body=body, headers=_JSON)
        return Answer(status=HTTPStatus.NO_CONTENT)

    return answer


def _search(query: str, *, houses: Sequence[House]) -> Answer:
    asked_for = parse_qs(query)
    body = search_answer(
        asked_for.get("q", [""])[0],
        houses=houses,
        page=int(asked_for.get("page", ["1"])[0]),
    )
    return Answer(body=body, headers=_JSON)


def _map(asked: Asked, *, houses: Sequence[House]) -> Answer:
    parts = urlsplit(asked.target)
    if parts.path != MAP_PATH:
        return Answer(status=HTTPStatus.NOT_FOUND)
    where = parse_qs(parts.query).get("where", [""])[0]
    return Answer(body=map_answer(where, houses=houses), headers=_JSON)
