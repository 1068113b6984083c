"""A server that misbehaves on request, reached through a CONNECT proxy of its own.

Raw sockets, because no well-behaved HTTP library sends what these tests need.
"""

import http
import socket
import socketserver
import ssl
import struct
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import trustme

RESET = struct.pack("ii", 1, 0)


def head(status: int = 200, *headers: str, length: int | None = None) -> bytes:
    lines = [f"HTTP/1.1 {status} {http.HTTPStatus(status).phrase}", *headers]
    if length is not None:
        lines.append(f"Content-Length: {length}")
    return "\r\n".join([*lines, "", ""]).encode()


def page(status: int = 200, *headers: str, body: bytes = b"") -> bytes:
    return head(status, *headers, length=len(body)) + body


class Line:
    """One TLS connection to the misbehaving site."""

    def __init__(
        self, sock: ssl.SSLSocket, *, asked: int, over: threading.Event
    ) -> None:
        self.asked = asked  # how often this path was asked, this time included
        self._sock = sock
        self._over = over

    def send(self, data: bytes) -> None:
        self._sock.sendall(data)

    def hang(self, seconds: float = 30) -> bool:
        """Return whether the test ended meanwhile."""
        return self._over.wait(seconds)

    def drip(self) -> None:
        while not self.hang(0.05):
            self.send(b"x")

    def flood(self, chunk: bytes) -> None:
        while not self._over.is_set():
            self.send(chunk)

    def end(self) -> None:
        """Close as TLS wants it; without this the client sees a cut connection."""
        self._sock.settimeout(1)
        self._sock.unwrap()

    def reset(self) -> None:
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)


def send(data: bytes) -> Callable[[Line], None]:
    def answer(line: Line) -> None:
        line.send(data)
        line.end()

    return answer


def cut(line: Line) -> None:
    line.send(head(length=100_000) + bytes(50_000))


def redirect(location: str) -> Callable[[Line], None]:
    return send(page(302, f"Location: {location}"))


Answers = Mapping[str, Callable[[Line], object]]


class _Desk(socketserver.BaseRequestHandler):
    """Serves one connection: CONNECT, TLS, one request, the fault, close."""

    server: "_Server"

    def handle(self) -> None:
        site = self.server.site
        asked = _read_head(self.request)
        target = asked.split(" ")[1]
        site.tunnels.append(target)
        if site.password and site.password not in asked:
            self.request.sendall(page(407, "Proxy-Authenticate: Basic realm=x"))
        elif target not in site.targets:
            self.request.sendall(page(403))
        else:
            self.request.sendall(head())
            self._serve(site)

    def _serve(self, site: "FaultSite") -> None:
        try:
            with site.trust.wrap_socket(self.request, server_side=True) as sock:
                head = _read_head(sock)
                path = head.split(" ")[1]
                site.heads.append(head)
                site.paths.append(path)
                fault = site.answers.get(path.partition("?")[0], send(page(404)))
                fault(Line(sock, asked=site.paths.count(path), over=site.over))
        except OSError as error:  # the client left or refused our certificate
            site.departures.append(error)


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = False  # joined on close, so that nothing outlives a test
    request_queue_size = 64
    site: "FaultSite"


class FaultSite:
    """The running server, and what it saw."""

    def __init__(self, folder: Path, answers: Answers, *, hosts: Sequence[str]) -> None:
        self.answers = answers
        self.targets = {f"{host}:443" for host in hosts}
        authority = trustme.CA()
        self.trust = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(*hosts).configure_cert(self.trust)
        self.ca_file = folder / "fault-ca.pem"
        authority.cert_pem.write_to_path(str(self.ca_file))
        self.tunnels: list[str] = []  # targets of every CONNECT
        self.paths: list[str] = []
        self.heads: list[str] = []  # of requests, as they came
        self.departures: list[OSError] = []
        self.password = ""  # base64 of user:password, when the proxy wants one
        self.over = threading.Event()
        self.address = ""

    @property
    def proxy(self) -> str:
        return f"http://{self.address}"


@contextmanager
def fault_server(
    folder: Path, answers: Answers, *, hosts: Sequence[str]
) -> Iterator[FaultSite]:
    """Serve *answers*, by path, at all *hosts*; any other path is a 404."""
    site = FaultSite(folder, answers, hosts=hosts)
    with _Server(("127.0.0.1", 0), _Desk) as server:
        server.site = site
        site.address = f"127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield site
        finally:
            site.over.set()
            server.shutdown()
            thread.join()


def _read_head(sock: Any) -> str:
    raw = b""
    while b"\r\n\r\n" not in raw:
        if not (more := sock.recv(65536)):
            raise OSError("the client left")
        raw += more
    return raw.decode("latin-1")
