"""Servers of a few lines for what proxies and sites do at the level of bytes."""

import asyncio
import base64
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from phx_pipeline.fetch.clients.browser.line import Line, join, open_line

Talk = Callable[[Line], Awaitable[None]]
"""One connection from its start to its end."""

ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"


@asynccontextmanager
async def serving(
    talk: Talk, *, tls: ssl.SSLContext | None = None
) -> AsyncIterator[int]:
    """The port on loopback where *talk* is held with everybody."""
    talks: set[asyncio.Task[None]] = set()

    async def hold(line: Line) -> None:
        try:
            await talk(line)
            await line.finish()
        except (OSError, EOFError):
            line.reset()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = Line(reader=reader, writer=writer)
        task = asyncio.get_running_loop().create_task(hold(line))
        talks.add(task)
        task.add_done_callback(talks.discard)
        task.add_done_callback(lambda _: line.cut())

    server = await asyncio.start_server(accept, "127.0.0.1", 0, ssl=tls, backlog=256)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in talks:
            task.cancel()
        await asyncio.gather(*talks, return_exceptions=True)


async def echo(line: Line) -> None:
    while chunk := await line.reader.read(65536):
        line.writer.write(chunk)
        await line.writer.drain()


def saying(*parts: bytes) -> Talk:
    """A server that waits for the first bytes, and sends *parts* with pauses."""

    async def talk(line: Line) -> None:
        await line.reader.read(65536)
        for part in parts:
            line.writer.write(part)
            await asyncio.sleep(0.01)

    return talk


@dataclass(kw_only=True)
class StandInProxy:
    """A proxy all of whose tunnels lead to one port of loopback."""

    goal: int
    login: str = ""  # user:password
    asked: list[str] = field(default_factory=list)

    async def http(self, line: Line) -> None:
        head = (await line.reader.readuntil(b"\r\n\r\n")).decode("ascii")
        self.asked.append(head.split(" ")[1])
        wanted = f"Basic {base64.b64encode(self.login.encode()).decode('ascii')}"
        if self.login and f"Proxy-Authorization: {wanted}\r\n" not in head:
            line.writer.write(b"HTTP/1.1 407 Who?\r\nContent-Length: 0\r\n\r\n")
            return
        for piece in (b"HTTP/1.1 2", b"00 OK\r\nVia: 1.1 x\r", b"\n\r\n"):
            line.writer.write(piece)
            await asyncio.sleep(0.01)
        await self._through(line)

    async def socks(self, line: Line) -> None:
        _, count = await line.reader.readexactly(2)
        offered = await line.reader.readexactly(count)
        if self.login:
            if 2 not in offered:
                line.writer.write(b"\x05\xff")
                return
            line.writer.write(b"\x05\x02")
            user = await self._counted(line, skip=1)
            password = await self._counted(line)
            is_right = f"{user}:{password}" == self.login
            line.writer.write(b"\x01\x00" if is_right else b"\x01\x01")
            if not is_right:
                return
        else:
            line.writer.write(b"\x05\x00")
        host = await self._counted(line, skip=4)
        port = int.from_bytes(await line.reader.readexactly(2), "big")
        self.asked.append(f"{host}:{port}")
        for piece in (b"\x05", b"\x00\x00\x03\x04", b"here\x00\x50"):
            line.writer.write(piece)
            await asyncio.sleep(0.01)
        await self._through(line)

    async def _counted(self, line: Line, *, skip: int = 0) -> str:
        await line.reader.readexactly(skip)
        (length,) = await line.reader.readexactly(1)
        return (await line.reader.readexactly(length)).decode("utf-8")

    async def _through(self, line: Line) -> None:
        goal = await open_line("127.0.0.1", self.goal)
        try:
            await join(line, goal)
        finally:
            goal.cut()
