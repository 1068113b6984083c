"""What the gate lets through, and what it bears."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from functools import partial

import pytest

from phx_pipeline.fetch.clients.browser import gate as gate_module
from phx_pipeline.fetch.clients.browser import upstream
from phx_pipeline.fetch.clients.browser.gate import MOST_TUNNELS, Gate
from phx_pipeline.fetch.clients.browser.line import Line, open_line
from phx_pipeline.fetch.hosts import PublicAddresses, is_listed
from phx_pipeline_tests.tunnels import (
    ESTABLISHED,
    StandInProxy,
    echo,
    saying,
    serving,
)

OpenGate = Callable[..., AbstractAsyncContextManager[Gate]]

CONNECT = b"CONNECT www.zillow.com:443 HTTP/1.1\r\n\r\n"
MEGABYTE = 1 << 20


@pytest.fixture
async def proxy() -> AsyncIterator[tuple[StandInProxy, str]]:
    """A proxy that leads to an echo, and its address."""
    async with serving(echo) as goal:
        standin = StandInProxy(goal=goal)
        async with serving(standin.http) as port:
            yield standin, f"http://127.0.0.1:{port}"


async def said(gate: Gate, head: bytes) -> bytes:
    """What the gate answers to *head*, to the end of its own head or connection."""
    line = await open_line("127.0.0.1", gate.port)
    try:
        line.writer.write(head)
        return await line.reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as error:
        return error.partial
    finally:
        line.cut()


async def tunnel(gate: Gate, host: str = "www.zillow.com") -> Line:
    line = await open_line("127.0.0.1", gate.port)
    line.writer.write(f"CONNECT {host}:443 HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    assert await line.reader.readuntil(b"\r\n\r\n") == ESTABLISHED
    return line


async def ended(gate: Gate) -> None:
    """Wait until the gate serves nobody."""
    if gate._talks:
        await asyncio.wait(gate._talks)


@pytest.mark.parametrize("host", ["zillow.com", "www.zillow.com", "A.b.ZILLOW.com"])
async def test_a_listed_host_is_let_through(
    open_gate: OpenGate, proxy: tuple[StandInProxy, str], host: str
) -> None:
    standin, url = proxy
    async with open_gate(upstream=url) as gate:
        line = await tunnel(gate, host)
        line.writer.write(b"\x16\x03\x01 any bytes")
        assert await line.reader.readexactly(13) == b"\x16\x03\x01 any bytes"
        line.cut()

    assert standin.asked == [f"{host.lower()}:443"]
    assert not gate.refused
    assert gate.fault is None


@pytest.mark.parametrize(
    ("target", "counted"),
    [
        ("accounts.google.com:443", "accounts.google.com"),
        ("xzillow.com:443", "xzillow.com"),
        ("zillow.com.evil.example:443", "zillow.com.evil.example"),
        ("www.zillow.com.:443", "www.zillow.com."),
        ("www.zillow.com:80", "www.zillow.com:80"),
        ("www.zillow.com:0443", "www.zillow.com:0443"),
        ("www.zillow.com:443:443", "www.zillow.com:443"),
        ("www.zillow.com", "www.zillow.com"),
        (":443", ""),
        (".zillow.com:443", ".zillow.com"),
        ("www..zillow.com:443", "www..zillow.com"),
        ("-.zillow.com:443", "-.zillow.com"),
        (f"{'x' * 64}.zillow.com:443", f"{'x' * 64}.zillow.com"),
        (f"{'x.' * 130}zillow.com:443", f"{'x.' * 40}"),
        ("me:pw@www.zillow.com:443", "me:pw@www.zillow.com"),
        ("www.zillow.com@evil.example:443", "www.zillow.com@evil.example"),
        ("evil.example#.zillow.com:443", "evil.example#.zillow.com"),
        ("evil.example%2f.zillow.com:443", "evil.example%2f.zillow.com"),
        ("127.0.0.1:443", "127.0.0.1"),
        ("2130706433:443", "2130706433"),
        ("0x7f.1:443", "0x7f.1"),
        ("zillow.com.0x7f:443", "zillow.com.0x7f"),
        ("[::1]:443", "[::1]"),
        ("[::ffff:127.0.0.1]:443", "[::ffff:127.0.0.1]"),
    ],
)
async def test_any_other_target_is_refused_and_counted(
    open_gate: OpenGate, proxy: tuple[StandInProxy, str], target: str, counted: str
) -> None:
    standin, url = proxy
    async with open_gate(upstream=url) as gate:
        answer = await said(gate, f"CONNECT {target} HTTP/1.1\r\n\r\n".encode())

    assert answer.startswith(b"HTTP/1.1 403 ")
    (name,) = gate.refused
    assert name.startswith(counted)
    assert standin.asked == []


@pytest.mark.parametrize(
    ("url", "passes"),
    [
        ("https://www.zillow.com/homedetails/1?a=b", True),
        ("https://WWW.Zillow.com:443", True),
        ("https://www.zillow.com:8443/", False),
        ("https://www.zillow.com:port/", False),
        ("https://www.zillow.com./", False),
        ("https://tracker.example/", False),
        ("https://[::1]/", False),
        ("https://[::1/", False),
        ("http://www.zillow.com/", False),
        ("wss://www.zillow.com/", False),
        ("about:blank", False),
        ("", False),
    ],
)
def test_it_is_known_beforehand_which_pages_the_gate_lets_through(
    url: str, *, passes: bool
) -> None:
    gate = Gate(allows=partial(is_listed, entries=("zillow.com",)))

    assert gate.lets_through(url) is passes


@pytest.mark.parametrize("target", ["127.0.0.1", "0x7f.1", "[::1]", "localhost."])
async def test_an_address_is_refused_even_if_the_list_names_it(
    open_gate: OpenGate, target: str
) -> None:
    async with open_gate(allows=lambda _: True) as gate:
        answer = await said(gate, f"CONNECT {target}:443 HTTP/1.1\r\n\r\n".encode())

    assert answer.startswith(b"HTTP/1.1 403 ")


@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
async def test_plain_http_is_refused_whatever_the_host(
    open_gate: OpenGate, proxy: tuple[StandInProxy, str], method: str
) -> None:
    standin, url = proxy
    async with open_gate(upstream=url) as gate:
        asked = f"{method} http://www.zillow.com/path?a=b HTTP/1.1\r\n\r\n"
        answer = await said(gate, asked.encode())

    assert answer.startswith(b"HTTP/1.1 403 ")
    assert gate.refused == {"www.zillow.com": 1}
    assert standin.asked == []


@pytest.mark.parametrize(
    "head",
    [
        b"\x16\x03\x01\x00\xff\x00\r\n\r\n",
        b"\r\n\r\n",
        b"connect www.zillow.com:443 HTTP/1.1\r\n\r\n",
        b"CONNECT www.zillow.com:443\r\n\r\n",
        b"CONNECT www.zillow.com:443 HTTP/2\r\n\r\n",
        b"CONNECT  www.zillow.com:443 HTTP/1.1\r\n\r\n",
        b"CONNECT www.zillow.com:443\x00 HTTP/1.1\r\n\r\n",
        b"CONNECT \xc3\xbc.zillow.com:443 HTTP/1.1\r\n\r\n",
        b" CONNECT www.zillow.com:443 HTTP/1.1\r\n\r\n",
        b"X" * 5000 + b" www.zillow.com:443 HTTP/1.1\r\n\r\n",
        CONNECT[:-2] + b"X: y\r\n" * 2000 + b"\r\n",
        CONNECT[:-2] + b"X: " + b"y" * 9000 + b"\r\n\r\n",
    ],
)
async def test_what_is_no_request_is_refused(
    open_gate: OpenGate, proxy: tuple[StandInProxy, str], head: bytes
) -> None:
    standin, url = proxy
    async with open_gate(upstream=url) as gate:
        answer = await said(gate, head)

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert standin.asked == []


async def test_a_head_without_an_end_is_not_read_for_ever(open_gate: OpenGate) -> None:
    sent = 0
    async with open_gate() as gate:
        line = await open_line("127.0.0.1", gate.port)
        with suppress(OSError):  # a reset or a broken pipe
            while sent < 100 * MEGABYTE:
                line.writer.write(b"X: y\r\n" * 10_000)
                sent += 60_000
                await line.writer.drain()
        line.cut()

    assert sent < 100 * MEGABYTE


@pytest.mark.parametrize("so_far", [b"", CONNECT[:20]])
async def test_a_head_that_does_not_come_is_not_waited_for(
    open_gate: OpenGate, monkeypatch: pytest.MonkeyPatch, so_far: bytes
) -> None:
    monkeypatch.setattr(gate_module, "_HEAD_S", 0.05)
    async with open_gate() as gate:
        line = await open_line("127.0.0.1", gate.port)
        line.writer.write(so_far)
        with pytest.raises(ConnectionResetError):
            await line.reader.read()
        line.cut()


async def test_where_there_are_too_many_the_one_silent_for_longest_makes_room(
    open_gate: OpenGate, proxy: tuple[StandInProxy, str]
) -> None:
    async with open_gate(upstream=proxy[1]) as gate:
        lines = [await tunnel(gate) for _ in range(MOST_TUNNELS)]
        assert await _echoes(lines[0])
        lines.append(await tunnel(gate))

        assert await lines[1].reader.read() == b""
        assert await _echoes(lines[0])
        assert await _echoes(lines[-1])
        for line in lines:
            line.cut()


async def test_a_page_that_floods_the_gate_takes_no_more_than_its_share(
    open_gate: OpenGate,
) -> None:
    async with open_gate() as gate:
        many = range(3 * MOST_TUNNELS)
        lines = await asyncio.gather(*(open_line("127.0.0.1", gate.port) for _ in many))
        refused = b"CONNECT other.example:443 HTTP/1.1\r\n\r\n"
        assert (await said(gate, refused)).startswith(b"HTTP/1.1 403 ")
        assert len(gate._talks) <= MOST_TUNNELS
        for line in lines:
            line.cut()


async def _echoes(line: Line) -> bool:
    line.writer.write(b"hello")
    return await line.reader.readexactly(5) == b"hello"


async def test_what_a_page_makes_up_does_not_fill_the_memory(
    open_gate: OpenGate,
) -> None:
    async with open_gate() as gate:
        for number in range(300):
            head = f"CONNECT x{number}.example:443 HTTP/1.1\r\n\r\n"
            await said(gate, head.encode())

    assert len(gate.refused) == 201
    assert gate.refused["(others)"] == 100
    assert gate.refused.total() == 300


async def test_a_side_that_says_it_is_done_still_gets_the_answer(
    open_gate: OpenGate,
) -> None:
    async def after_all(line: Line) -> None:
        asked = await line.reader.read()
        line.writer.write(b"you said " + asked)

    async with serving(after_all) as goal, through(goal, open_gate) as gate:
        line = await tunnel(gate)
        line.writer.write(b"all of it")
        line.writer.write_eof()
        assert await line.reader.read() == b"you said all of it"
        line.cut()


async def test_a_site_that_ends_after_its_answer_ends_the_tunnel(
    open_gate: OpenGate,
) -> None:
    body = bytes(3 * MEGABYTE)
    async with serving(saying(body)) as goal, through(goal, open_gate) as gate:
        line = await tunnel(gate)
        line.writer.write(b"?")
        assert await line.reader.read() == body
        line.cut()
        await ended(gate)


async def test_a_side_that_stays_half_open_is_ended(
    open_gate: OpenGate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("phx_pipeline.fetch.clients.browser.line._LAST_S", 0.05)
    async with serving(saying(b"!")) as goal, through(goal, open_gate) as gate:
        line = await tunnel(gate)
        line.writer.write(b"?")
        assert await line.reader.read() == b"!"
        await ended(gate)  # though we never close
        line.cut()


async def test_a_reset_of_the_site_is_a_reset_for_the_browser(
    open_gate: OpenGate,
) -> None:
    async def broken(line: Line) -> None:
        await line.reader.read(1)
        line.reset()

    async with serving(broken) as goal, through(goal, open_gate) as gate:
        line = await tunnel(gate)
        line.writer.write(b"?")
        with pytest.raises(ConnectionResetError):
            await line.reader.read()
        line.cut()


async def test_a_browser_that_is_gone_ends_the_connection_to_the_site(
    open_gate: OpenGate,
) -> None:
    ended = asyncio.Event()

    async def waiting(line: Line) -> None:
        try:
            await line.reader.read()
        finally:
            ended.set()

    async with serving(waiting) as goal, through(goal, open_gate) as gate:
        (await tunnel(gate)).reset()
        await asyncio.wait_for(ended.wait(), 5)


async def test_a_browser_that_does_not_read_stops_the_site_from_sending(
    open_gate: OpenGate,
) -> None:
    size, sent = 96 * MEGABYTE, 0

    async def pouring(line: Line) -> None:
        nonlocal sent
        while sent < size:
            line.writer.write(bytes(MEGABYTE))
            await line.writer.drain()
            sent += MEGABYTE

    async with serving(pouring) as goal, through(goal, open_gate) as gate:
        line = await narrow_tunnel(gate)
        before = -1
        while sent != before:
            before = sent
            await asyncio.sleep(0.2)
        assert sent < size / 2
        read = 0
        while chunk := await line.reader.read(MEGABYTE):
            read += len(chunk)
        assert read == size
        line.cut()


async def test_the_end_of_the_gate_ends_all_tunnels(
    open_gate: OpenGate, proxy: tuple[StandInProxy, str]
) -> None:
    async with open_gate(upstream=proxy[1]) as gate:
        lines = [await tunnel(gate) for _ in range(20)]
        waiting = await open_line("127.0.0.1", gate.port)
        await gate.aclose()
        ends = await asyncio.gather(*(line.reader.read() for line in lines))
        assert ends == [b""] * 20
        with pytest.raises(ConnectionRefusedError):
            await open_line("127.0.0.1", gate.port)
        for line in [*lines, waiting]:
            line.cut()


async def narrow_tunnel(gate: Gate) -> Line:
    """A tunnel whose near end holds little, so that it is full soon."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
    sock.setblocking(False)
    await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", gate.port))
    reader, writer = await asyncio.open_connection(sock=sock, limit=65536)
    writer.write(CONNECT)
    assert await reader.readuntil(b"\r\n\r\n") == ESTABLISHED
    return Line(reader=reader, writer=writer)


@asynccontextmanager
async def through(goal: int, open_gate: OpenGate) -> AsyncIterator[Gate]:
    """A gate whose direct way leads to *goal*."""

    async def here(host: str) -> list[str]:
        del host
        return ["127.0.0.1"]

    addresses = PublicAddresses(here, also=frozenset({"127.0.0.1"}))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(upstream, "HTTPS_PORT", goal)
        async with open_gate(addresses=addresses) as gate:
            yield gate
