"""A server that misbehaves on request, reached through a CONNECT proxy of its own.

Every path of `https://www.zillow.com/` names a fault of `FAULTS`; raw sockets, because
no well-behaved HTTP library sends what these tests need.
"""

import gzip
import http
import socket
import socketserver
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest
import trustme

HOST = "www.zillow.com"
OTHER_HOST = "not-listed.example"
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


def bomb(line: Line) -> None:
    body = gzip.compress(bytes(50_000_000), compresslevel=1)
    line.send(page(200, "Content-Encoding: gzip", body=body))


def huge(line: Line) -> None:
    line.send(head(200, "Transfer-Encoding: chunked"))
    line.flood(b"10000\r\n" + bytes(0x10000) + b"\r\n")


def header_then_hang(line: Line) -> None:
    line.send(head(length=100_000) + b"0123456789")
    line.hang()


def drip(line: Line) -> None:
    line.send(head(length=1_000_000))
    line.drip()


def reset_midway(line: Line) -> None:
    line.send(head(length=100_000) + bytes(50_000))
    line.reset()


def flaky(line: Line) -> None:
    line.send(page(503) if line.asked < 3 else page(body=b"at last"))


def limited(line: Line) -> None:
    line.send(page(429, "Retry-After: 1") if line.asked == 1 else page(body=b"at last"))


def send(data: bytes) -> Callable[[Line], None]:
    def answer(line: Line) -> None:
        line.send(data)
        line.end()

    return answer


def cut(line: Line) -> None:
    line.send(head(length=100_000) + bytes(50_000))


def redirect(location: str) -> Callable[[Line], None]:
    return send(page(302, f"Location: {location}"))


FAULTS: dict[str, Callable[[Line], object]] = {
    "/ok": send(page(200, "ETag: 1", body=b"fine")),
    "/gzip": send(page(200, "Content-Encoding: gzip", body=gzip.compress(b"fine"))),
    "/hang": Line.hang,
    "/header-then-hang": header_then_hang,
    "/drip": drip,
    "/short": send(head(length=100_000) + bytes(50_000)),
    "/short-chunked": send(
        head(200, "Transfer-Encoding: chunked") + b"4000\r\n" + bytes(0x4000) + b"\r\n"
    ),
    "/cut": cut,
    "/empty": send(b""),
    "/not-http": send(b"\x00\xff garbage\r\n\r\n"),
    "/bad-gzip": send(page(200, "Content-Encoding: gzip", body=b"\x00" * 400)),
    "/bad-length": send(head(200, "Content-Length: many") + b"x"),
    "/reset": Line.reset,
    "/reset-midway": reset_midway,
    "/bomb": bomb,
    "/huge": huge,
    "/big": send(page(body=bytes(200_000))),
    "/loop": redirect("/loop"),
    "/hop": redirect("/ok"),
    "/slow-hop": lambda line: line.hang(0.3) or redirect("/hang")(line),
    "/off-list": redirect(f"https://{OTHER_HOST}/"),
    "/to-http": redirect(f"http://{HOST}/ok"),
    "/to-metadata": redirect("https://169.254.169.254/latest/meta-data/"),
    "/to-file": redirect("file:///etc/hostname"),
    "/odd-status": send(b"HTTP/1.1 99999 x\r\nContent-Length: 2\r\n\r\nhi"),
    "/no-status": send(b"HTTP/1.1 2OO OK\r\nContent-Length: 2\r\n\r\nhi"),
    "/long-status": send(b"HTTP/1.1 200 " + b"x" * 400_000 + b"\r\n\r\n"),
    "/loud-status": send(b"HTTP/1.1 503 \x1b[2J\r\nContent-Length: 0\r\n\r\n"),
    "/odd-header": send(head(200, "nonsense", length=2) + b"hi"),
    "/many-headers": send(head(200, *[f"X{n}: y" for n in range(9000)], length=0)),
    "/long-header": send(page(302, f"Location: /{'x' * 1_000_000}")),
    "/endless": send(head(200, f"Content-Length: {'9' * 30}") + b"hi"),
    "/cut-header": send(b"HTTP/1.1 200 OK\r\nContent-Le"),
    "/cut-headers": send(b"HTTP/1.1 200 OK\r\nServer: x\r\nContent-Type: te"),
    "/cut-marked": send(b"HTTP/1.1 200 OK\r\nX-Px-Blocked: 1\r\nContent-Le"),
    "/nothing": send(page(200)),
    "/204": send(b"HTTP/1.1 204 No Content\r\n\r\n"),
    "/404": send(page(404, body=b"<html>no</html>")),
    "/410": send(page(410)),
    "/403": send(page(403, body=b"<div id=px-captcha>")),
    "/503": send(page(503)),
    "/429": send(page(429, "Retry-After: 86400")),
    "/429-date": send(page(429, f"Retry-After: {formatdate(4e9, usegmt=True)}")),
    "/limited": limited,
    "/flaky": flaky,
    "/waf": send(page(202, "x-amzn-waf-action: challenge")),
}


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
        elif target != f"{HOST}:443":
            self.request.sendall(page(403))
        else:
            self.request.sendall(head())
            self._serve(site)

    def _serve(self, site: "FaultSite") -> None:
        try:
            with site.trust.wrap_socket(self.request, server_side=True) as sock:
                path = _read_head(sock).split(" ")[1]
                site.paths.append(path)
                fault = FAULTS[path]
                fault(Line(sock, asked=site.paths.count(path), over=site.over))
        except OSError as error:  # the client left or refused our certificate
            site.departures.append(error)


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = False  # joined on close, so that nothing outlives a test
    request_queue_size = 64
    site: "FaultSite"


class FaultSite:
    """The running server, and what it saw."""

    def __init__(self, folder: Path) -> None:
        authority = trustme.CA()
        self.trust = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(HOST).configure_cert(self.trust)
        self.ca_file = folder / "fault-ca.pem"
        authority.cert_pem.write_to_path(str(self.ca_file))
        self.tunnels: list[str] = []  # targets of every CONNECT
        self.paths: list[str] = []
        self.departures: list[OSError] = []
        self.password = ""  # base64 of user:password, when the proxy wants one
        self.over = threading.Event()
        self.address = ""

    @property
    def proxy(self) -> str:
        return f"http://{self.address}"


@pytest.fixture
def fault_site(tmp_path: Path) -> Iterator[FaultSite]:
    site = FaultSite(tmp_path)
    with _Server(("127.0.0.1", 0), _Desk) as server:
        server.site = site
        site.address = f"127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield site
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
