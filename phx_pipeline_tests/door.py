"""The whole way into the service, before an app that notes what reaches it."""

import asyncio
import re
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from phx_pipeline.catalog.store import Catalog
from phx_pipeline.jobs.quota import Limits
from phx_pipeline.model.access import (
    ApiKey,
    AuditEntry,
    Principal,
    Role,
    digest_of,
    key_id_of,
    new_key,
)
from phx_pipeline.service.asgi import Message, Receive, Scope, Send, body_of
from phx_pipeline.service.bounds import Bounds
from phx_pipeline.service.entrance import guarded
from phx_pipeline.service.reach import Reach
from phx_pipeline.service.trail import Trail
from phx_pipeline.settings import Settings
from phx_pipeline.wiring.catalog import build_catalog

PORT = 3999
URL = f"http://127.0.0.1:{PORT}"
JSON = {"content-type": "application/json"}
TYPED = {
    "sec-fetch-site": "none",
    "sec-fetch-mode": "navigate",
    "sec-fetch-dest": "document",
}
LOCAL = "ana"
_TOKEN = re.compile(r'name="token" value="([^"]*)"')


class _StaysOpen(Catalog):
    """A catalogue that many close who only looked into it."""

    @classmethod
    def of(cls, catalog: Catalog) -> "_StaysOpen":
        return cls(catalog._engine, leases=catalog.leases)

    def close(self) -> None:
        """Do nothing."""


@dataclass(kw_only=True)
class Door:
    """A service in this process; `reached` are the scopes that came to the app."""

    settings: Settings
    reach: Reach = field(default_factory=lambda: Reach(port=PORT))
    now: datetime = datetime(2026, 3, 1, 12, tzinfo=UTC)
    status: int = 200
    answer: bytes = b"well"
    users: dict[str, str] = field(default_factory=dict)
    reached: list[Scope] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    listens: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self._opened = build_catalog(self.settings)
        catalog = _StaysOpen.of(self._opened)

        def opening() -> Catalog:
            return catalog

        self.catalog = opening
        self.trail = Trail(opening, clock=self.clock)
        self.app = guarded(
            self._app,
            reach=self.reach,
            user=LOCAL,
            trail=self.trail,
            open_catalog=opening,
            bounds=Bounds(
                limits=Limits(jobs_per_hour=2),
                users_of=self._users_of,
                missing_runs=lambda ids: set(ids) - self.users.keys(),
                open_catalog=opening,
                clock=self.clock,
            ),
            clock=self.clock,
        )

    def close(self) -> None:
        """Close the catalogue, once all is noted."""
        self.trail.settle()
        self._opened.close()

    def _users_of(self, ids: Collection[str]) -> set[str]:
        return {self.users[each] for each in ids if each in self.users}

    def clock(self) -> datetime:
        return self.now

    def key(
        self, role: Role, *, name: str = "bob", span: timedelta | None = None
    ) -> str:
        """Add a key, and return its text."""
        text = new_key()
        digest = digest_of(text)
        key = ApiKey(
            id=key_id_of(digest),
            name=name,
            role=role,
            digest=digest,
            created_at=self.now,
            expires_at=self.now + span if span else None,
        )
        assert self.catalog().access.add(key)
        return text

    def revoke(self, text: str) -> None:
        self.catalog().access.revoke(key_id_of(digest_of(text)), at=self.now)

    def audit(self) -> list[AuditEntry]:
        """What was noted, the oldest first."""
        self.trail.settle()
        return list(reversed(self.catalog().audit.entries(limit=100)))

    @property
    def principal(self) -> Principal:
        """Who made the last request that reached the app."""
        found = self.reached[-1]["state"]["principal"]
        assert isinstance(found, Principal)
        return found

    def client(
        self, *, url: str = URL, peer: str = "127.0.0.1", **headers: str
    ) -> httpx.AsyncClient:
        """A client of the service, which follows no redirect."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        transport = httpx.ASGITransport(self.app, client=(peer, 50_000))
        return httpx.AsyncClient(transport=transport, base_url=url, headers=named)

    async def asked(
        self, method: str, path: str, *, key: str | None = None, **more: Any
    ) -> httpx.Response:
        """The answer to a program that shows *key*."""
        headers = more.pop("headers", {})
        if key is not None:
            headers = {**headers, "authorization": f"Bearer {key}"}
        async with self.client() as client:
            return await client.request(method, path, headers=headers, **more)

    async def graphql(self, query: str, *, key: str | None = None, **more: Any) -> int:
        """The status of the answer to a document."""
        body = {"query": query, **more}
        return (await self.asked("POST", "/graphql", key=key, json=body)).status_code

    async def socket(
        self, *texts: str, headers: dict[str, str] | None = None, stays: bool = False
    ) -> list[Message]:
        """What a WebSocket is sent that says these texts; *stays* leaves it open."""
        given = {"host": f"127.0.0.1:{PORT}", **(headers or {})}
        scope: Scope = {
            "type": "websocket",
            "path": "/graphql",
            "query_string": b"",
            "headers": [(k.encode(), v.encode()) for k, v in given.items()],
            "client": ("127.0.0.1", 50_000),
        }
        told: list[Message] = [
            {"type": "websocket.connect"},
            *({"type": "websocket.receive", "text": text} for text in texts),
        ]
        if not stays:
            told.append({"type": "websocket.disconnect", "code": 1000})
        sent: list[Message] = []

        async def receive() -> Message:
            if not told:
                await asyncio.Event().wait()
            return told.pop(0)

        async def send(message: Message) -> None:
            sent.append(message)

        await self.app(scope, receive, send)
        return sent

    async def _app(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.reached.append(scope)
        if scope["type"] == "websocket":
            await self._listen(receive, send)
            return
        self.bodies.append(await body_of(receive) or b"")
        start = {"type": "http.response.start", "status": self.status, "headers": []}
        await send(start)
        await send({"type": "http.response.body", "body": self.answer})

    async def _listen(self, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        while (message := await receive())["type"] == "websocket.receive":
            self.bodies.append(str(message["text"]).encode())
            self.listens.set()


async def logged_in(client: httpx.AsyncClient, key: str, **form: str) -> httpx.Response:
    """Log in by the form, as a browser does; return the answer."""
    page = await client.get("/login")
    sent = {"token": token_of(page), "key": key, **form}
    return await client.post("/login", data=sent)


def token_of(page: httpx.Response) -> str:
    """The token in the form of a page."""
    found = _TOKEN.search(page.text)
    assert found is not None, page.text
    return found[1]
