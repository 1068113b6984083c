"""Whether the process lives, and whether all it leans on does.

`/healthz` asks nobody, so that who watches it restarts this process only when it is
this one that hangs. `/readyz` asks every part and names those that are off.
"""

import logging
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from threading import Lock
from typing import Final

from fastapi import APIRouter
from starlette.responses import JSONResponse

from phx_pipeline.model.printable import printable
from phx_pipeline.service.api.problems import Problem

Check = Callable[[], str | None]
"""Returns why a part is off, for people; None if it is not. It may raise as well."""

_FRESH_S: Final = 1.0  # as long an answer is given again, however many ask

logger = logging.getLogger("dagster.phx_pipeline.service.api")


class Health:
    """The two paths that watchers ask.

    Args:
        checks: By the name of each part. They are asked one at a time.
    """

    def __init__(
        self,
        checks: Mapping[str, Check],
        *,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._checks = checks
        self._clock_s = clock_s
        self._asking = Lock()
        self._asked_at_s = -_FRESH_S
        self._found: dict[str, str | None] = {}

    def router(self) -> APIRouter:
        """Both paths."""
        router = APIRouter(tags=["health"])
        router.add_api_route("/healthz", self.lives, methods=["GET"])
        router.add_api_route(
            "/healthz", self.lives, methods=["HEAD"], include_in_schema=False
        )
        router.add_api_route(
            "/readyz",
            self.is_ready,
            methods=["GET"],
            responses={503: {"description": "Some parts are off; it names them."}},
        )
        return router

    async def lives(self) -> JSONResponse:
        """Say that this process answers."""
        return JSONResponse({"status": "ok"})

    def is_ready(self) -> JSONResponse:
        """Say which parts are off, with 503, or that none is."""
        found = self._asked()
        parts = {name: why or "ok" for name, why in found.items()}
        off = [name for name, why in found.items() if why]
        if off:
            raise Problem(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "; ".join(f"{name}: {found[name]}" for name in off),
                headers={"retry-after": "5"},
                more={"off": off, "parts": parts},
            )
        return JSONResponse(
            {"status": "ok", "parts": parts}, headers={"cache-control": "no-store"}
        )

    def _asked(self) -> Mapping[str, str | None]:
        with self._asking:
            if self._clock_s() - self._asked_at_s >= _FRESH_S:
                self._found = {name: _why_off(it) for name, it in self._checks.items()}
                self._asked_at_s = self._clock_s()
            return self._found


def _why_off(check: Check) -> str | None:
    try:
        return check()
    except Exception as error:  # noqa: BLE001 - whatever a part raises, it is off
        logger.warning("not ready: %s", printable(str(error)))
        return "it does not answer: the log of the service tells more"
