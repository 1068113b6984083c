"""How a request is refused: a status and one line that names the remedy.

Whoever asks the REST interface gets a problem document (RFC 9457); everybody else gets
the line as text.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus

from phx_pipeline.service.asgi import POLICY_VIOLATION, Message, Receive, Scope, Send

Header = tuple[bytes, bytes]

OWN_PATHS = (
    "/api",
    "/photos",
    "/healthz",
    "/readyz",
    "/openapi.json",
    "/problems",
)
"""What the REST interface answers, there or not; all else is Dagster's web app's."""
_TEXT = b"text/plain; charset=utf-8"

# Dagster's own policy stays: of several a browser obeys each.
_HEADERS = {
    b"x-frame-options": b"DENY",
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"same-origin",
    b"cross-origin-resource-policy": b"same-origin",
    b"cross-origin-opener-policy": b"same-origin",
}
_TLS_ALONE = (b"strict-transport-security", b"max-age=31536000")
_NO_FRAMES = (b"content-security-policy", b"frame-ancestors 'none'")


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why a request is not answered: a status, and a line that names the remedy.

    Pages of Dagster read *data*, the answer of GraphQL that has the line in it.
    """

    status: int
    text: str
    headers: tuple[Header, ...] = ()
    data: Mapping[str, object] | None = None


async def refuse(refusal: Refusal, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with *refusal*; a WebSocket is closed before it opens."""
    if scope["type"] == "websocket":
        await receive()  # the wish to connect; a close in answer becomes a 403
        await send({"type": "websocket.close", "code": POLICY_VIOLATION})
        return
    for message in messages(refusal, path=scope["path"]):
        await send(message)


def messages(refusal: Refusal, *, path: str) -> Iterable[Message]:
    """Return the answer of ASGI that says *refusal* to who asked for *path*."""
    media_type, body = _told(refusal, path=path)
    headers = [
        (b"content-type", media_type),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        # What was sent with it is not read.
        (b"connection", b"close"),
        *refusal.headers,
    ]
    yield {
        "type": "http.response.start",
        "status": refusal.status,
        "headers": marked(headers),
    }
    yield {"type": "http.response.body", "body": body}


def marked(headers: Iterable[Header]) -> list[Header]:
    """Return *headers* with what forbids frames, foreign readers and guessing."""
    kept = [(name, value) for name, value in headers if name.lower() not in _HEADERS]
    own = _HEADERS.items()
    return [*kept, *own] if _NO_FRAMES in kept else [*kept, *own, _NO_FRAMES]


def by_tls_alone(send: Send) -> Send:
    """Return a *send* that lets browsers come by TLS alone for a year (RFC 6797)."""

    async def telling(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = [*message.get("headers", ()), _TLS_ALONE]
            message = {**message, "headers": headers}
        await send(message)

    return telling


def is_own(path: str) -> bool:
    """Whether a path is one of the REST interface's."""
    return any(path == each or path.startswith(f"{each}/") for each in OWN_PATHS)


def _told(refusal: Refusal, *, path: str) -> tuple[bytes, bytes]:
    if refusal.data is not None:
        told = json.dumps({"data": refusal.data}, ensure_ascii=False)
        return b"application/json", told.encode()
    if not is_own(path):
        return _TEXT, refusal.text.encode() + b"\n"
    phrase = HTTPStatus(refusal.status).phrase
    problem = {
        "type": f"/problems/{phrase.lower().replace(' ', '-')}",
        "title": phrase,
        "status": refusal.status,
        "detail": refusal.text,
    }
    return b"application/problem+json", json.dumps(problem, ensure_ascii=False).encode()
