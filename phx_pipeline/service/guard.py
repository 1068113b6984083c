"""Who may ask: the rules every request meets before the app behind them. No Dagster.

The service has no login, so the browser of its user is the way in: any page open there
can send requests to loopback. A page can neither choose `Host` nor hide where it comes
from (`Origin`, `Sec-Fetch-Site`), and without a preflight it cannot send JSON.
"""

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from dataclasses import dataclass
from typing import Any, Self

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

MOST_BODY_BYTES = 8_000_000
MOST_HEADER_BYTES = 32_000
_HOSTS = ("127.0.0.1", "localhost", "[::1]")
_HTTP_PORT = 80
_READING = {"GET", "HEAD"}
_WRITING = {"POST", "PUT", "PATCH", "DELETE"}
_REPORTS = "/report_"  # the webserver takes events of assets there
_POLICY_VIOLATION = 1008
_MOST_DIGITS = 20  # of a length; a number of thousands of digits is slow to read

# Dagster's own policy stays: of several a browser obeys each.
_HEADERS = {
    b"x-frame-options": b"DENY",
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"same-origin",
    b"cross-origin-resource-policy": b"same-origin",
    b"cross-origin-opener-policy": b"same-origin",
}
_NO_FRAMES = (b"content-security-policy", b"frame-ancestors 'none'")


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why a request is not answered: a status, and a line that names the remedy."""

    status: int
    text: str


_TOO_LARGE = Refusal(status=413, text=f"send at most {MOST_BODY_BYTES} B")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the rules look at; `fields` are all header fields, names in lower case."""

    method: str
    path: str
    query: bytes
    fields: tuple[tuple[str, str], ...]
    is_websocket: bool

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
        )

    def one(self, name: str) -> str | None:
        """The value of a header; empty if there are several, None if there is none."""
        found = [value.strip() for key, value in self.fields if key == name]
        return (found[0] if len(found) == 1 else "") if found else None

    @property
    def is_navigation(self) -> bool:
        """Whether a person goes to a page in a window of its own."""
        return (
            self.method in _READING
            and not self.is_websocket
            and self.one("sec-fetch-mode") == "navigate"
            and self.one("sec-fetch-dest") == "document"
        )


class Guard:
    """Lets to *app* only what passes the rules, and marks all answers."""

    def __init__(self, app: App, *, port: int) -> None:
        """Guard *app*, which is served on *port* of loopback."""
        self._app = app
        self._rules = Rules(port=port)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or refuse it."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if refused := self._rules.refusal(Asked.of(scope)):
            await _refuse(refused, scope, receive, send)
        elif scope["type"] == "http":
            await _Exchange(receive, send).answered_by(self._app, scope)
        else:
            await self._app(scope, receive, send)


class Rules:
    """The rules, for a service on *port*."""

    def __init__(self, *, port: int) -> None:
        """Prepare the names under which the service is known."""
        self._url = f"http://127.0.0.1:{port}"
        self._hosts = {f"{host}:{port}" for host in _HOSTS}
        if port == _HTTP_PORT:
            self._hosts |= set(_HOSTS)

    def refusal(self, asked: Asked) -> Refusal | None:
        """Why *asked* is not answered; None if it is."""
        return (
            _size(asked)
            or self._host(asked)
            or _shape(asked)
            or self._sender(asked)
            or _graphql(asked)
            or _report(asked)
        )

    def _host(self, asked: Asked) -> Refusal | None:
        # Compared, not parsed: a spelling that is not one of these is not a browser's.
        if (asked.one("host") or "").lower() in self._hosts:
            return None
        return Refusal(status=421, text=f"not served under this name: open {self._url}")

    def _sender(self, asked: Asked) -> Refusal | None:
        """Refuse what a page of another origin, port or scheme makes a browser send."""
        if asked.is_navigation:
            return None
        origin, site = asked.one("origin"), asked.one("sec-fetch-site")
        own = f"http://{asked.one('host')}".lower()
        if origin is not None and origin.lower() != own:
            return self._foreign()
        return None if site in {None, "same-origin", "none"} else self._foreign()

    def _foreign(self) -> Refusal:
        return Refusal(
            status=403, text=f"sent by a page from elsewhere: open {self._url} yourself"
        )


