"""With a CA file the gate ends TLS and decides itself which sites to trust."""

import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import trustme

from phx_pipeline.errors import InputError, TransientError
from phx_pipeline.fetch.clients.browser.gate import Gate
from phx_pipeline.fetch.clients.browser.line import Line, open_line, over_tls
from phx_pipeline.fetch.clients.browser.tls import spki_sha256
from phx_pipeline_tests.tunnels import (
    ESTABLISHED,
    StandInProxy,
    Talk,
    echo,
    saying,
    serving,
)

OpenGate = Callable[..., AbstractAsyncContextManager[Gate]]

HOST = "www.zillow.com"
MEGABYTE = 1 << 20


@dataclass
class Authority:
    """Whose certificates the CA file trusts."""

    ca_file: Path
    signs: trustme.CA = field(default_factory=trustme.CA)
    names: list[str | None] = field(default_factory=list)  # asked for by SNI

    def certified(self, *names: str, by: trustme.CA | None = None) -> ssl.SSLContext:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.set_alpn_protocols(["h2", "http/1.1"])
        tls.sni_callback = lambda _, name, __: self.names.append(name)
        (by or self.signs).issue_cert(*names).configure_cert(tls)
        return tls


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    made = Authority(tmp_path / "ca.pem")
    made.signs.cert_pem.write_to_path(str(made.ca_file))
    return made


@pytest.fixture
async def site(authority: Authority) -> AsyncIterator[int]:
    async with serving(echo, tls=authority.certified(HOST)) as port:
        yield port


@asynccontextmanager
async def leading_to(
    talk: Talk, open_gate: OpenGate, ca_file: Path, *, tls: ssl.SSLContext | None = None
) -> AsyncIterator[Gate]:
    """A gate with a CA file behind a proxy that holds *talk*."""
    scheme, name = ("http", "127.0.0.1") if tls is None else ("https", "localhost")
    async with (
        serving(talk, tls=tls) as port,
        open_gate(upstream=f"{scheme}://{name}:{port}", ca_file=ca_file) as gate,
    ):
        yield gate


async def asked(gate: Gate, host: str = HOST) -> tuple[bytes, Line]:
    line = await open_line("127.0.0.1", gate.port)
    line.writer.write(f"CONNECT {host}:443 HTTP/1.1\r\n\r\n".encode())
    return await line.reader.readuntil(b"\r\n\r\n"), line


async def secured(gate: Gate, *, trust: ssl.SSLContext | None = None) -> Line:
    """A tunnel with TLS as Chromium makes it: any certificate with the right key."""
    answer, line = await asked(gate)
    assert answer == ESTABLISHED
    return await over_tls(line, trust or _careless(), server_name=HOST)


async def test_tls_is_ended_under_our_key_and_opened_again_for_the_same_name(
    open_gate: OpenGate, authority: Authority, site: int
) -> None:
    standin = StandInProxy(goal=site)
    async with leading_to(standin.http, open_gate, authority.ca_file) as gate:
        line = await secured(gate)
        line.writer.write(bytes(range(256)))
        assert await line.reader.readexactly(256) == bytes(range(256))
        held = line.writer.get_extra_info("ssl_object")
        pem = ssl.DER_cert_to_PEM_cert(held.getpeercert(binary_form=True)).encode()
        line.cut()

    assert spki_sha256(pem) == gate.spki
    assert held.selected_alpn_protocol() == "http/1.1"
    assert authority.names == [HOST]
    assert gate.failures == {}


async def test_each_gate_has_a_key_of_its_own(authority: Authority) -> None:
    gates = [Gate(allows=bool, ca_file=authority.ca_file) for _ in range(2)]

    assert gates[0].spki != gates[1].spki
    assert Gate(allows=bool).spki is None


@pytest.mark.parametrize(
    ("names", "by", "told"),
    [
        ([HOST], trustme.CA(), "the TLS certificate is not trusted"),
        (["www.redfin.com"], None, "the TLS certificate is not trusted"),
        ([f"x.{HOST}"], None, "the TLS certificate is not trusted"),
        (None, None, "the TLS handshake failed"),
    ],
    ids=["stranger", "other-host", "host-below", "no-tls"],
)
async def test_a_site_that_does_not_prove_its_name_is_refused(
    open_gate: OpenGate,
    authority: Authority,
    names: list[str] | None,
    by: trustme.CA | None,
    told: str,
) -> None:
    tls = None if names is None else authority.certified(*names, by=by)
    async with serving(saying(b"HTTP/1.1 200 OK\r\n\r\n"), tls=tls) as site:
        standin = StandInProxy(goal=site)
        async with leading_to(standin.http, open_gate, authority.ca_file) as gate:
            answer, line = await asked(gate)
            line.cut()

    assert answer.startswith(b"HTTP/1.1 502 ")
    assert type(gate.failures[HOST]) is TransientError
    assert str(gate.failures[HOST]) == told
    assert gate.fault is None  # it may be the site's


async def test_a_browser_that_does_not_take_our_key_gets_nothing(
    open_gate: OpenGate, authority: Authority, site: int
) -> None:
    standin = StandInProxy(goal=site)
    wary = ssl.create_default_context(cafile=authority.ca_file)
    async with leading_to(standin.http, open_gate, authority.ca_file) as gate:
        with pytest.raises(ssl.SSLCertVerificationError):
            await secured(gate, trust=wary)


async def test_what_a_proxy_says_before_the_handshake_is_not_taken_for_the_site(
    open_gate: OpenGate, authority: Authority, site: int
) -> None:
    async def meddling(line: Line) -> None:
        await line.reader.readuntil(b"\r\n\r\n")
        line.writer.write(b"HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 200 forged\r\n\r\n")
        await StandInProxy(goal=site)._through(line)

    async with leading_to(meddling, open_gate, authority.ca_file) as gate:
        line = await secured(gate)
        line.writer.write(b"hello")
        assert await line.reader.readexactly(5) == b"hello"
        line.cut()


async def test_a_big_body_comes_whole_through_tls_in_tls(
    open_gate: OpenGate, authority: Authority
) -> None:
    body = bytes(range(256)) * (20 * MEGABYTE // 256)
    tls = authority.certified(HOST, "localhost")
    async with serving(saying(body), tls=tls) as site:
        standin = StandInProxy(goal=site)
        async with leading_to(
            standin.http, open_gate, authority.ca_file, tls=tls
        ) as gate:
            line = await secured(gate)
            line.writer.write(b"?")
            assert await line.reader.read() == body
            line.cut()


@pytest.mark.parametrize("who", ["site", "browser"])
async def test_a_cut_on_one_side_ends_the_other(
    open_gate: OpenGate, authority: Authority, who: str
) -> None:
    async def broken(line: Line) -> None:
        await line.reader.read(1)
        if who == "site":
            line.reset()
        await line.reader.read()

    async with serving(broken, tls=authority.certified(HOST)) as site:
        proxy = StandInProxy(goal=site).http
        async with leading_to(proxy, open_gate, authority.ca_file) as gate:
            line = await secured(gate)
            line.writer.write(b"?")
            if who == "site":
                with pytest.raises(ConnectionResetError):
                    await line.reader.read()
            line.reset()


def test_a_ca_file_that_is_not_there_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        Gate(allows=bool, ca_file=tmp_path / "none.pem")


def _careless() -> ssl.SSLContext:
    trust = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trust.set_alpn_protocols(["h2", "http/1.1"])
    trust.check_hostname = False
    trust.verify_mode = ssl.CERT_NONE
    return trust
