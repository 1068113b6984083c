"""A real Chromium, whose only way out is the gate."""

import asyncio
import contextlib
import os
import shutil
import signal
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from http import HTTPStatus
from pathlib import Path

import pytest
import trustme
from websockets.asyncio.server import ServerConnection, serve
from websockets.datastructures import Headers
from websockets.http11 import Request, Response

from phx_pipeline.fetch.clients.browser.gate import Gate
from phx_pipeline.fetch.clients.browser.tls import spki_sha256
from phx_pipeline.fetch.hosts import is_listed
from phx_pipeline_tests.tunnels import StandInProxy, serving

OpenGate = Callable[..., AbstractAsyncContextManager[Gate]]

CHROMIUM = shutil.which("chromium")
LISTED = ("zillow.com", "zillowstatic.com")
MAKER = ("google.com", "googleapis.com", "gvt1.com")
STRANGERS = ("tracker.example", "127.0.0.1", "www.zillow.com:8443", "localhost")

PAGE = """<!doctype html><title>stand-in</title>
<img src="https://photos.zillowstatic.com/1.svg">
<img src="https://tracker.example/p.gif"><img src="https://localhost/">
<img src="https://127.0.0.1/"><img src="https://www.zillow.com:8443/">
<script>
const socket = new WebSocket("wss://www.zillow.com/socket");
socket.binaryType = "arraybuffer";
socket.onopen = () => socket.send(Uint8Array.from({length: 70000}, (_, n) => n % 256));
const said = new Promise(resolve => socket.onmessage = ({data}) => resolve(data));
const loaded = new Promise(resolve => addEventListener("load", resolve));
Promise.all([said, loaded]).then(([data]) => {
  const right = new Uint8Array(data).every((byte, n) => byte === n % 256);
  fetch(`/done/${right}/${data.byteLength}`);
});
</script>"""

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")


class Site:
    """A page over TLS, with a socket that says everything back."""

    def __init__(self, folder: Path) -> None:
        authority = trustme.CA()
        self.ca_file = folder / "ca.pem"
        authority.cert_pem.write_to_path(str(self.ca_file))
        leaf = authority.issue_cert("www.zillow.com", "photos.zillowstatic.com")
        self.spki = spki_sha256(leaf.cert_chain_pems[0].bytes())
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        leaf.configure_cert(self.tls)
        self.paths: list[str] = []
        self.done = asyncio.Event()

    def answer(self, _: ServerConnection, request: Request) -> Response | None:
        self.paths.append(request.path)
        if request.path == "/socket":
            return None
        if request.path.startswith("/done/"):
            self.done.set()
        body = PAGE.encode() if request.path == "/" else b""
        headers = Headers({"Content-Type": "text/html", "Connection": "close"})
        headers["Content-Length"] = str(len(body))
        return Response(HTTPStatus.OK, "OK", headers, body)


async def say_back(connection: ServerConnection) -> None:
    async for message in connection:
        await connection.send(message)


@asynccontextmanager
async def chromium(gate: Gate, *, profile: Path, spki: str) -> AsyncIterator[None]:
    process = await asyncio.create_subprocess_exec(
        str(CHROMIUM),
        "--headless=new",
        "--no-sandbox",  # it refuses to run as root otherwise
        "--disable-dev-shm-usage",
        "--disable-quic",
        "--no-first-run",
        f"--user-data-dir={profile}",
        f"--proxy-server=http://127.0.0.1:{gate.port}",
        "--proxy-bypass-list=<-loopback>",
        f"--ignore-certificate-errors-spki-list={spki}",
        "https://www.zillow.com/",
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


async def called_home(gate: Gate) -> None:
    """Wait until the browser has asked for a host of its maker."""
    while not any(is_listed(host, MAKER) for host in gate.refused):  # noqa: ASYNC110
        await asyncio.sleep(0.05)


@pytest.mark.parametrize("ends_tls", [True, False])
async def test_chromium_reaches_the_listed_hosts_and_nobody_else(
    open_gate: OpenGate,
    tmp_path: Path,
    ends_tls: bool,  # noqa: FBT001
) -> None:
    site = Site(tmp_path)
    async with serve(
        say_back, "127.0.0.1", 0, ssl=site.tls, process_request=site.answer
    ) as server:
        standin = StandInProxy(goal=next(iter(server.sockets)).getsockname()[1])
        async with (
            serving(standin.http) as port,
            open_gate(
                allows=partial(is_listed, entries=LISTED),
                upstream=f"http://127.0.0.1:{port}",
                ca_file=site.ca_file if ends_tls else None,
            ) as gate,
            chromium(gate, profile=tmp_path / "profile", spki=gate.spki or site.spki),
        ):
            await asyncio.wait_for(site.done.wait(), 60)
            await asyncio.wait_for(called_home(gate), 60)

    assert "/done/true/70000" in site.paths
    assert set(standin.asked) == {"www.zillow.com:443", "photos.zillowstatic.com:443"}
    assert set(STRANGERS) <= set(gate.refused)
    assert gate.fault is None
