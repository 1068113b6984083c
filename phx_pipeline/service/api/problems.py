"""Errors as problem documents (RFC 9457). No path of this machine is in one.

A text that people are meant to read is ours and names the remedy; what only helps
whoever runs the service goes to its log.
"""

import logging
from collections.abc import Mapping
from http import HTTPStatus
from math import ceil
from typing import Final, NoReturn, cast

from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, PlainTextResponse

from phx_pipeline.errors import (
    CatalogDownError,
    CatalogError,
    CatalogFullError,
    DiskError,
    DiskFullError,
    InputError,
    LeaseHeldError,
    NoCatalogError,
    PhxError,
    QuotaError,
    RevisionError,
    ServiceError,
    StorageError,
    UnknownJobError,
    UnknownPropertyError,
)
from phx_pipeline.model.printable import printable

MEDIA_TYPE: Final = "application/problem+json"

_LONGEST: Final = 500
_MOST_FIELDS: Final = 20
_INVALID_JSON: Final = "json_invalid"
_MOMENT: Final = "give a day or a moment, such as 2026-11-28T07:00:00Z"
_PLAINLY: Final = {
    _INVALID_JSON: "what was sent is no JSON from here on",
    "extra_forbidden": "there is no such field: /api/docs shows which there are",
    "missing": "this is needed",
    "model_attributes_type": "send a JSON object, {…}",
    "string_pattern_mismatch": "a character in it is not allowed here",
    "datetime_from_date_parsing": _MOMENT,
    "datetime_parsing": _MOMENT,
}
_HOUSES: Final = (
    "GET /api/properties lists those that are followed, POST there follows one"
)
_SOON: Final = {"retry-after": "5"}
_MISSING: Final = (
    "the catalogue is missing where the service looks for it: put the data folder back "
    "if it was moved, mount its disk, or start `phx up` for the folder it is in; "
    "`phx init` would make another one, which is empty"
)
_FULL: Final = "the disk of the service is full: make room there, and ask again"

# The first that fits; without a text the error's own is for people.
_OURS: Final[tuple[tuple[type[PhxError], HTTPStatus, str | None], ...]] = (
    (UnknownJobError, HTTPStatus.NOT_FOUND, None),
    (InputError, HTTPStatus.UNPROCESSABLE_ENTITY, None),
    (QuotaError, HTTPStatus.TOO_MANY_REQUESTS, None),
    (
        LeaseHeldError,
        HTTPStatus.CONFLICT,
        "somebody works on this house, and nothing was changed: try again in a minute",
    ),
    (
        CatalogDownError,
        HTTPStatus.SERVICE_UNAVAILABLE,
        "the catalogue does not answer now: try again in a minute",
    ),
    (CatalogFullError, HTTPStatus.SERVICE_UNAVAILABLE, _FULL),
    (
        NoCatalogError,
        HTTPStatus.SERVICE_UNAVAILABLE,
        _MISSING,
    ),
    (
        RevisionError,
        HTTPStatus.SERVICE_UNAVAILABLE,
        "the catalogue is not of this version: run `phx init` where the service runs",
    ),
    (
        CatalogError,
        HTTPStatus.SERVICE_UNAVAILABLE,
        "the catalogue cannot be used: the log of the service tells why",
    ),
    (
        StorageError,  # it does not come back by itself
        HTTPStatus.NOT_FOUND,
        "a file is gone or damaged: `phx verify` names it, `phx repair` mends it",
    ),
    (DiskFullError, HTTPStatus.SERVICE_UNAVAILABLE, _FULL),
    (
        DiskError,
        HTTPStatus.SERVICE_UNAVAILABLE,
        "the disk refused a file: the log of the service tells which, and why",
    ),
    (
        ServiceError,
        HTTPStatus.SERVICE_UNAVAILABLE,
        None,
    ),
)

logger = logging.getLogger("dagster.phx_pipeline.service.api")


