import asyncio
import ssl
import threading
from collections.abc import Iterator, Sequence
from contextlib import aclosing
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import trustme

from phx_pipeline.demo.loopback import Answer, Asked, Loopback
from phx_pipeline.errors import HostRefusedError, InputError, TransientError
from phx_pipeline.fetch.base import Request, RequestKind
from phx_pipeline.fetch.chain import build_fetcher
from phx_pipeline.fetch.clients.curl import CurlClient, check_peer
from phx_pipeline.fetch.hosts import PublicAddresses
from phx_pipeline.model.source import Source


def photo(n: int) -> Request:
    return Request(
        url=f"https://photos.zillowstatic.com/fp/{n}.jpg",
        source=Source.ZILLOW,
        kind=RequestKind.PHOTO,
        headers={"Referer": "https://www.zillow.com/"},
    )


def camera(asked: Asked) -> Answer:
    return Answer(body=asked.target.encode() * 1000, headers={"X-Kind": "photo"})


@pytest.fixture
def loopback(tmp_path: Path) -> Iterator[Loopback]:
    with Loopback({"photos.zillowstatic.com": camera}, folder=tmp_path) as running:
        yield running


def client_for(loopback: Loopback) -> CurlClient:
    return CurlClient(proxy=loopback.proxy_url, ca_file=loopback.ca_file)


async def test_twenty_photos_at_once_each_get_their_own_body(
    loopback: Loopback,
) -> None:
    async with aclosing(client_for(loopback)) as client:
        answers = await asyncio.gather(*(client.get(photo(n)) for n in range(20)))

    bodies = [answer.body for answer in answers]
    assert bodies == [f"/fp/{n}.jpg".encode() * 1000 for n in range(20)]
    assert {answer.headers["x-kind"] for answer in answers} == {"photo"}
    assert {a.headers["referer"] for a in loopback.asked} == {"https://www.zillow.com/"}


async def test_a_post_with_a_body_and_secret_headers_arrives_as_it_is(
    loopback: Loopback,
) -> None:
    asking = replace(
        photo(1), method="POST", body=b'{"a":1}', secret_headers={"X-Api-Key": "hush"}
    )

    async with aclosing(client_for(loopback)) as client:
        await client.get(asking)
        await client.get(photo(2))

    post, get = loopback.asked
    assert (post.method, get.method) == ("POST", "GET")
    assert post.headers["x-api-key"] == "hush"
    assert post.headers["content-length"] == "7"
    assert "x-api-key" not in get.headers


async def test_the_client_looks_like_chrome(loopback: Loopback) -> None:
    async with aclosing(client_for(loopback)) as client:
        await client.get(photo(1))

    headers = loopback.asked[0].headers
    assert "Chrome/" in headers["user-agent"]
    assert "sec-ch-ua" in headers


def test_one_client_serves_event_loop_after_event_loop(loopback: Loopback) -> None:
    client = client_for(loopback)

    async def visit(*, close: bool) -> int:
        answer = await client.get(photo(1))
        if close:
            await client.aclose()
        return answer.status

    assert [asyncio.run(visit(close=close)) for close in (True, False, True)] == [
        200
    ] * 3


async def test_closing_twice_or_unused_does_no_harm(loopback: Loopback) -> None:
    client = client_for(loopback)

    await client.aclose()
    await client.get(photo(1))
    await client.aclose()
    await client.aclose()

    assert len(loopback.asked) == 1


async def test_a_cancelled_request_gives_its_place_back(loopback: Loopback) -> None:
    client = CurlClient(
        proxy=loopback.proxy_url, ca_file=loopback.ca_file, max_clients=1
    )

    async with aclosing(client):
        for n in range(5):
            task = asyncio.create_task(client.get(photo(n)))
            await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        answer = await client.get(photo(9))

    assert answer.status == 200


@pytest.mark.parametrize(
    "proxy",
    [
        "127.0.0.1:8080",
        "ftp://anna:hush@127.0.0.1:8080",
        "http://anna:hush@127.0.0.1",
        "http://anna:hush@127.0.0.1:port",
        "http://anna:hush@[::1:8080",
        "http://",
        "",
    ],
)
def test_a_proxy_nobody_could_use_is_refused_without_repeating_it(proxy: str) -> None:
    with pytest.raises(InputError, match="SCHEME://") as caught:
        CurlClient(proxy=proxy)

    assert "hush" not in repr(caught.value)
    assert caught.value.__context__ is None


