"""The gate: the only way out for Chromium, a CONNECT proxy of ours on loopback.

It lets through port 443 of the hosts it is told, and nothing else: what a page asks for
elsewhere, and what Chromium wants from its maker, ends here. So the list of hosts, the
check of addresses and the user's proxy hold for a browser as for every other client.
What passes is not looked at: that is the session's business.
"""

import asyncio
import logging
import math
import re
from collections import Counter
from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from phx_pipeline.errors import (
    DeadlineError,
    FetchError,
    HostRefusedError,
    NoWayError,
    ProxyError,
)
from phx_pipeline.fetch.clients.browser.line import BUFFER_BYTES, Line, join
from phx_pipeline.fetch.clients.browser.tls import TLSEnds
from phx_pipeline.fetch.clients.browser.upstream import way_through
from phx_pipeline.fetch.hosts import PublicAddresses, is_plain_name
from phx_pipeline.model.printable import printable

logger = logging.getLogger(__name__)

MOST_TUNNELS: Final = 128
"""At once; pages need a few dozen, but can make Chromium open some 500."""

_HEAD_S: Final = 10.0
_HEAD_BYTES: Final = 8192
_MOST_NAMES: Final = 200  # told apart among the refused and the failed
_LONGEST_NAME: Final = 100
_OTHERS: Final = "(others)"

_REQUEST: Final = re.compile(rb"([A-Z]{1,20}) ([!-~]{1,2000}) HTTP/1\.[01]\r\n")
_CONNECT: Final = b"CONNECT"
_HTTPS_PORT: Final = 443
_PORT: Final = f":{_HTTPS_PORT}"
_OPENED: Final = b"HTTP/1.1 200 Connection established\r\n\r\n"


