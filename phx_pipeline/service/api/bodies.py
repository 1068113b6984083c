"""Bodies in which a field stands once.

JSON lets a name stand twice in an object, and Python's reader keeps the last silently:
two programs may so read two things in one request. What may stand in a body is told by
the models of `words`.
"""

import json
from collections.abc import Callable, Coroutine
from http import HTTPStatus
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

from phx_pipeline.model.printable import printable
from phx_pipeline.service.api.problems import Problem

_LONGEST_NAME = 60


class OnceRoute(APIRoute):
    """A path that refuses a body with the same field twice."""

    def get_route_handler(
        self,
    ) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return what answers a request."""
        answer = super().get_route_handler()

        async def once(request: Request) -> Response:
            return await answer(_OnceRequest(request.scope, request.receive))

        return once


class _OnceRequest(Request):
    async def json(self) -> Any:
        return json.loads(await self.body(), object_pairs_hook=_once)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            told = f"{printable(name, most=_LONGEST_NAME)}: this field stands twice"
            raise Problem(
                HTTPStatus.UNPROCESSABLE_ENTITY, f"{told}: send it once"
            ).raised()
        found[name] = value
    return found
