"""The words of ASGI, and what a request asks for. Nothing is decided here."""

from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any, Self

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

READING = frozenset({"GET", "HEAD"})
WRITING = frozenset({"POST", "PUT", "PATCH", "DELETE"})
POLICY_VIOLATION = 1008
"""Why a WebSocket is closed that may not be open."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the rules look at; `fields` are all header fields, names in lower case.

    `peer` is the address that the connection came from, empty if the server knows none.
    """

    method: str
    path: str
    query: bytes
    fields: tuple[tuple[str, str], ...]
    is_websocket: bool
    peer: str = ""

    @classmethod
    def of(cls, scope: Scope) -> Self:
        """What a scope of ASGI asks for."""
        fields = ((k.decode("latin-1").lower(), v) for k, v in scope["headers"])
        return cls(
            method=scope.get("method", "GET"),
            path=scope["path"],
            query=scope.get("query_string", b""),
            fields=tuple((name, value.decode("latin-1")) for name, value in fields),
            is_websocket=scope["type"] == "websocket",
            peer=(scope.get("client") or ("", 0))[0],
        )

    def one(self, name: str) -> str | None:
        """The value of a header; empty if there are several, None if there is none."""
        found = [value.strip() for key, value in self.fields if key == name]
        return (found[0] if len(found) == 1 else "") if found else None

    @property
    def media_type(self) -> str:
        """Of the body, in lower case and without parameters; empty if not told once."""
        return (self.one("content-type") or "").partition(";")[0].strip().lower()

    @property
    def is_navigation(self) -> bool:
        """Whether a person goes to a page in a window of its own."""
        return (
            self.method in READING
            and not self.is_websocket
            and self.one("sec-fetch-mode") == "navigate"
            and self.one("sec-fetch-dest") == "document"
        )

    @property
    def wants_page(self) -> bool:
        """Whether pages are read there, of which no browser tells more: `Accept`."""
        return (
            self.method in READING
            and not self.is_websocket
            and "text/html" in (self.one("accept") or "")
            and self.one("sec-fetch-mode") is None
        )

    @property
    def is_graphql(self) -> bool:
        """Whether the router takes it to GraphQL."""
        return self.path.rstrip("/") == "/graphql"


async def body_of(receive: Receive, *, most: int | None = None) -> bytes | None:
    """Read the whole body; None if the client went, or it is longer than *most*."""
    parts, size = [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if most is not None and size > most:
            return None
        if not message.get("more_body", False):
            return b"".join(parts)


def replayed(body: bytes, receive: Receive) -> Receive:
    """Return a `receive` that gives *body* first, and then what *receive* gives."""
    given: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Message:
        return given.pop() if given else await receive()

    return again
