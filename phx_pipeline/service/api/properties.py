"""Which houses are followed: listed, shown, added, renamed, removed."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query, Request
from pydantic import Field
from starlette.responses import JSONResponse, Response

from phx_pipeline.model.address import Address
from phx_pipeline.model.property import Property
from phx_pipeline.reads.documents import house_document, property_document
from phx_pipeline.reads.facts import house_sheet
from phx_pipeline.reads.houses import read_houses, read_removed
from phx_pipeline.reads.paging import LIMIT
from phx_pipeline.service.api import shapes
from phx_pipeline.service.api.bodies import OnceRoute
from phx_pipeline.service.api.deeds import note
from phx_pipeline.service.api.principals import Who
from phx_pipeline.service.api.problems import Problem, not_found
from phx_pipeline.service.api.stores import Stores
from phx_pipeline.service.api.turns import Turns
from phx_pipeline.service.api.words import Body, Cursor, HouseInPath, Limit, Line
from phx_pipeline.workflows import houses
from phx_pipeline.workflows.intake import Doubt, LookAlike

MOST_HOUSES: Final = 1_000

EndingRuns = Callable[[str], None]
"""Ends all runs of the house with a key; raises where one goes on."""


class Addition(Body):
    """Houses to follow."""

    addresses: list[Line] = Field(
        min_length=1,
        max_length=MOST_HOUSES,
        description="Addresses, URLs of listings, or keys of removed houses.",
    )
    confirm: bool = Field(default=False, description="Add those that look odd as well.")


class Correction(Body):
    """The right address of a house."""

    address: Line


class Properties:
    """The houses of one catalogue."""

    def __init__(
        self, stores: Stores, *, ending_runs: EndingRuns, turns: Turns
    ) -> None:
        self._stores = stores
        self._ending_runs = ending_runs
        self._turns = turns

    def router(self) -> APIRouter:
        """All paths of houses."""
        router = APIRouter(
            prefix="/api/properties", tags=["properties"], route_class=OnceRoute
        )
        line = shapes.one("property")
        one = "/{house}"
        may_wait = [Depends(self._turns.turn)]
        router.add_api_route(
            "", self.list_, methods=["GET"], responses=shapes.page("property")
        )
        router.add_api_route(
            "", self.add, methods=["POST"], status_code=201, dependencies=may_wait
        )
        router.add_api_route(
            one, self.house, methods=["GET"], responses=shapes.one("house")
        )
        router.add_api_route(
            one,
            self.rename,
            methods=["PATCH"],
            responses=line,
            dependencies=may_wait,
        )
        router.add_api_route(
            one,
            self.remove,
            methods=["DELETE"],
            status_code=204,
            dependencies=may_wait,
        )
        return router

    def list_(
        self,
        limit: Limit = LIMIT,
        cursor: Cursor = None,
        *,
        removed: Annotated[
            bool, Query(description="The removed houses, and since when.")
        ] = False,
    ) -> JSONResponse:
        """Return a page of houses, by key."""
        reads = self._stores.reads
        if removed:
            gone = read_removed(reads, limit=limit, cursor=cursor)
            told = (
                property_document(it.house, removed_at=it.removed_at)
                for it in gone.rows
            )
            return shapes.page_of(told, gone.next)
        page = read_houses(reads, limit=limit, cursor=cursor)
        return shapes.page_of(map(property_document, page.rows), page.next)

    def house(self, house: HouseInPath) -> JSONResponse:
        """Return all that is known of a house, as `phx properties show`."""
        sheet = house_sheet(self._stores.reads, self._followed(house))
        return JSONResponse(house_document(sheet))

    def add(self, request: Request, who: Who, asked: Addition) -> JSONResponse:
        """Follow houses, all or none; known ones stay, removed ones are taken up."""
        with self._stores.changing(who.user) as context:
            named = houses.read_houses(context, asked.addresses)
            _require_read(named)
            if named.doubts and not asked.confirm:
                raise _to_be_confirmed(named.doubts)
            sure = [*named.taken, *(it.typed for it in named.doubts)]
            done = houses.follow(context, sure)
        for house in (*done.report.added, *done.report.revived):
            note(request, who, "house.add", house.slug)
        return JSONResponse(
            {
                "added": [property_document(it) for it in done.report.added],
                "followed_again": [property_document(it) for it in done.report.revived],
                "known": [property_document(it.house) for it in done.report.known],
                "look_alikes": [_alike_document(it) for it in done.alike],
            },
            status_code=HTTPStatus.CREATED if _is_new(done) else HTTPStatus.OK,
        )

    def rename(
        self, request: Request, who: Who, house: HouseInPath, asked: Correction
    ) -> JSONResponse:
        """Correct the address of a house; folder, photos and names stay."""
        before = self._followed(house)
        address = Address.parse(asked.address)
        with self._stores.changing(who.user) as context:
            after = houses.rename(context, before.slug, address)
        told = f"formerly {before.slug}: {before.address}"
        note(request, who, "house.rename", after.slug, detail=told)
        return JSONResponse(property_document(after))

    def remove(self, request: Request, who: Who, house: HouseInPath) -> Response:
        """Stop following a house; what is known of it stays, and its runs end."""
        known = self._stores.catalog.houses.find(house.strip().lower())
        if known is None:
            raise _unknown(house)
        with self._stores.changing(who.user) as context:
            gone, is_new = houses.remove(
                context, known.house.slug, ending_runs=self._ending_runs
            )
        if is_new:
            note(request, who, "house.remove", gone.slug)
        return Response(status_code=HTTPStatus.NO_CONTENT)

    def _followed(self, key: str) -> Property:
        known = self._stores.catalog.houses.find(key.strip().lower())
        if known is None or known.removed_at is not None:
            raise _unknown(key)
        return known.house


def _unknown(key: str) -> Problem:
    return not_found(f"no house {key!r} is followed: GET /api/properties lists them")


def _require_read(named: houses.Named) -> None:
    if not named.unread:
        return
    wrong = [
        {"field": f"addresses.{number}", "detail": why} for number, why in named.unread
    ]
    raise Problem(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        f"nothing was added: {wrong[0]['field']}: {wrong[0]['detail']}",
        more={"errors": wrong},
    )


def _to_be_confirmed(doubts: tuple[Doubt, ...]) -> Problem:
    told = [
        {
            "address": str(it.typed.house.address),
            "text": it.typed.text,
            "question": it.question,
        }
        for it in doubts
    ]
    return Problem(
        HTTPStatus.CONFLICT,
        f"nothing was added: {told[0]['address']}: {told[0]['question']}: send it "
        'again with "confirm": true if it is right',
        more={"doubts": told},
    )


def _alike_document(alike: LookAlike) -> dict[str, object]:
    return {
        "added": alike.added.slug,
        "other": alike.other.slug,
        "only_zip": alike.only_zip,
    }


def _is_new(done: houses.Followed) -> bool:
    return bool(done.report.added or done.report.revived)