class Problem(Exception):  # noqa: N818 - the word of the standard
    """An answer that is a problem document.

    Args:
        status: Of the answer.
        detail: What is wrong with this request, and the remedy.
        headers: Beside those of every answer.
        more: Further members of the document.
    """

    def __init__(
        self,
        status: HTTPStatus,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        more: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = dict(headers or {})
        self.more = dict(more or {})

    @property
    def document(self) -> dict[str, object]:
        """As it is sent."""
        return {
            "type": type_of(self.status),
            "title": self.status.phrase,
            "status": self.status.value,
            "detail": printable(self.detail, most=_LONGEST),
            **self.more,
        }

    def response(self) -> JSONResponse:
        """Return the answer."""
        return JSONResponse(
            self.document,
            status_code=self.status,
            headers={"cache-control": "no-store", **self.headers},
            media_type=MEDIA_TYPE,
        )

    def raised(self) -> HTTPException:
        """Return the same for where FastAPI lets nothing else pass: in a body."""
        return HTTPException(self.status, self.detail)


def type_of(status: HTTPStatus) -> str:
    """The `type` of problems with this status: a path of the service itself."""
    return f"/problems/{status.phrase.lower().replace(' ', '-')}"


def problem_paths() -> APIRouter:
    """Return what the `type` of a problem leads to."""
    router = APIRouter()

    def problem(name: str) -> PlainTextResponse:
        """Say in one line what kind of problem a `type` names."""
        for status in HTTPStatus:
            if type_of(status) == f"/problems/{name}":
                return PlainTextResponse(f"{status.phrase}: {status.description}\n")
        raise not_found("there is no such kind of problem")

    router.add_api_route(
        "/problems/{name}", problem, methods=["GET"], include_in_schema=False
    )
    return router


def not_found(detail: str) -> Problem:
    """What is asked for is not there, or not this user's."""
    return Problem(HTTPStatus.NOT_FOUND, detail)


def unexpected() -> Problem:
    """Something failed that should not, and who asked is told nothing of it."""
    return Problem(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "something went wrong that should not: the log of the service tells more",
    )


def refuse(detail: str, *, field: str) -> NoReturn:
    """Refuse what was sent in *field*."""
    wrong = [{"field": field, "detail": detail}]
    raise Problem(
        HTTPStatus.UNPROCESSABLE_ENTITY, f"{field}: {detail}", more={"errors": wrong}
    )


def tell_problems(app: FastAPI) -> None:
    """Make every error of *app* a problem document."""
    app.add_exception_handler(Problem, _own)
    app.add_exception_handler(PhxError, _of_ours)
    app.add_exception_handler(RequestValidationError, _of_request)
    app.add_exception_handler(HTTPException, _of_router)
    app.add_exception_handler(Exception, _unexpected)


def problem_of(error: PhxError) -> Problem:
    """Return what a client is told of *error*."""
    status, text = next(
        ((status, text) for kind, status, text in _OURS if isinstance(error, kind)),
        (HTTPStatus.INTERNAL_SERVER_ERROR, "the log of the service tells more"),
    )
    if text is not None:
        logger.warning("%s", printable(str(error), most=_LONGEST))
    more = {}
    if isinstance(error, UnknownPropertyError):
        text = f"{error.what}: {_HOUSES}"
        more["unknown_property"] = error.what  # for those who use other words
    passing = {HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.CONFLICT}
    headers = _SOON if status in passing else {}
    if isinstance(error, QuotaError) and error.retry_after_s is not None:
        headers = {"retry-after": str(ceil(error.retry_after_s))}
    return Problem(status, text or str(error), headers=headers, more=more)


async def _own(_request: Request, error: Exception) -> JSONResponse:
    return cast("Problem", error).response()


async def _of_ours(_request: Request, error: Exception) -> JSONResponse:
    return problem_of(cast("PhxError", error)).response()


async def _of_request(_request: Request, error: Exception) -> JSONResponse:
    """Tell which fields are wrong, without what was sent in them."""
    errors = cast("RequestValidationError", error).errors()
    found = [
        (_field(it["loc"]), _PLAINLY.get(it["type"], str(it["msg"]))) for it in errors
    ]
    is_json = all(it["type"] != _INVALID_JSON for it in errors)
    status = HTTPStatus.UNPROCESSABLE_ENTITY if is_json else HTTPStatus.BAD_REQUEST
    told = "; ".join(f"{field}: {message}" for field, message in found[:_MOST_FIELDS])
    wrong = [
        {"field": field, "detail": printable(message)}
        for field, message in found[:_MOST_FIELDS]
    ]
    return Problem(status, told, more={"errors": wrong}).response()


def _field(place: tuple[int | str, ...]) -> str:
    return printable(".".join(str(part) for part in place), most=100)


async def _of_router(_request: Request, error: Exception) -> JSONResponse:
    refused = cast("HTTPException", error)
    status = HTTPStatus(refused.status_code)
    told = {
        HTTPStatus.BAD_REQUEST: "the body cannot be read: send JSON in UTF-8, with "
        "less in one another, and numbers of fewer digits",
        HTTPStatus.NOT_FOUND: "there is nothing at this path: /openapi.json lists all",
        HTTPStatus.METHOD_NOT_ALLOWED: "this path is not asked in this way: the header "
        "Allow tells how",
    }
    detail = told.get(status, str(refused.detail))
    return Problem(status, detail, headers=refused.headers).response()


async def _unexpected(_request: Request, error: Exception) -> JSONResponse:
    """Tell nothing of what happened; `app.Unfailing` logs it."""
    del error
    return unexpected().response()
