"""What stands around the guard: a server, an app, and what browsers say."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from phx_pipeline.service.asgi import Message, Receive, Scope, Send
from phx_pipeline.service.guard import Guard
from phx_pipeline.service.reach import Reach

PORT = 3000
HOST = "127.0.0.1:3000"
OWN = f"http://{HOST}"
JSON = {"content-type": "application/json"}
EDITOR = {"accept": "text/html,application/xhtml+xml"}
# What browsers say of a request by itself, by where the page that makes it is from.
OWN_PAGE = {"origin": OWN, "sec-fetch-site": "same-origin", "sec-fetch-mode": "cors"}
TYPED = {
    "sec-fetch-site": "none",
    "sec-fetch-mode": "navigate",
    "sec-fetch-dest": "document",
}
LINK = {**TYPED, "sec-fetch-site": "cross-site"}
OTHER_PORT = {"origin": "http://127.0.0.1:5000", "sec-fetch-site": "same-site"}
FOREIGN = {"origin": "http://evil.test", "sec-fetch-site": "cross-site"}
IMAGE = {
    "sec-fetch-site": "cross-site",
    "sec-fetch-mode": "no-cors",
    "sec-fetch-dest": "image",
}
OLD_BROWSER = {"origin": "http://evil.test"}
Fields = Mapping[str, str] | Sequence[tuple[str, str]]


@dataclass(kw_only=True)
class Server:
    """Stands where uvicorn stands; the app behind the guard notes what reaches it."""

    port: int = PORT
    reached: list[Scope] = field(default_factory=list)
    sent: list[Message] = field(default_factory=list)
    read: bytes = b""
    answer: Sequence[tuple[bytes, bytes]] = ()
    stalls: bool = False  # after what is there of a body

    async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.reached.append(scope)
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.accept", "subprotocol": "graphql-ws"})
            return
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise ConnectionError("the client is gone")
            self.read += message.get("body", b"")
            more = message.get("more_body", False)
        headers = list(self.answer)
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"well"})

    def asked(self, scope: Scope, parts: Sequence[bytes] = (b"",)) -> int:
        """The status of the answer; for a WebSocket what a server makes of it."""
        asyncio.run(self._asked(scope, list(parts)))
        kinds = [message["type"] for message in self.sent]
        if scope["type"] == "websocket":
            return 101 if "websocket.accept" in kinds else 403
        assert kinds == ["http.response.start", "http.response.body"]
        status: int = self.sent[0]["status"]
        return status

    async def _asked(self, scope: Scope, parts: list[bytes]) -> None:
        async def receive() -> Message:
            if scope["type"] == "websocket":
                return {"type": "websocket.connect"}
            if not parts:
                await asyncio.Event().wait()
            body, more = parts.pop(0), bool(parts) or self.stalls
            return {"type": "http.request", "body": body, "more_body": more}

        async def send(message: Message) -> None:
            self.sent.append(message)

        await Guard(self.app, reach=Reach(port=self.port))(scope, receive, send)

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        found: list[tuple[bytes, bytes]] = list(self.sent[0]["headers"])
        return found

    @property
    def text(self) -> str:
        return b"".join(message.get("body", b"") for message in self.sent).decode()


def request(
    method: str = "GET",
    path: str = "/",
    fields: Fields = (),
    *,
    host: str | None = HOST,
    query: bytes = b"",
    kind: str = "http",
) -> Scope:
    pairs = list(fields.items()) if isinstance(fields, Mapping) else list(fields)
    if host is not None:
        pairs = [("host", host), *pairs]
    scope: dict[str, Any] = {
        "type": kind,
        "path": path,
        "query_string": query,
        "headers": [(k.encode("latin-1"), v.encode("latin-1")) for k, v in pairs],
    }
    return scope if kind == "websocket" else {**scope, "method": method}


def status(scope: Scope, *, port: int = PORT) -> int:
    """The answer's status; what is refused has not reached the app."""
    server = Server(port=port)
    found = server.asked(scope)
    assert bool(server.reached) == (found in {200, 101})
    return found
