"""Configured APIs are asked by a plain client, under the same policies."""

import gzip
import threading
from collections.abc import Callable, Iterator
from contextlib import aclosing
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from phx_pipeline.catalog.engine import open_engine
from phx_pipeline.catalog.migrate import upgrade
from phx_pipeline.catalog.policies import CatalogPolicies
from phx_pipeline.catalog.proxies import CatalogProxies
from phx_pipeline.demo.loopback import Answer, Asked, Loopback
from phx_pipeline.errors import (
    BlockedError,
    BodyLimitError,
    DeadlineError,
    FetchError,
    GoneError,
    HostRefusedError,
    InputError,
    ProxyError,
    RateLimitedError,
    TransientError,
)
from phx_pipeline.fetch.base import ClientName, Fetcher, Request, RequestKind
from phx_pipeline.fetch.chain import build_fetcher
from phx_pipeline.fetch.hosts import Endpoint
from phx_pipeline.fetch.proxies import ProxyPool
from phx_pipeline.fetch.retries import Backoff
from phx_pipeline.fetch.route import Route, asked_by
from phx_pipeline.model.source import Source

API = "api.example.com"
SECRET = "hush-hush"  # noqa: S105 - of nothing
AT_ONCE = Backoff(initial_s=0, jitter_s=0)


def asking(url: str, *, group: str = "feed") -> Request:
    return Request(
        url=url,
        kind=RequestKind.API,
        group=group,
        method="POST",
        body=b'{"a":1}',
        secret_headers={"Authorization": f"Bearer {SECRET}"},
    )


def feed(asked: Asked) -> Answer:
    status = int(asked.target.strip("/") or 200)
    headers = {"Content-Type": "application/json", "Set-Cookie": "seen=1"}
    if status == 429:
        headers["Retry-After"] = "7"
    return Answer(status=status, body=b'{"value": []}', headers=headers)


@pytest.fixture
def loopback(tmp_path: Path) -> Iterator[Loopback]:
    with Loopback({API: feed}, folder=tmp_path) as running:
        yield running


def through(loopback: Loopback, **more: object) -> Fetcher:
    feeds = [Endpoint.of(f"https://{API}/v1", setting="PHX_FEED")]
    return build_fetcher(
        allowed={},
        endpoints={"feed": feeds},
        proxy=loopback.proxy_url,
        ca_file=loopback.ca_file,
        attempts=1,
        **more,  # type: ignore[arg-type]  # of any type
    )


async def test_a_post_to_a_configured_api_arrives_as_it_is_and_says_what_it_is(
    loopback: Loopback,
) -> None:
    async with aclosing(through(loopback)) as fetcher:
        answers = [await fetcher.get(asking(f"https://{API}/")) for _ in range(2)]

    assert [answer.body for answer in answers] == [b'{"value": []}'] * 2
    assert answers[0].headers["content-type"] == "application/json"
    first, second = loopback.asked
    assert (first.method, first.headers["content-length"]) == ("POST", "7")
    assert first.headers["authorization"] == f"Bearer {SECRET}"
    assert first.headers["user-agent"] == "phx_pipeline"
    assert "cookie" not in second.headers


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (404, GoneError),
        (403, BlockedError),
        (429, RateLimitedError),
        (500, TransientError),
        (307, FetchError),
    ],
)
async def test_its_statuses_mean_what_those_of_a_site_mean(
    loopback: Loopback, status: int, error: type[FetchError]
) -> None:
    async with aclosing(through(loopback)) as fetcher:
        with pytest.raises(error) as caught:
            await fetcher.get(asking(f"https://{API}/{status}"))

    assert len(loopback.asked) == 1
    if isinstance(caught.value, RateLimitedError):
        assert caught.value.retry_after_s == 7


