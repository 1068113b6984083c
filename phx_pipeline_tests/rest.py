"""The REST interface behind the guard, asked within this process."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import cache
from typing import Any

import httpx

from phx_pipeline.model.access import Principal, Role
from phx_pipeline.reads.base import Reads
from phx_pipeline.service.api.app import Fork
from phx_pipeline.service.api.health import Check
from phx_pipeline.service.api.rest import build_rest
from phx_pipeline.service.api.stores import Stores
from phx_pipeline.service.asgi import App
from phx_pipeline.service.guard import Guard
from phx_pipeline.service.reach import Reach
from phx_pipeline.settings import Settings
from phx_pipeline.wiring.clock import utc_now
from phx_pipeline.wiring.reads import build_reads
from phx_pipeline_tests.queue_stand_in import QueueStandIn

PORT = 3999
URL = f"http://127.0.0.1:{PORT}"


LOCAL = Principal(user="local", role=Role.ADMIN, is_local=True)


class Rest:
    """A client, and who asks by it: `who` stands for what the guard puts down."""

    def __init__(self, client: httpx.AsyncClient, app: App) -> None:
        self.client = client
        self.app = app
        self.who = LOCAL
        self.deeds: list[tuple[str, str]] = []

    async def audit(self, action: str, target: str, *, detail: str = "") -> None:
        """Note a deed, as the guard's call does."""
        del detail
        self.deeds.append((action, target))

    async def __call__(self, method: str, path: str, **sent: Any) -> httpx.Response:
        return await self.client.request(method, path, **sent)

    async def get(self, path: str, **headers: str) -> httpx.Response:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.client.get(path, headers=given)

    async def pages(self, path: str) -> list[Sequence[Any]]:
        """All pages of a list, each asked for with the cursor of the one before."""
        found, cursor = [], ""
        while True:
            mark = "&" if "?" in path else "?"
            answer = await self.get(f"{path}{mark}cursor={cursor}" if cursor else path)
            assert answer.status_code == 200, answer.text
            found.append(answer.json()["items"])
            if (cursor := answer.json()["next"]) is None:
                return found


class _Named:
    """Puts down who asks, between the guard and the app."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self.rest: Rest | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        who = self.rest.who if self.rest else LOCAL
        state = scope.setdefault("state", {})
        state["principal"] = who
        state["audit"] = self.rest.audit if self.rest else None
        await self._app(scope, receive, send)


async def nothing_else(scope: Any, receive: Any, send: Any) -> None:
    """In place of Dagster's web app."""
    del receive
    assert scope["type"] == "http"
    headers = [(b"content-type", b"text/plain")]
    await send({"type": "http.response.start", "status": 404, "headers": headers})
    await send({"type": "http.response.body", "body": b"nothing else"})


@asynccontextmanager
async def serving(
    settings: Settings,
    *,
    opening: Callable[[Settings], Reads] = build_reads,
    checks: Mapping[str, Check] | None = None,
    **more: Any,
) -> AsyncIterator[Rest]:
    """A client of the REST interface of these stores; errors become answers."""
    stores = Stores(settings, opening=opening)
    try:
        async with _asking(_app_on(stores, checks=checks, **more)) as rest:
            yield rest
    finally:
        stores.close()


@asynccontextmanager
async def looking(settings: Settings) -> AsyncIterator[Rest]:
    """A client of stores that nobody changes: one app is made for all tests."""
    async with _asking(_app_to_look_at(settings)) as rest:
        yield rest


@cache
def _app_to_look_at(settings: Settings) -> "_Named":
    return _app_on(Stores(settings))


def _app_on(
    stores: Stores, *, checks: Mapping[str, Check] | None = None, **more: Any
) -> "_Named":
    """The app without Dagster, but for a stand-in of its queue."""
    queue = QueueStandIn(utc_now)
    rest = build_rest(stores, runs=lambda _catalog: queue, checks=checks or {}, **more)
    return _Named(Fork(nothing_else, rest))


@asynccontextmanager
async def _asking(named: "_Named") -> AsyncIterator[Rest]:
    app = Guard(named, reach=Reach(port=PORT))
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=URL) as client:
        named.rest = Rest(client, app)
        yield named.rest


def problem(answer: httpx.Response) -> dict[str, Any]:
    """The problem document of an answer, which is whole and tells no path."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    told: dict[str, Any] = answer.json()
    assert told["status"] == answer.status_code
    assert told["type"].startswith("/problems/")
    assert told["title"]
    assert told["detail"]
    assert "Traceback" not in answer.text
    assert "/tmp" not in answer.text  # noqa: S108 - where the tests' stores are
    return told
