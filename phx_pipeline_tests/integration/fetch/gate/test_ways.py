"""How the gate reaches a site: directly, or through the user's proxy."""

import asyncio
import ssl
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path

import pytest
import trustme

from phx_pipeline.errors import (
    DeadlineError,
    FetchError,
    HostRefusedError,
    InputError,
    NoWayError,
    ProxyError,
    TransientError,
)
from phx_pipeline.fetch.clients.browser import upstream
from phx_pipeline.fetch.clients.browser.gate import Gate
from phx_pipeline.fetch.clients.browser.line import Line, open_line
from phx_pipeline.fetch.hosts import PublicAddresses, Resolve
from phx_pipeline_tests.tunnels import (
    ESTABLISHED,
    StandInProxy,
    echo,
    saying,
    serving,
)

OpenGate = Callable[..., AbstractAsyncContextManager[Gate]]

HOST = "www.zillow.com"
HERE = frozenset({"127.0.0.1", "::1"})
LOGIN = "me:a b@:/%"
LOGIN_URL = "me:a%20b%40%3A%2F%25"


async def opened(gate: Gate, host: str = HOST) -> bytes:
    """The gate's answer; a tunnel that is opened must carry bytes both ways."""
    line = await open_line("127.0.0.1", gate.port)
    try:
        line.writer.write(f"CONNECT {host}:443 HTTP/1.1\r\n\r\n".encode())
        answer = await line.reader.readuntil(b"\r\n\r\n")
        if answer == ESTABLISHED:
            line.writer.write(b"\x00\xffhello")
            assert await line.reader.readexactly(7) == b"\x00\xffhello"
        return answer
    finally:
        line.cut()


@dataclass
class Names:
    """A resolver that counts."""

    found: Sequence[str]
    asked: int = 0

    async def __call__(self, host: str) -> Sequence[str]:
        self.asked += 1
        if not self.found:
            raise OSError(f"{host} is not known")
        return self.found


async def never(host: str) -> Sequence[str]:
    await asyncio.sleep(60)
    return [host]


# --- directly -------------------------------------------------------------------------