async def test_its_retry_after_is_kept_under_its_own_group(
    loopback: Loopback, tmp_path: Path
) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'phx.db'}")
    upgrade(engine)
    policies = CatalogPolicies(engine)

    async with aclosing(through(loopback, policies=policies)) as fetcher:
        with pytest.raises(RateLimitedError):
            await fetcher.get(asking(f"https://{API}/429"))

    now_s, (state,) = policies.source_states()
    engine.dispose()
    assert state.name == "feed"
    assert state.not_before > now_s


@pytest.mark.parametrize(
    "url",
    [
        f"https://{API}:8443/",
        f"http://{API}/",
        f"https://sub.{API}/",
        "https://127.0.0.1/",
        f"https://a@{API}/",
        f"https://{API}\\@evil.example/",
    ],
)
async def test_only_the_very_server_that_was_configured_is_asked(
    loopback: Loopback, url: str
) -> None:
    async with aclosing(through(loopback)) as fetcher:
        with pytest.raises(HostRefusedError):
            await fetcher.get(asking(url))

    assert loopback.asked == []
    assert loopback.refused == []


# --- a server on this machine ---------------------------------------------------------


class Here(BaseHTTPRequestHandler):
    over = threading.Event()

    def do_POST(self) -> None:
        faults: dict[str, Callable[[], None]] = {
            "/long": lambda: self.answer(bytes(100_000)),
            "/zip": lambda: self.answer(gzip.compress(b"{}"), encoding="gzip"),
            "/slow": self.drip,
            "/empty": lambda: self.answer(b""),
            "/robot": lambda: self.answer(b"<title>Just a moment...</title>"),
            "/short": lambda: self.answer(b"{}", length=100),
        }
        self.rfile.read(int(self.headers["Content-Length"]))
        faults.get(self.path, lambda: self.answer(b'{"here": true}'))()

    def answer(self, body: bytes, *, encoding: str = "", length: int = 0) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(length or len(body)))
        if encoding:
            self.send_header("Content-Encoding", encoding)
        self.end_headers()
        self.wfile.write(body)

    def drip(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "100000")
        self.end_headers()
        try:
            while not self.over.wait(0.05):
                self.wfile.write(b"x")
        except OSError:
            return

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@pytest.fixture
def here() -> Iterator[str]:
    Here.over.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Here)
    server.daemon_threads = False  # so that closing waits for them
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        Here.over.set()
        server.shutdown()
        thread.join()
        server.server_close()


def local(base: str, **more: object) -> Fetcher:
    endpoints = {"vision": [Endpoint.of(base, setting="PHX_VISION")]}
    return build_fetcher(
        allowed={Source.REDFIN: ("redfin.com",)},
        endpoints=endpoints,
        attempts=1,
        backoff=AT_ONCE,
        **more,  # type: ignore[arg-type]  # of any type
    )


async def test_a_configured_server_on_this_machine_is_asked_without_the_proxy(
    here: str, loopback: Loopback
) -> None:
    named = here.replace("127.0.0.1", "localhost")
    for base in (here, named):
        async with aclosing(local(base, proxy=loopback.proxy_url)) as fetcher:
            answer = await fetcher.get(asking(f"{base}/x", group="vision"))
        assert answer.body == b'{"here": true}'

    assert loopback.refused == []


async def test_an_api_may_answer_with_nothing_but_not_with_a_robot_page(
    here: str,
) -> None:
    async with aclosing(local(here)) as fetcher:
        empty = await fetcher.get(asking(f"{here}/empty", group="vision"))
        with pytest.raises(BlockedError) as caught:
            await fetcher.get(asking(f"{here}/robot", group="vision"))

    assert empty.body == b""
    assert caught.value.challenge


async def test_nobody_else_may_be_sent_to_this_machine(here: str) -> None:
    request = replace(asking(f"{here}/x"), source=Source.REDFIN)
    async with aclosing(local(here)) as fetcher:
        for group in ("", "feed"):
            with pytest.raises(HostRefusedError):
                await fetcher.get(replace(request, group=group))