def test_a_ca_file_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"CA file .*none\.pem"):
        CurlClient(ca_file=tmp_path / "none.pem")


@pytest.mark.parametrize(
    "url", ["file:///etc/hostname", "http://photos.zillowstatic.com/", "ftp://a.b/"]
)
async def test_only_https_is_spoken_even_without_a_guard(
    loopback: Loopback, url: str
) -> None:
    async with aclosing(client_for(loopback)) as client:
        with pytest.raises(TransientError):
            await client.get(replace(photo(1), url=url))

    assert (loopback.asked, loopback.refused) == ([], [])


class _Page(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # keeps connections, as real sites do

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "4")
        self.end_headers()
        self.wfile.write(b"fine")

    def log_message(self, *_: object) -> None:
        """Keep the test output quiet."""


@pytest.fixture
def direct_site(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """Yield the URL of a TLS server on loopback under a production name, and its CA."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    trust = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("www.zillow.com").configure_cert(trust)
    with ThreadingHTTPServer(("127.0.0.1", 0), _Page) as server:
        server.daemon_threads = False
        server.socket = trust.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"https://www.zillow.com:{server.server_port}/", tmp_path / "ca.pem"
        server.shutdown()
        thread.join()


async def on_loopback(host: str) -> Sequence[str]:
    assert host == "www.zillow.com"
    return ["127.0.0.1"]


def page(url: str) -> Request:
    return Request(url=url, source=Source.ZILLOW, kind=RequestKind.PAGE, timeout_s=5)


async def test_without_a_proxy_the_checked_address_is_the_one_connected_to(
    direct_site: tuple[str, Path], monkeypatch: pytest.MonkeyPatch, unused_tcp_port: int
) -> None:
    monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{unused_tcp_port}")
    url, ca_file = direct_site
    addresses = PublicAddresses(on_loopback, also=frozenset({"127.0.0.1"}))

    async with aclosing(CurlClient(ca_file=ca_file, addresses=addresses)) as client:
        answers = [await client.get(page(url)) for _ in range(2)]

    assert [answer.body for answer in answers] == [b"fine", b"fine"]


class Wandering(PublicAddresses):
    """Gives another address each time, as a check gone wrong would."""

    def __init__(self) -> None:
        super().__init__()
        self.left = ["127.0.0.1", "127.0.0.2"]

    async def of(self, host: str, *, url: str) -> tuple[str, ...]:
        assert host in url
        return (self.left.pop(0),)


async def test_a_kept_connection_to_another_address_than_checked_is_refused(
    direct_site: tuple[str, Path],
) -> None:
    url, ca_file = direct_site

    async with aclosing(CurlClient(ca_file=ca_file, addresses=Wandering())) as client:
        await client.get(page(url))
        with pytest.raises(HostRefusedError, match=r"127\.0\.0\.1, which was not"):
            await client.get(page(url))


async def test_without_a_proxy_an_inner_address_is_refused_before_any_connect() -> None:
    fetcher = build_fetcher(
        allowed={Source.ZILLOW: ("zillow.com",)}, resolve=on_loopback
    )

    with pytest.raises(HostRefusedError, match=r"127\.0\.0\.1 is not public"):
        await fetcher.get(page("https://www.zillow.com/"))


async def test_without_a_proxy_a_name_that_does_not_resolve_is_a_passing_fault() -> (
    None
):
    async def nowhere(host: str) -> Sequence[str]:
        raise OSError(f"{host} is unknown")

    fetcher = build_fetcher(
        allowed={Source.ZILLOW: ("zillow.com",)}, resolve=nowhere, attempts=1
    )

    with pytest.raises(TransientError, match=r"www\.zillow\.com is unknown"):
        await fetcher.get(page("https://www.zillow.com/"))


def test_an_answer_from_an_address_that_was_not_checked_is_refused() -> None:
    check_peer("93.184.216.34", pinned=("93.184.216.34",), url="")
    check_peer("127.0.0.1", pinned=None, url="")

    with pytest.raises(HostRefusedError, match=r"127\.0\.0\.1, which was not checked"):
        check_peer("127.0.0.1", pinned=("93.184.216.34",), url="")