async def test_a_name_is_resolved_once_and_the_next_address_takes_over(
    open_gate: OpenGate, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = Names(["::1", "127.0.0.1"])  # nobody listens at the first
    tried: list[str] = []

    async def connect(address: str, port: int) -> Line:
        tried.append(address)
        return await open_line(address, port)

    monkeypatch.setattr(upstream, "open_line", connect)
    async with serving(echo) as port:
        monkeypatch.setattr(upstream, "HTTPS_PORT", port)
        addresses = PublicAddresses(names, also=HERE)
        async with open_gate(addresses=addresses) as gate:
            assert await opened(gate) == ESTABLISHED
            assert await opened(gate) == ESTABLISHED

    assert names.asked == 1
    assert tried == ["::1", "127.0.0.1", "127.0.0.1"]


@pytest.mark.parametrize(
    "found",
    [
        ["127.0.0.1"],
        ["169.254.169.254"],
        ["10.0.0.1"],
        ["::1"],
        ["::ffff:127.0.0.1"],
        ["fd00:ec2::254"],
        ["93.184.215.14", "127.0.0.1"],
    ],
)
async def test_an_address_that_is_not_public_is_refused_before_any_connect(
    open_gate: OpenGate, monkeypatch: pytest.MonkeyPatch, found: list[str]
) -> None:
    connected: list[object] = []

    async def connect(*place: object) -> None:
        connected.append(place)

    monkeypatch.setattr(upstream, "open_line", connect)
    async with open_gate(addresses=PublicAddresses(Names(found))) as gate:
        answer = await opened(gate)

    assert answer.startswith(b"HTTP/1.1 403 ")
    assert connected == []
    assert isinstance(gate.fault, HostRefusedError)
    assert gate.refused == {HOST: 1}


@pytest.mark.parametrize(
    ("resolve", "routed", "expected", "status"),
    [
        (Names([]), True, NoWayError, 502),
        (never, True, NoWayError, 502),
        (Names(["127.0.0.1"]), False, NoWayError, 502),
        (Names(["127.0.0.1"]), True, TransientError, 502),
    ],
    ids=["unknown", "unanswered", "no network", "nobody there"],
)
async def test_who_cannot_be_reached_directly_is_told(
    open_gate: OpenGate,
    monkeypatch: pytest.MonkeyPatch,
    resolve: Resolve,
    routed: bool,  # noqa: FBT001
    expected: type[FetchError],
    status: int,
) -> None:
    monkeypatch.setattr(upstream, "_RESOLVE_S", 0.05)
    monkeypatch.setattr(upstream, "has_route", lambda _: routed)
    monkeypatch.setattr(upstream, "HTTPS_PORT", await _closed_port())
    addresses = PublicAddresses(resolve, also=HERE)
    async with open_gate(addresses=addresses) as gate:
        answer = await opened(gate)

    assert answer.startswith(f"HTTP/1.1 {status} ".encode())
    assert type(gate.failures[HOST]) is expected
    assert (gate.fault is not None) is (expected is NoWayError)


async def test_a_connection_that_comes_about_ends_what_is_told_of_the_host(
    open_gate: OpenGate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upstream, "HTTPS_PORT", await _closed_port())
    addresses = PublicAddresses(Names(["127.0.0.1"]), also=HERE)
    async with open_gate(addresses=addresses) as gate, serving(echo) as port:
        await opened(gate)
        assert HOST in gate.failures
        monkeypatch.setattr(upstream, "HTTPS_PORT", port)
        await opened(gate)
        assert HOST not in gate.failures


async def test_a_host_that_takes_no_connection_in_time_is_told(
    open_gate: OpenGate, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def connect(*_: object) -> None:
        await asyncio.sleep(60)

    monkeypatch.setattr(upstream, "open_line", connect)
    monkeypatch.setattr(upstream, "_CONNECT_S", 0.05)
    addresses = PublicAddresses(Names(["127.0.0.1"]), also=HERE)
    async with open_gate(addresses=addresses) as gate:
        assert (await opened(gate)).startswith(b"HTTP/1.1 504 ")

    assert isinstance(gate.failures[HOST], DeadlineError)
    assert gate.fault is None


# --- through a proxy ------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["http", "https", "socks5", "socks5h"])
@pytest.mark.parametrize("login", ["", LOGIN])
async def test_every_kind_of_proxy_is_asked_by_name(
    open_gate: OpenGate,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    scheme: str,
    login: str,
) -> None:
    ca_file, tls = _certified("localhost", tmp_path)
    monkeypatch.setattr(upstream, "trusted", lambda _: str(ca_file))
    async with serving(echo) as goal:
        standin = StandInProxy(goal=goal, login=login)
        talk = standin.socks if scheme.startswith("socks") else standin.http
        secured = tls if scheme == "https" else None
        async with serving(talk, tls=secured) as port:
            named = f"{LOGIN_URL}@" if login else ""
            url = f"{scheme}://{named}localhost:{port}"
            async with open_gate(upstream=url) as gate:
                assert await opened(gate) == ESTABLISHED
                assert await opened(gate, "a.zillow.com") == ESTABLISHED

    assert standin.asked == [f"{HOST}:443", "a.zillow.com:443"]
    assert gate.failures == {}


@pytest.mark.parametrize(
    ("scheme", "named", "told"),
    [
        ("http", "", "proxy: refused the tunnel with status 407"),
        ("http", "me:wrong@", "proxy: refused the tunnel with status 407"),
        ("socks5", "", "proxy: wants credentials"),
        ("socks5", "me:wrong@", "proxy: refused the credentials"),
    ],
)
async def test_a_proxy_that_wants_other_credentials_is_at_fault(
    open_gate: OpenGate, scheme: str, named: str, told: str
) -> None:
    standin = StandInProxy(goal=0, login=LOGIN)
    talk = standin.http if scheme == "http" else standin.socks
    async with serving(talk) as port:
        url = f"{scheme}://{named}127.0.0.1:{port}"
        async with open_gate(upstream=url) as gate:
            answer = await opened(gate)

    assert answer.startswith(b"HTTP/1.1 502 ")  # a 407 would have Chromium ask
    assert isinstance(gate.fault, ProxyError)
    assert gate.fault.certain
    assert str(gate.fault) == told


NO_LOGIN = b"\x05\x00"
REPLY = b"\x05%c\x00\x01"


@pytest.mark.parametrize(
    ("scheme", "parts", "told", "certain"),
    [
        ("http", (b"HTTP/1.1 403 No\r\n\r\n",), "refused the tunnel", True),
        ("http", (b"HTTP/1.1 502 Bad\r\n\r\n",), "refused the tunnel", False),
        ("http", (b"HTTP/1.0 503 Bad\r\n\r\n",), "refused the tunnel", False),
        ("http", (b"SSH-2.0-x\r\n\r\n",), "answer is not HTTP", False),
        ("http", (b"HTTP/1.1 2000 OK\r\n\r\n",), "answer is not HTTP", False),
        ("http", (b"HTTP/1.1 200 OK\r\n",), "broke off the handshake", True),
        ("http", (b"X: y\r\n" * 50_000,), "broke off the handshake", True),
        ("http", (), "broke off the handshake", True),
        ("socks5", (b"HTTP/1.1 400 No\r\n\r\n",), "not SOCKS 5", True),
        ("socks5", (b"\x05\xff",), "wants credentials", True),
        ("socks5", (b"\x05\x02",), "wants credentials", True),
        ("socks5", (b"\x05",), "broke off the handshake", True),
        ("socks5", (NO_LOGIN,), "broke off the handshake", True),
        ("socks5", (NO_LOGIN, REPLY % 1), "did not get through", False),
        ("socks5", (NO_LOGIN, REPLY % 2), "with reply 2", True),
        ("socks5", (NO_LOGIN, REPLY % 3), "no network of its", False),
        ("socks5", (NO_LOGIN, REPLY % 4), "cannot be reached", False),
        ("socks5", (NO_LOGIN, REPLY % 5), "refused the connection", False),
        ("socks5", (NO_LOGIN, REPLY % 6), "in time", False),
        ("socks5", (NO_LOGIN, REPLY % 99), "with reply 99", True),
        ("https", (b"HTTP/1.1 200 OK\r\n\r\n",), "TLS handshake failed", True),
    ],
)
async def test_a_proxy_that_gives_no_tunnel_is_at_fault(
    open_gate: OpenGate,
    scheme: str,
    parts: tuple[bytes, ...],
    told: str,
    certain: bool,  # noqa: FBT001
) -> None:
    async with (
        serving(saying(*parts)) as port,
        open_gate(upstream=f"{scheme}://127.0.0.1:{port}") as gate,
    ):
        answer = await opened(gate)

    assert answer.startswith(b"HTTP/1.1 502 ")
    assert isinstance(gate.fault, ProxyError)
    assert told in str(gate.fault)
    assert gate.fault.certain is certain
    assert gate.fault.url == f"https://{HOST}/"


@pytest.mark.parametrize("scheme", ["http", "https", "socks5"])
async def test_a_proxy_that_is_not_there_is_at_fault(
    open_gate: OpenGate, scheme: str
) -> None:
    url = f"{scheme}://me:secret@127.0.0.1:{await _closed_port()}"
    async with open_gate(upstream=url) as gate:
        assert (await opened(gate)).startswith(b"HTTP/1.1 502 ")

    assert isinstance(gate.fault, ProxyError)
    assert str(gate.fault) == "proxy: cannot be reached"
    assert gate.fault.certain


async def test_a_proxy_whose_name_is_none_is_at_fault(open_gate: OpenGate) -> None:
    async with open_gate(upstream="http://proxy..example:8080") as gate:
        assert (await opened(gate)).startswith(b"HTTP/1.1 502 ")

    assert str(gate.fault) == "proxy: its name does not resolve"


@pytest.mark.parametrize("scheme", ["http", "socks5"])
async def test_a_proxy_that_stays_silent_may_be_waiting_for_the_site(
    open_gate: OpenGate, monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    monkeypatch.setattr(upstream, "_TUNNEL_S", 0.05)
    async with (
        serving(lambda _: asyncio.sleep(60)) as port,
        open_gate(upstream=f"{scheme}://127.0.0.1:{port}") as gate,
    ):
        assert (await opened(gate)).startswith(b"HTTP/1.1 502 ")

    assert isinstance(gate.fault, ProxyError)
    assert not gate.fault.certain


async def test_an_https_proxy_of_a_stranger_is_not_used(
    open_gate: OpenGate, tmp_path: Path
) -> None:
    _, tls = _certified("localhost", tmp_path)
    standin = StandInProxy(goal=0)
    async with (
        serving(standin.http, tls=tls) as port,
        open_gate(upstream=f"https://localhost:{port}") as gate,
    ):
        assert (await opened(gate)).startswith(b"HTTP/1.1 502 ")

    assert standin.asked == []
    assert isinstance(gate.fault, ProxyError)


@pytest.mark.parametrize(
    "url",
    [
        "ftp://127.0.0.1:1",
        "http://127.0.0.1",
        f"socks5://{'x' * 256}:secret@127.0.0.1:1",
        "socks5://me:@127.0.0.1:1",
    ],
)
def test_a_proxy_that_nobody_can_use_is_told_at_once(url: str) -> None:
    with pytest.raises(InputError) as caught:
        Gate(allows=lambda _: True, upstream=url)

    assert "secret" not in str(caught.value)


def _certified(name: str, folder: Path) -> tuple[Path, ssl.SSLContext]:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "proxy-ca.pem"))
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(tls)
    return folder / "proxy-ca.pem", tls


async def _closed_port() -> int:
    async with serving(echo) as port:
        return port