async def test_a_pool_of_proxies_has_no_part_in_it(here: str, tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'phx.db'}")
    upgrade(engine)
    nobody = ProxyPool(lambda: (), store=CatalogProxies(engine))

    async with aclosing(local(here, pool=nobody)) as fetcher:
        answer = await fetcher.get(asking(f"{here}/x", group="vision"))
        with pytest.raises(ProxyError):
            await fetcher.get(
                Request(
                    url="https://www.redfin.com/",
                    source=Source.REDFIN,
                    kind=RequestKind.API,
                )
            )

    engine.dispose()
    assert answer.status == 200


def texts_of(error: BaseException | None) -> str:
    if error is None:
        return ""
    told = [repr(error), str(error), str(vars(error))]
    return " ".join([*told, texts_of(error.__cause__), texts_of(error.__context__)])


@pytest.mark.parametrize(
    ("path", "error"),
    [
        ("/long", BodyLimitError),
        ("/zip", TransientError),
        ("/slow", DeadlineError),
        ("/short", TransientError),
    ],
)
async def test_every_fault_ends_with_its_own_error_that_tells_no_secret(
    here: str, path: str, error: type[FetchError]
) -> None:
    request = replace(
        asking(f"{here}{path}", group="vision"), max_bytes=50_000, timeout_s=1
    )
    if path != "/slow":
        request = replace(request, timeout_s=30)

    async with aclosing(local(here)) as fetcher:
        with pytest.raises(error) as caught:
            await fetcher.get(request)

    assert SECRET not in texts_of(caught.value)


async def test_a_server_that_does_not_run_is_a_passing_fault(
    unused_tcp_port: int,
) -> None:
    base = f"http://127.0.0.1:{unused_tcp_port}"

    async with aclosing(local(base)) as fetcher:
        with pytest.raises(TransientError, match="refused") as caught:
            await fetcher.get(asking(f"{base}/x", group="vision"))

    assert SECRET not in texts_of(caught.value)


async def test_a_certificate_nobody_vouches_for_is_not_accepted(
    loopback: Loopback,
) -> None:
    feeds = [Endpoint.of(f"https://{API}", setting="PHX_FEED")]
    fetcher = build_fetcher(
        allowed={}, endpoints={"feed": feeds}, proxy=loopback.proxy_url, attempts=1
    )

    async with aclosing(fetcher):
        with pytest.raises(TransientError, match="TLS"):
            await fetcher.get(asking(f"https://{API}/"))

    assert loopback.asked == []


def test_a_socks_proxy_is_refused_with_the_remedy() -> None:
    feeds = [Endpoint.of(f"https://{API}", setting="PHX_FEED")]

    with pytest.raises(InputError, match="http:// proxy"):
        build_fetcher(
            allowed={}, endpoints={"feed": feeds}, proxy="socks5h://127.0.0.1:1080"
        )


async def test_a_source_may_be_asked_by_it_without_a_name_for_us(
    loopback: Loopback,
) -> None:
    clients = {Source.MARICOPA: ClientName.HTTPX}
    fetcher = build_fetcher(
        allowed={Source.MARICOPA: [API], Source.ZILLOW: [API]},
        route=Route(own=asked_by(clients)),
        proxy=loopback.proxy_url,
        ca_file=loopback.ca_file,
        attempts=1,
    )
    asked = [
        Request(
            url=f"https://{API}/{status}",
            source=source,
            kind=RequestKind.API,
            headers={"User-Agent": ""},
        )
        for source, status in [(Source.MARICOPA, 204), (Source.ZILLOW, 200)]
    ]

    async with aclosing(fetcher):
        empty, _ = [await fetcher.get(each) for each in asked]

    assert (empty.status, empty.body) == (204, b"")
    plain, like_a_browser = [it.headers.get("user-agent", "") for it in loopback.asked]
    assert (plain, "Mozilla" in like_a_browser) == ("", True)
