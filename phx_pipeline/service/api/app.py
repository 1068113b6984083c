"""The app of the REST interface: its paths, its limits, its errors.

It stands behind the guard, beside Dagster's web app: `Fork` sends each request to one
of the two.
"""

import logging
from collections.abc import Iterable
from http import HTTPStatus
from typing import Final

from fastapi import APIRouter, Depends, FastAPI
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from phx_pipeline.service.api.page import page_router
from phx_pipeline.service.api.problems import Problem, problem_paths, tell_problems
from phx_pipeline.service.api.queries import require_known_query
from phx_pipeline.service.api.shapes import problems, with_documents
from phx_pipeline.service.refusals import is_own

MOST_BODY_BYTES: Final = 1_000_000

_JSON: Final = "application/json"
_READING: Final = frozenset({"GET", "HEAD"})
_MOST_DIGITS: Final = 20  # of a length; a number of thousands of digits is slow to read

_ABOUT: Final = """\
Jobs, houses and pictures of one data folder.

Lists come in pages: `next` of an answer is the `cursor` of the next page. Every error
is a problem document (RFC 9457) whose `detail` names the remedy.
"""

logger = logging.getLogger("dagster.phx_pipeline.service.api")


def build_app(routers: Iterable[APIRouter], *, local_user: str | None) -> ASGIApp:
    """Return the app that serves *routers*.

    Args:
        routers: All paths but those that show what there is.
        local_user: Whose requests they are that tell of nobody.
    """
    app = FastAPI(
        title="phx_pipeline",
        version="1",
        description=_ABOUT,
        openapi_url="/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        dependencies=[Depends(require_known_query)],
    )
    app.state.local_user = local_user
    for router in routers:
        app.include_router(router, responses=problems())
    with_documents(app)
    app.include_router(page_router(app.openapi))
    app.include_router(problem_paths())
    tell_problems(app)
    return Unfailing(Bounded(app))


class Fork:
    """Sends what is asked of the REST interface to *api*, all else to *app*."""

    def __init__(self, app: ASGIApp, api: ASGIApp) -> None:
        self._app = app
        self._api = api

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on."""
        is_ours = scope["type"] == "http" and is_own(scope["path"])
        await (self._api if is_ours else self._app)(scope, receive, send)


class Bounded:
    """Lets to *app* only bodies of JSON, of at most `MOST_BODY_BYTES`."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if refused := _refused(scope):
            await refused.response()(scope, receive, send)
            return
        received = 0

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > MOST_BODY_BYTES:
                raise _too_large().raised()
            return message

        await self._app(scope, counted, send)


class Unfailing:
    """Logs what *app* raises: its answer, a problem document, was sent before.

    What an answer does not say to be kept, nobody is to keep.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""

        async def unkept(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).setdefault("cache-control", "no-store")
            await send(message)

        try:
            await self._app(scope, receive, unkept)
        except ClientDisconnect:
            logger.info("%s %s: the client went", scope["method"], scope["path"])
        except Exception:
            logger.exception("%s %s", scope.get("method"), scope.get("path"))


def _refused(scope: Scope) -> Problem | None:
    """Why a body is not read, as the headers tell of it."""
    headers = Headers(scope=scope)
    length = headers.get("content-length", "0")
    if not length.isdigit() or int(length[:_MOST_DIGITS]) > MOST_BODY_BYTES:
        return _too_large()
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    has_body = length != "0" or "transfer-encoding" in headers
    is_told = bool(kind) and scope["method"] not in _READING  # as any form may
    if kind != _JSON and (has_body or is_told):
        told = f"send what you send as {_JSON}, with this Content-Type"
        return Problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, told)
    return None


def _too_large() -> Problem:
    told = f"send at most {MOST_BODY_BYTES} B of JSON"
    return Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, told)
