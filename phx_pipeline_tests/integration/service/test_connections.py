"""A connection on which nothing is asked is closed; what takes its time is not."""

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest
import uvicorn

from phx_pipeline.service import connections
from phx_pipeline.service.asgi import Receive, Scope, Send
from phx_pipeline.service.connections import Prompt

_WAIT_S = 0.05
_GET = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"


async def _slow(scope: Scope, receive: Receive, send: Send) -> None:
    del scope, receive
    await asyncio.sleep(_WAIT_S * 3)
    headers = [(b"content-length", b"4")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"well"})


@pytest.fixture
async def port(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[int]:
    """Of a server that waits a moment for requests, and longer between them."""
    monkeypatch.setattr(connections, "HEAD_S", _WAIT_S)
    listening = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        _slow, http=Prompt, lifespan="off", log_config=None, timeout_keep_alive=600
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    yield listening.getsockname()[1]
    server.should_exit = True
    await serving


@pytest.mark.parametrize("sent", [b"", _GET[:9], _GET, _GET + _GET[:9]])
async def test_a_connection_ends_once_nothing_is_asked(port: int, sent: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(sent)

    told = await reader.read()

    assert told.endswith(b"well") == (_GET in sent)
    writer.close()