class Gate:
    """Listens on loopback from `start` to `aclose`, in the event loop of both.

    Args:
        allows: from a host name in lower case to whether it may be asked.
        upstream: the user's proxy; without one hosts are resolved by *addresses*.
        ca_file: with it TLS is ended here, and sites are checked against it alone.
        addresses: what a host may resolve to; public addresses by default.

    Attributes:
        port: where it listens.
        spki: with a CA file, the hash of the key that Chromium must accept, in the form
            of its `--ignore-certificate-errors-spki-list`.
        fault: the last failure that was not a site's; the reader may set it to None.
        failures: of each host the reason why no connection to it came about, whoever
            is to blame, until one does; the reader may clear it.
        refused: how often each host was asked for in vain.

    Raises:
        InputError: *upstream* or *ca_file* cannot be used.
    """

    def __init__(
        self,
        *,
        allows: Callable[[str], bool],
        upstream: str | None = None,
        ca_file: Path | None = None,
        addresses: PublicAddresses | None = None,
    ) -> None:
        self.port = 0
        self.fault: ProxyError | NoWayError | HostRefusedError | None = None
        self.failures: dict[str, FetchError] = {}
        self.refused: Counter[str] = Counter()
        self._allows = allows
        self._way = way_through(upstream, ca_file=ca_file, addresses=addresses)
        self._ends = TLSEnds(ca_file) if ca_file is not None else None
        self.spki = self._ends.spki if self._ends else None
        self._server: asyncio.Server | None = None
        self._talks: dict[asyncio.Task[None], float] = {}  # when each was last used

    async def start(self) -> None:
        """Bind a free port."""
        self._server = await asyncio.start_server(
            self._accept, "127.0.0.1", 0, limit=BUFFER_BYTES, backlog=MOST_TUNNELS
        )
        self.port = self._server.sockets[0].getsockname()[1]

    def lets_through(self, url: str) -> bool:
        """Return whether a page at *url* may be asked for at all, as a browser asks."""
        try:
            parts = urlsplit(url)
            port = parts.port or _HTTPS_PORT
        except ValueError:
            return False
        is_ours = parts.scheme == "https" and port == _HTTPS_PORT
        return is_ours and self._is_open(parts.hostname or "")

    async def aclose(self) -> None:
        """Stop listening and end all tunnels; may be called twice."""
        if self._server is None:
            return
        server, self._server = self._server, None
        server.close()
        talks = list(self._talks)
        for talk in talks:
            talk.cancel()
        await asyncio.gather(*talks, return_exceptions=True)
        for _ in range(3):  # transports drop their sockets on the turns after abort()
            await asyncio.sleep(0)

    def _accept(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        browser = Line(reader=reader, writer=writer)
        if self._server is None:
            browser.cut()
            return
        if len(self._talks) >= MOST_TUNNELS:
            self._make_room()
        talk = asyncio.get_running_loop().create_task(self._serve(browser))
        self._talks[talk] = _now_s()
        talk.add_done_callback(self._talks.pop)
        # Not in the task itself: one that is cancelled at once never begins.
        talk.add_done_callback(lambda _: browser.cut())

    def _make_room(self) -> None:
        """End the connection that was silent for longest, as Chromium would.

        Refused, a page would find those of the page before it in its way.
        """
        quietest = min(self._talks, key=self._talks.__getitem__)
        self._talks[quietest] = math.inf  # ends on the next turns
        quietest.cancel()

    def _note_use(self, talk: asyncio.Task[None] | None) -> None:
        if talk is not None and self._talks.get(talk, math.inf) < math.inf:
            self._talks[talk] = _now_s()

    async def _serve(self, browser: Line) -> None:
        """Serve one connection to its end; either side may leave at any point."""
        try:
            if (host := await self._admitted(browser)) is not None:
                await self._tunnel(browser, host)
        except (OSError, EOFError) as error:
            logger.debug("a connection of the browser was cut: %s", error)
            browser.reset()

    async def _admitted(self, browser: Line) -> str | None:
        """Return the host that is asked for; None when it was refused."""
        try:
            async with asyncio.timeout(_HEAD_S):
                head = await browser.reader.readuntil(b"\r\n\r\n")
        except asyncio.LimitOverrunError:
            head = b""
        asked = _REQUEST.match(head) if len(head) <= _HEAD_BYTES else None
        if asked is None:
            self._count("(not a request)")
            await _refuse(browser, HTTPStatus.BAD_REQUEST)
            return None
        target = asked[2].decode("ascii").lower()
        host = target.removesuffix(_PORT)
        is_ours = asked[1] == _CONNECT and target.endswith(_PORT)
        if is_ours and self._is_open(host):
            return host
        self._count(_place(host))
        await _refuse(browser, HTTPStatus.FORBIDDEN)
        return None

    def _is_open(self, host: str) -> bool:
        return is_plain_name(host) and self._allows(host)

    async def _tunnel(self, browser: Line, host: str) -> None:
        try:
            site = await self._open(host)
        except FetchError as error:
            self._note(host, error)
            await _refuse(browser, _status_of(error))
            return
        self.failures.pop(host, None)
        try:
            browser.writer.write(_OPENED)
            if self._ends is not None:
                browser = await self._ends.facing_browser(browser)
            talk = asyncio.current_task()
            await join(browser, site, moved=partial(self._note_use, talk))
            await asyncio.gather(browser.finish(), site.finish())
        finally:
            site.cut()

    async def _open(self, host: str) -> Line:
        line = await self._way.open(host)
        if self._ends is None:
            return line
        return await self._ends.facing_site(line, host)

    def _note(self, host: str, error: FetchError) -> None:
        logger.debug("no connection to %s: %s", host, error)
        if isinstance(error, ProxyError | NoWayError | HostRefusedError):
            self.fault = error
        if isinstance(error, HostRefusedError):
            self._count(host)
        if host in self.failures or len(self.failures) < _MOST_NAMES:
            self.failures[host] = error

    def _count(self, place: str) -> None:
        name = printable(place, most=_LONGEST_NAME)
        if name not in self.refused and len(self.refused) >= _MOST_NAMES:
            name = _OTHERS
        self.refused[name] += 1


def _now_s() -> float:
    return asyncio.get_running_loop().time()


def _status_of(error: FetchError) -> HTTPStatus:
    if isinstance(error, HostRefusedError):
        return HTTPStatus.FORBIDDEN
    if isinstance(error, DeadlineError):
        return HTTPStatus.GATEWAY_TIMEOUT
    return HTTPStatus.BAD_GATEWAY  # never 407: Chromium would ask for a password


async def _refuse(browser: Line, status: HTTPStatus) -> None:
    browser.writer.write(_head(status))
    await browser.finish()


def _head(status: HTTPStatus) -> bytes:
    line = f"HTTP/1.1 {status.value} {status.phrase}"
    return f"{line}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode("ascii")


def _place(target: str) -> str:
    """Return the host and port of a target, that of a plain proxy request included."""
    return target.rpartition("://")[2].partition("/")[0]
