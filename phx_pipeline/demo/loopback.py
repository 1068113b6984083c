"""Real host names on loopback: a CONNECT proxy that ends TLS for stand-in sites.

A client keeps its production URLs and is only given a proxy and a CA file; every host
without a stand-in is refused and written down, so nothing can leave the machine.
HTTP/1.1 only: that is what a client falls back to when ALPN offers nothing newer.
"""

import asyncio
import contextlib
import logging
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import trustme

from phx_pipeline.fetch.clients.browser.tls import spki_sha256
from phx_pipeline.storage.atomic import create_folder

logger = logging.getLogger(__name__)

_START_S = 10.0
_STOP_S = 10.0
_HEAD_BYTES = 65536
_BODILESS = frozenset({HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One request as the stand-in saw it; header names are lower case.

    `target` is the path with its query, `at` a `time.monotonic()` reading.
    """

    host: str
    method: str
    target: str
    headers: Mapping[str, str]
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a handler wants sent; the length is added, everything else is its own."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


Handler = Callable[[Asked], Answer]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Head:
    """A request line and its headers, names in lower case."""

    method: str
    target: str
    headers: Mapping[str, str]

    @property
    def ends(self) -> bool:
        return "close" in self.headers.get("connection", "").lower()


class Loopback:
    """Stand-in sites behind one proxy, served from a daemon thread while entered.

    Handlers are called one at a time in that thread, so they need no locks and should
    not sleep. One that raises answers 500; the error comes back out of the `with`.
    """

    proxy_url: str
    ca_file: Path
    spki_sha256: str
    """Base64, for Chromium's `--ignore-certificate-errors-spki-list`."""
    asked: list[Asked]
    refused: list[str]

    def __init__(self, sites: Mapping[str, Handler], *, folder: Path) -> None:
        self.asked = []
        self.refused = []
        self.ca_file = folder / "ca.pem"
        self.show(sites)
        self._failures: list[Exception] = []
        self._talks: set[asyncio.Task[None]] = set()
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        """Write the CA file, start serving, and fill `proxy_url`."""
        self._certify()
        started: Future[int] = Future()
        self._thread = threading.Thread(
            target=self._run, args=(started,), name="loopback", daemon=True
        )
        self._thread.start()
        self.proxy_url = f"http://127.0.0.1:{started.result(_START_S)}"
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop serving; raise what handlers raised unless an error is on its way."""
        self._loop.call_soon_threadsafe(self._stop.set)
        if self._thread is not None:
            self._thread.join(_STOP_S)
        if not self._failures:
            return
        if error is None:
            raise ExceptionGroup("stand-in handlers failed", self._failures)
        error.add_note(f"stand-in handlers had failed: {self._failures!r}")

    def show(self, sites: Mapping[str, Handler]) -> None:
        """From now on answer by these; once it serves, their hosts are those before."""
        self._sites = {host.lower(): handler for host, handler in sites.items()}

    def _certify(self) -> None:
        authority = trustme.CA()
        create_folder(self.ca_file.parent)
        authority.cert_pem.write_to_path(str(self.ca_file))
        leaf = authority.issue_cert(*(self._sites or ("nobody.invalid",)))
        leaf.configure_cert(self._tls)
        self._tls.set_alpn_protocols(["http/1.1"])
        self.spki_sha256 = spki_sha256(leaf.cert_chain_pems[0].bytes())

    def _run(self, started: "Future[int]") -> None:
        with asyncio.Runner() as runner:
            runner.run(self._main(started))

    async def _main(self, started: "Future[int]") -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        try:
            server = await asyncio.start_server(
                self._talk, "127.0.0.1", 0, limit=_HEAD_BYTES, backlog=256
            )
        except OSError as error:
            started.set_exception(error)
            return
        started.set_result(server.sockets[0].getsockname()[1])
        await self._stop.wait()
        server.close()
        await self._hang_up()

    async def _hang_up(self) -> None:
        talks = list(self._talks)
        for talk in talks:
            talk.cancel()
        await asyncio.gather(*talks, return_exceptions=True)
        for _ in range(3):  # transports drop their sockets on the turns after abort()
            await asyncio.sleep(0)

    async def _talk(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Serve one client connection to its end; a client may leave at any point."""
        if (task := asyncio.current_task()) is not None:
            self._talks.add(task)
            task.add_done_callback(self._talks.discard)
        try:
            await self._tunnel(reader, writer)
            writer.close()
            await writer.wait_closed()
        except (OSError, EOFError, ValueError, asyncio.LimitOverrunError) as error:
            logger.debug("connection ended: %s", error)
        except asyncio.CancelledError:
            logger.debug("connection cut by the stop")
        finally:
            writer.transport.abort()

    async def _tunnel(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        head = await _read_head(reader)
        host, _, port = head.target.lower().rpartition(":")
        if head.method != "CONNECT" or port != "443" or host not in self._sites:
            self.refused.append(_place(head))
            writer.write(_wire(Answer(status=HTTPStatus.FORBIDDEN), closing=True))
            await writer.drain()
            return
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await writer.start_tls(self._tls)
        while await self._exchange(reader, writer, host=host):
            pass

    async def _exchange(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, host: str
    ) -> bool:
        """Answer one request; return whether the connection stays open."""
        head = await _read_head(reader)
        await reader.readexactly(int(head.headers.get("content-length", "0")))
        asked = Asked(
            host=host,
            method=head.method,
            target=head.target,
            headers=head.headers,
            at=time.monotonic(),
        )
        self.asked.append(asked)
        answer = self._answer(asked)
        headless = head.method == "HEAD"
        writer.write(_wire(answer, closing=head.ends, without_body=headless))
        await writer.drain()
        return not head.ends

    def _answer(self, asked: Asked) -> Answer:
        named = asked.headers.get("host", "").lower().removesuffix(":443")
        if named != asked.host:
            return Answer(status=HTTPStatus.MISDIRECTED_REQUEST)
        try:
            return self._sites[asked.host](asked)
        except Exception as error:  # noqa: BLE001  # kept, and raised on exit
            self._failures.append(error)
            return Answer(status=HTTPStatus.INTERNAL_SERVER_ERROR)


async def _read_head(reader: asyncio.StreamReader) -> _Head:
    """Return the next request head; `EOFError` when the client left instead."""
    with contextlib.suppress(asyncio.IncompleteReadError):
        raw = await reader.readuntil(b"\r\n\r\n")
        first, *lines = raw.decode("latin-1").split("\r\n")
        method, target, _ = first.split(" ")
        pairs = (line.partition(":") for line in lines if line)
        headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
        return _Head(method=method, target=target, headers=headers)
    raise EOFError("the client left between requests")


def _place(head: _Head) -> str:
    """Return host:port of what a proxy was asked for, plain http included."""
    if head.method == "CONNECT":
        return head.target
    parts = urlsplit(head.target)
    return f"{parts.hostname}:{parts.port or 80}"


def _wire(answer: Answer, *, closing: bool, without_body: bool = False) -> bytes:
    try:
        phrase = HTTPStatus(answer.status).phrase
    except ValueError:
        phrase = "Unregistered"
    lines = [f"HTTP/1.1 {answer.status} {phrase}"]
    lines += [f"{name}: {value}" for name, value in answer.headers.items()]
    if answer.status not in _BODILESS:
        lines.append(f"Content-Length: {len(answer.body)}")
    if closing:
        lines.append("Connection: close")
    head = "\r\n".join([*lines, "", ""]).encode("latin-1")
    return head if without_body or answer.status in _BODILESS else head + answer.body
