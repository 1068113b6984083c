"""Webshare's list, read from a stand-in of its API."""

import json
import logging
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from phx_pipeline.errors import InputError, ProxyError
from phx_pipeline.fetch.webshare import WebshareList

TOKEN = "t0ken-of-nobody"  # noqa: S105  # of this test only


def result(number: int, **changes: Any) -> dict[str, Any]:
    given = {
        "id": f"d-{number}",
        "username": "anna",
        "password": "hush/h@sh",
        "proxy_address": f"10.0.0.{number}",
        "port": 8000 + number,
        "valid": True,
        "country_code": "US",
    }
    return given | changes


class _Desk(BaseHTTPRequestHandler):
    server: "_Server"

    def do_GET(self) -> None:
        api = self.server.api
        api.asked.append(self.path)
        api.tokens.append(self.headers.get("Authorization", ""))
        query = parse_qs(urlsplit(self.path).query)
        status, body = api.answer(query)
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Keep the test output quiet."""


class _Server(ThreadingHTTPServer):
    daemon_threads = False
    api: "Api"


class Api:
    """The running stand-in: its pages, and what it was asked."""

    def __init__(self) -> None:
        self.pages: list[list[dict[str, Any]]] = [[]]
        self.status = 200
        self.raw: bytes | None = None
        self.asked: list[str] = []
        self.tokens: list[str] = []
        self.base_url = ""
        self.now_s = 0.0

    def answer(self, query: dict[str, list[str]]) -> tuple[int, bytes]:
        if self.raw is not None or self.status != 200:
            return self.status, self.raw or b"{}"
        number = int(query["page"][0])
        more = number < len(self.pages)
        body = {
            "count": sum(map(len, self.pages)),
            "next": "https://elsewhere.example/steal" if more else None,
            "previous": None,
            "results": self.pages[number - 1],
        }
        return 200, json.dumps(body).encode()

    def listing(self, **options: Any) -> WebshareList:
        return WebshareList(
            TOKEN, base_url=self.base_url, clock=lambda: self.now_s, **options
        )


@pytest.fixture
def api() -> Iterator[Api]:
    with _Server(("127.0.0.1", 0), _Desk) as server:
        server.api = Api()
        server.api.base_url = f"http://127.0.0.1:{server.server_port}/api/v2"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server.api
        server.shutdown()
        thread.join()


def test_all_pages_are_read_and_only_valid_proxies_used(api: Api) -> None:
    api.pages = [
        [result(1), result(2, valid=False)],
        [result(3), result(4, valid=None)],
    ]

    found = api.listing()()

    assert [proxy.place for proxy in found] == ["10.0.0.1:8001", "10.0.0.3:8003"]
    assert found[0].url == "http://anna:hush%2Fh%40sh@10.0.0.1:8001"
    assert api.asked == [
        f"/api/v2/proxy/list/?mode=direct&page={n}&page_size=100" for n in (1, 2)
    ]
    assert api.tokens == [f"Token {TOKEN}"] * 2


def test_a_proxy_without_an_address_is_met_at_the_backbone(api: Api) -> None:
    api.pages = [[result(n, proxy_address=None, username=f"u-{n}") for n in (1, 2)]]

    found = api.listing(mode="backbone")()

    assert [proxy.place for proxy in found] == [
        "p.webshare.io:8001",
        "p.webshare.io:8002",
    ]
    assert "mode=backbone" in api.asked[0]


def test_a_result_nobody_could_use_is_left_out(
    api: Api, caplog: pytest.LogCaptureFixture
) -> None:
    api.pages = [
        [
            result(1, port=None),
            result(2, proxy_address="hush/@x"),
            result(3),
            result(4, username=None),
        ]
    ]

    found = api.listing()()

    assert [proxy.url for proxy in found][1:] == ["http://10.0.0.4:8004"]
    assert "hush" not in caplog.text


def test_the_list_is_kept_for_some_minutes(api: Api) -> None:
    api.pages = [[result(1)]]
    listing = api.listing(kept_s=300)

    first = [listing(), listing()]
    api.pages = [[result(2)]]
    api.now_s = 299
    kept = listing()
    api.now_s = 300
    renewed = listing()

    assert len(api.asked) == 2
    assert first == [kept, kept]
    assert [proxy.place for proxy in renewed] == ["10.0.0.2:8002"]


@pytest.mark.parametrize(
    ("status", "raw", "told"),
    [
        (500, None, "it answered 500"),
        (302, None, "it answered 302"),
        (200, b"<html>hush", "not JSON"),
        (200, b"\xffhush", "not JSON"),
        (200, b"[" * 100_000, "not JSON"),
        (200, b'["hush"]', "no list of results"),
        (200, b" " * 6_000_000, "too large"),
    ],
    ids=range(7),
)
def test_an_api_in_trouble_is_told_once_and_the_last_list_goes_on(
    api: Api, status: int, raw: bytes | None, told: str
) -> None:
    api.pages = [[result(1)]]
    had = api.listing()
    before = had()
    api.status, api.raw = status, raw
    api.now_s = 300
    fresh = api.listing()

    after = had()
    with pytest.raises(ProxyError, match=f"cannot be read: .*{told}") as caught:
        fresh()
    asked = len(api.asked)
    with pytest.raises(ProxyError):
        fresh()

    assert after == before
    assert len(api.asked) == asked
    assert "hush" not in texts_of(caught.value)


def test_an_api_that_is_not_there_is_told_without_the_token(
    unused_tcp_port: int, caplog: pytest.LogCaptureFixture
) -> None:
    listing = WebshareList(TOKEN, base_url=f"http://127.0.0.1:{unused_tcp_port}")

    with (
        caplog.at_level(logging.DEBUG),
        pytest.raises(ProxyError, match="ConnectError") as caught,
    ):
        listing()

    assert TOKEN not in texts_of(caught.value) + caplog.text


@pytest.mark.parametrize("status", [401, 403])
def test_a_token_that_is_refused_is_the_users_to_mend(api: Api, status: int) -> None:
    api.status = status

    with pytest.raises(InputError, match="PHX_WEBSHARE_TOKEN") as caught:
        api.listing()()

    assert TOKEN not in texts_of(caught.value)


def test_reading_logs_neither_token_nor_password(
    api: Api, caplog: pytest.LogCaptureFixture
) -> None:
    api.pages = [[result(1)]]

    with caplog.at_level(logging.DEBUG):
        found = api.listing()()

    told = caplog.text + repr(found)
    assert caplog.records
    assert TOKEN not in told
    assert "hush" not in told


def texts_of(error: BaseException | None) -> str:
    if error is None:
        return ""
    return f"{error!r} {texts_of(error.__cause__)} {texts_of(error.__context__)}"
