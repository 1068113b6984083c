"""A byte stream in both directions, plain or over TLS, and two of them joined.

Which streams may be joined is decided elsewhere.
"""

import asyncio
import contextlib
import socket
import ssl
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

BUFFER_BYTES: Final = 65536
"""Of each direction; asyncio reads on until twice as much waits."""

_HANDSHAKE_S: Final = 10.0
_LAST_S: Final = 10.0
_RESETS: Final = struct.pack("ii", 1, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One end of a connection; `below` is what its TLS runs over."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    below: "Line | None" = None  # kept: a StreamWriter that is forgotten closes

    def cut(self) -> None:
        """Drop the connection, and what was not sent yet."""
        self.writer.transport.abort()

    def reset(self) -> None:
        """Drop the connection so that the other side sees no orderly end."""
        sock = self.writer.get_extra_info("socket")
        if sock is not None:  # TLS forgets it at the end
            with contextlib.suppress(OSError):  # it may be closed already
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESETS)
        self.cut()

    async def finish(self) -> None:
        """Send what is left and close; no longer than some seconds."""
        self.writer.close()
        with contextlib.suppress(OSError):  # a TimeoutError is one
            async with asyncio.timeout(_LAST_S):
                await self.writer.wait_closed()


async def open_line(host: str, port: int) -> Line:
    """Connect; `OSError` if nobody answers."""
    reader, writer = await asyncio.open_connection(host, port, limit=BUFFER_BYTES)
    return Line(reader=reader, writer=writer)


async def over_tls(
    line: Line, trust: ssl.SSLContext, *, server_name: str | None
) -> Line:
    """Return *line* with TLS over it, as its client or, without a name, its server.

    What the other side sent before the handshake is dropped: it was not protected and
    must not be taken for what comes after.

    Raises:
        OSError: also of `ssl`, and when the handshake takes too long; *line* is cut.
    """
    reader = asyncio.StreamReader(limit=BUFFER_BYTES)
    protocol = asyncio.StreamReaderProtocol(reader)
    loop = asyncio.get_running_loop()
    try:
        transport = await loop.start_tls(
            line.writer.transport,
            protocol,
            trust,
            server_side=server_name is None,
            server_hostname=server_name,
            ssl_handshake_timeout=_HANDSHAKE_S,
            ssl_shutdown_timeout=_LAST_S,
        )
    except BaseException:
        line.cut()
        raise
    if transport is None:  # as typeshed has it: closed meanwhile
        raise ConnectionAbortedError("closed during the TLS handshake")
    protocol.connection_made(transport)
    writer = asyncio.StreamWriter(transport, protocol, reader, loop)
    return Line(reader=reader, writer=writer, below=line)


async def join(
    one: Line, other: Line, *, moved: Callable[[], object] = lambda: None
) -> None:
    """Carry bytes both ways until both directions have ended.

    When one has, the other has some seconds left. No more than the buffers is held: a
    side that does not read stops the other from sending.

    Args:
        one: either side.
        other: the other.
        moved: is called whenever bytes were carried.

    Raises:
        OSError: one side was cut.
    """
    flows = [
        asyncio.create_task(_carry(one.reader, other.writer, moved)),
        asyncio.create_task(_carry(other.reader, one.writer, moved)),
    ]
    try:
        done, left = await asyncio.wait(flows, return_when=asyncio.FIRST_COMPLETED)
        if left and not any(flow.exception() for flow in done):
            await asyncio.wait(left, timeout=_LAST_S)
    finally:
        for flow in flows:
            flow.cancel()
        ends = await asyncio.gather(*flows, return_exceptions=True)
    for end in ends:
        if isinstance(end, OSError):
            raise end


async def _carry(
    source: asyncio.StreamReader,
    sink: asyncio.StreamWriter,
    moved: Callable[[], object],
) -> None:
    while chunk := await source.read(BUFFER_BYTES):
        moved()
        sink.write(chunk)
        await sink.drain()
    if sink.can_write_eof():
        sink.write_eof()
    else:  # TLS cannot be half closed
        sink.close()
