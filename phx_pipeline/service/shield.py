"""What Dagster's web app fails at becomes one answer that tells no more than it should.

Written for the paths of Dagster 1.13 whose handlers take what is sent on trust.
"""

import logging
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from typing import Final

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from phx_pipeline.model.printable import printable
from phx_pipeline.service.api.problems import Problem, not_found, unexpected
from phx_pipeline.service.asgi import Receive, Scope, Send

logger = logging.getLogger("dagster.phx_pipeline.service")

_LOGS, _DEBUG, _REPORT = "/logs/", "/download_debug/", "/report_"
# What Python raises where a value is not of the form that is taken for granted.
_MISTAKES: Final = (ValueError, TypeError, LookupError, AttributeError, RuntimeError)
_INTERNAL_ERROR: Final = 1011  # of RFC 6455
_LONGEST: Final = 500


class Shield:
    """Answers in place of Dagster's web app where that fails.

    Args:
        app: Dagster's; what it fails at is handled here from now on.
        is_run: Whether Dagster has a run with an id; it may take its time.
        complaint: What Dagster raises where it checks a value.
    """

    def __init__(
        self,
        app: Starlette,
        *,
        is_run: Callable[[str], bool],
        complaint: type[Exception],
    ) -> None:
        self._app = app
        self._mistakes = (complaint, *_MISTAKES)
        self._is_run = is_run
        app.add_exception_handler(Exception, self._answer)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on; what is raised was answered or cannot be answered."""
        try:
            await self._app(scope, receive, send)
        except Exception:
            if not scope.setdefault("state", {}).pop(_TOLD, False):
                told = printable(scope.get("path", ""), most=_LONGEST)
                logger.exception("Dagster's app failed at %s", told)
            if scope["type"] == "websocket":
                with suppress(RuntimeError, OSError):  # it is closed already
                    code = _INTERNAL_ERROR
                    await send({"type": "websocket.close", "code": code})

    async def _answer(self, request: Request, error: Exception) -> Response:
        problem = await self._mistake(request.url.path, error)
        if problem is None:
            return unexpected().response()
        setattr(request.state, _TOLD, True)
        path = printable(request.url.path, most=_LONGEST)
        logger.info("%s: %s", path, problem.detail)
        return problem.response()

    async def _mistake(self, path: str, error: Exception) -> Problem | None:
        """What is wrong with the request; None if the fault is not in there."""
        if not isinstance(error, self._mistakes):
            return None
        if path.startswith(_REPORT):
            told = "this is no event of an asset: send JSON as Dagster reads it"
            return Problem(HTTPStatus.BAD_REQUEST, told)
        if path.startswith(_LOGS):
            return not_found("no log has this path: the page of its run leads to it")
        run_id = path.removeprefix(_DEBUG)
        if run_id == path or await run_in_threadpool(self._is_run, run_id):
            return None
        return not_found("there is no run with this id: the page Runs lists all")


_TOLD: Final = "phx_told"