def _size(asked: Asked) -> Refusal | None:
    size = sum(len(name) + len(value) for name, value in asked.fields)
    if size + len(asked.path) + len(asked.query) > MOST_HEADER_BYTES:
        return Refusal(
            status=431, text=f"headers over {MOST_HEADER_BYTES} B: send less"
        )
    length = asked.one("content-length")
    if length is None:
        return None
    if not (length.isascii() and length.isdigit()):
        return Refusal(status=400, text="send one Content-Length, a number")
    is_long = len(length) > _MOST_DIGITS or int(length) > MOST_BODY_BYTES
    return _TOO_LARGE if is_long else None


def _shape(asked: Asked) -> Refusal | None:
    # A router whose pattern ends in `$` takes `/graphql%0A` for `/graphql`.
    if not asked.path.startswith("/") or not asked.path.isprintable():
        return Refusal(status=400, text="ask for a path, without control characters")
    if asked.method not in _READING | _WRITING:
        return Refusal(status=405, text="use GET or POST")
    return None


def _graphql(asked: Asked) -> Refusal | None:
    """Let GraphQL be asked by POST of JSON alone; a GET shows its editor at most."""
    if asked.path.rstrip("/") != "/graphql" or asked.is_websocket:
        return None
    if asked.method == "POST":
        return _json_only(asked)
    shows_editor = asked.method == "GET" and "text/html" in (asked.one("accept") or "")
    if shows_editor and not asked.query:
        return None
    return Refusal(status=405, text="send GraphQL by POST, as application/json")


def _report(asked: Asked) -> Refusal | None:
    """Refuse events of assets that any form could send."""
    if not asked.path.startswith(_REPORTS) or asked.one("content-type") is None:
        return None
    return _json_only(asked)


def _json_only(asked: Asked) -> Refusal | None:
    media_type = (asked.one("content-type") or "").partition(";")[0].strip().lower()
    if media_type == "application/json":
        return None
    return Refusal(status=415, text="send one Content-Type, application/json")


async def _refuse(refusal: Refusal, scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await receive()  # the wish to connect; a close in answer becomes a 403
        await send({"type": "websocket.close", "code": _POLICY_VIOLATION})
        return
    for message in _messages(refusal):
        await send(message)


def _messages(refusal: Refusal) -> Iterable[Message]:
    body = refusal.text.encode() + b"\n"
    yield {
        "type": "http.response.start",
        "status": refusal.status,
        "headers": _marked(
            [
                (b"content-type", b"text/plain; charset=utf-8"),
                (b"content-length", str(len(body)).encode()),
                (b"cache-control", b"no-store"),
                # What was sent with it is not read.
                (b"connection", b"close"),
            ]
        ),
    }
    yield {"type": "http.response.body", "body": body}


def _marked(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    kept = [(name, value) for name, value in headers if name.lower() not in _HEADERS]
    return [*kept, *_HEADERS.items(), _NO_FRAMES]


class _Exchange:
    """One request and its answer: the body is counted, the answer marked."""

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send
        self._received = 0
        self._answers = False
        self._refused = False

    async def answered_by(self, app: App, scope: Scope) -> None:
        try:
            await app(scope, self._counted, self._marking)
        except Exception:
            # The app was told that the client had gone, and may complain of it.
            if not self._refused:
                raise

    async def _counted(self) -> Message:
        message = await self._receive()
        self._received += len(message.get("body", b""))
        if self._received <= MOST_BODY_BYTES:
            return message
        if not (self._answers or self._refused):
            self._refused = True
            for part in _messages(_TOO_LARGE):
                await self._send(part)
        return {"type": "http.disconnect"}

    async def _marking(self, message: Message) -> None:
        if self._refused:
            return
        if message["type"] == "http.response.start":
            self._answers = True
            message = {**message, "headers": _marked(message.get("headers", ()))}
        await self._send(message)
