"""The faults that clients over plain HTTP meet, each at a path of its own."""

import gzip
from collections.abc import Callable, Iterator
from email.utils import formatdate
from pathlib import Path

import pytest

from phx_pipeline_tests.fault_site import (
    FaultSite,
    Line,
    cut,
    fault_server,
    head,
    page,
    redirect,
    send,
)

HOST = "www.zillow.com"
OTHER_HOST = "not-listed.example"


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


@pytest.fixture
def fault_site(tmp_path: Path) -> Iterator[FaultSite]:
    with fault_server(tmp_path, FAULTS, hosts=[HOST]) as site:
        yield site
