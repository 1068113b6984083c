"""Who may ask: the rules every request meets before the app behind them. No Dagster.

The service has no login, so the browser of its user is the way in: any page open there
can send requests to loopback. A page can neither choose `Host` nor hide where it comes
from (`Origin`, `Sec-Fetch-Site`), and without a preflight it cannot send JSON.
"""

import asyncio
from contextlib import suppress

from phx_pipeline.model.printable import printable
from phx_pipeline.service.asgi import (
    READING,
    WRITING,
    App,
    Asked,
    Message,
    Receive,
    Scope,
    Send,
)
from phx_pipeline.service.reach import Reach
from phx_pipeline.service.refusals import (
    Refusal,
    by_tls_alone,
    marked,
    messages,
    refuse,
)

MOST_BODY_BYTES = 8_000_000
MOST_HEADER_BYTES = 32_000
BODY_S = 60.0
"""So long a body may take to come."""
SILENT_S = 30.0
"""So long nothing of it need come."""
_REPORTS = "/report_"  # the webserver takes events of assets there
_DOTS = {".", ".."}
_MOST_TOLD = 100  # letters of a name that is none of ours
_MOST_DIGITS = 20  # of a length; a number of thousands of digits is slow to read

_TOO_LARGE = Refusal(status=413, text=f"send at most {MOST_BODY_BYTES} B")
_TOO_SLOW = Refusal(status=408, text=f"send the whole body within {BODY_S:.0f} seconds")


class Guard:
    """Lets to *app* only what passes the rules, and marks all answers."""

    def __init__(self, app: App, *, reach: Reach) -> None:
        """Guard *app*, which is reached like this."""
        self._app = app
        self._reach = reach
        self._rules = Rules(reach)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or refuse it."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        asked = Asked.of(scope)
        if self._reach.is_for_tls_alone(asked):
            send = by_tls_alone(send)
        if refused := self._rules.refusal(asked):
            await refuse(refused, scope, receive, send)
        elif scope["type"] == "http":
            await _Exchange(scope["path"], receive, send).answered_by(self._app, scope)
        else:
            await self._app(scope, receive, send)


class Rules:
    """The rules, for a service that is reached like this."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach

    def refusal(self, asked: Asked) -> Refusal | None:
        """Why *asked* is not answered; None if it is."""
        return (
            _size(asked)
            or self._way(asked)
            or self._host(asked)
            or _shape(asked)
            or self._sender(asked)
            or _graphql(asked)
            or _report(asked)
        )

    def _way(self, asked: Asked) -> Refusal | None:
        if self._reach.may_come(asked):
            return None
        return Refusal(
            status=403,
            text=f"not answered over plain HTTP from elsewhere: open {self._reach.url}",
        )

    def _host(self, asked: Asked) -> Refusal | None:
        # Compared, not parsed: a spelling that is not one of these is not a browser's.
        named = asked.one("host") or ""
        if named.lower() in self._reach.origins:
            return None
        told = f"not served under the name {printable(named, most=_MOST_TOLD)!r}: open "
        told += self._reach.url
        if self._reach.is_relayed(asked):
            told += (
                "; the proxy before it must pass on the Host that was asked for, with "
                "its port: in nginx `proxy_set_header Host $host:$server_port`"
            )
        return Refusal(status=421, text=told)

    def _sender(self, asked: Asked) -> Refusal | None:
        """Refuse what a page of another origin, port or scheme makes a browser send."""
        if asked.is_navigation:
            return None
        origin, site = asked.one("origin"), asked.one("sec-fetch-site")
        own = self._reach.origins[(asked.one("host") or "").lower()]
        if origin is not None and origin.lower() != own:
            return self._foreign()
        return None if site in {None, "same-origin", "none"} else self._foreign()

    def _foreign(self) -> Refusal:
        return Refusal(
            status=403,
            text=f"sent by a page from elsewhere: open {self._reach.url} yourself",
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
    if not _DOTS.isdisjoint(asked.path.split("/")):  # no browser sends them
        return Refusal(status=400, text="ask for a path without `.` and `..`")
    if asked.method not in READING | WRITING:
        return Refusal(status=405, text="use GET or POST")
    return None


def _graphql(asked: Asked) -> Refusal | None:
    """Let GraphQL be asked by POST of JSON alone; a GET shows its editor at most."""
    if not asked.is_graphql or asked.is_websocket:
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
    if asked.media_type == "application/json":
        return None
    return Refusal(status=415, text="send one Content-Type, application/json")


class _Exchange:
    """One request and its answer: the body is counted, the answer marked."""

    def __init__(self, path: str, receive: Receive, send: Send) -> None:
        self._path = path
        self._receive = receive
        self._send = send
        self._received = 0
        self._ends_at: float | None = None
        self._is_whole = False
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
        message = await self._in_time()
        if message is None:
            return await self._ended(_TOO_SLOW)
        self._received += len(message.get("body", b""))
        if self._received <= MOST_BODY_BYTES:
            return message
        return await self._ended(_TOO_LARGE)

    async def _in_time(self) -> Message | None:
        """The next part of the body; None if it is late. What follows has time."""
        if self._is_whole:
            return await self._receive()
        if self._ends_at is None:
            self._ends_at = asyncio.get_running_loop().time() + BODY_S
        message: Message | None = None
        with suppress(TimeoutError):
            silent_at = asyncio.get_running_loop().time() + SILENT_S
            async with asyncio.timeout_at(min(self._ends_at, silent_at)):
                message = await self._receive()
        self._is_whole = message is not None and not message.get("more_body", False)
        return message

    async def _ended(self, refusal: Refusal) -> Message:
        if not (self._answers or self._refused):
            self._refused = True
            for part in messages(refusal, path=self._path):
                await self._send(part)
        return {"type": "http.disconnect"}

    async def _marking(self, message: Message) -> None:
        if self._refused:
            return
        if message["type"] == "http.response.start":
            self._answers = True
            message = {**message, "headers": marked(message.get("headers", ()))}
        await self._send(message)
