"""A CONNECT proxy that fails as a test says, before a stand-in site's own proxy.

What is expected of those who ask through it stands in the tests.
"""

import asyncio
import contextlib
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from phx_pipeline.fetch.proxies import Proxy

USER, PASSWORD = "anna", "hush-hush"
RESET = struct.pack("ii", 1, 0)


@dataclass
class Way:
    """A CONNECT proxy before the stand-in's, with a fault to be switched on.

    Faults: `""`, `407`, `403`, `502` (its answer to CONNECT), `close` and `reset` at
    once, `garbage`, `silent`, `drop` (a reset after `after` bytes of the answer).
    With `only`, the fault is for that host alone.
    """

    upstream: str
    fault: str = ""
    only: str = ""
    after: int = 0
    port: int = 0
    connects: list[str] = field(default_factory=list)
    heads: list[str] = field(default_factory=list)

    @property
    def proxy(self) -> Proxy:
        return Proxy.of(f"http://{USER}:{PASSWORD}@127.0.0.1:{self.port}")

    @asynccontextmanager
    async def open(self) -> AsyncIterator["Way"]:
        talks: set[asyncio.Task[None]] = set()

        async def talk(r: asyncio.StreamReader, w: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            talks.add(task)
            with contextlib.suppress(OSError, EOFError, asyncio.CancelledError):
                await self._talk(r, w)
            w.transport.abort()

        server = await asyncio.start_server(talk, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        async with server:
            yield self
            for task in talks:
                task.cancel()
            await asyncio.gather(*talks, return_exceptions=True)
            await asyncio.sleep(0)

    async def _talk(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        host = head.split(" ")[1].removesuffix(":443")
        self.connects.append(host)
        self.heads.append(head)
        fault = self.fault if self.only in {"", host} else ""
        if fault == "reset":
            _reset(writer)
        elif fault == "silent":
            await asyncio.sleep(30)
        elif fault.isdigit():
            said = f"HTTP/1.1 {fault} no\r\nProxy-Authenticate: Basic realm=x\r\n\r\n"
            await say(writer, said.encode())
        elif fault == "garbage":
            await say(writer, b"\x00\xff what\r\n\r\n")
        elif fault != "close":
            await self._relay(
                reader, writer, host=host, limit=self.after if fault else None
            )

    async def _relay(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        *,
        host: str,
        limit: int | None,
    ) -> None:
        port = urlsplit(self.upstream).port
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)
        far_writer.write(f"CONNECT {host}:443 HTTP/1.1\r\n\r\n".encode())
        await say(writer, await far_reader.readuntil(b"\r\n\r\n"))
        there = asyncio.create_task(_pump(reader, far_writer))
        try:
            await _pump(far_reader, writer, limit=limit)
        finally:
            there.cancel()
            far_writer.transport.abort()
        if limit is not None:
            _reset(writer)


async def say(writer: asyncio.StreamWriter, data: bytes) -> None:
    writer.write(data)
    await writer.drain()


async def _pump(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    *,
    limit: int | None = None,
) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(4096 if limit is None else min(4096, limit)):
            await say(writer, data)
            if limit is not None and (limit := limit - len(data)) <= 0:
                return


def _reset(writer: asyncio.StreamWriter) -> None:
    sock = writer.get_extra_info("socket")
    sock.setsockopt(1, 13, RESET)  # SOL_SOCKET, SO_LINGER: the close is a reset
    writer.transport.abort()
