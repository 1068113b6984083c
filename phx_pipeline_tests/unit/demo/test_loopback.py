import asyncio
import gc
import http.client
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from curl_cffi.requests import AsyncSession

from phx_pipeline.demo.loopback import Answer, Asked, Loopback

PAGE = "https://www.zillow.com/homes/?page=2"


def echo(asked: Asked) -> Answer:
    text = f"{asked.method} {asked.host} {asked.target}"
    return Answer(body=text.encode(), headers={"Content-Type": "text/plain"})


def picture(asked: Asked) -> Answer:
    return Answer(body=b"x" * 400_000, headers={"ETag": asked.target})


@pytest.fixture
def loopback(tmp_path: Path) -> Iterator[Loopback]:
    sites = {"www.zillow.com": echo, "photos.zillowstatic.com": picture}
    with Loopback(sites, folder=tmp_path) as running:
        yield running


def httpx_client(loopback: Loopback) -> httpx.Client:
    trust = ssl.create_default_context(cafile=loopback.ca_file)
    return httpx.Client(proxy=loopback.proxy_url, verify=trust, timeout=5)


def test_httpx_reads_a_stand_in_under_its_real_name(loopback: Loopback) -> None:
    with httpx_client(loopback) as client:
        answer = client.get(PAGE, headers={"X-Mark": "1"})

    assert answer.text == "GET www.zillow.com /homes/?page=2"
    assert answer.headers["content-type"] == "text/plain"
    assert [(a.host, a.headers["x-mark"]) for a in loopback.asked] == [
        ("www.zillow.com", "1")
    ]


async def test_twenty_curl_downloads_at_once_all_arrive(loopback: Loopback) -> None:
    urls = [f"https://photos.zillowstatic.com/fp/{n}.jpg" for n in range(20)]

    async with AsyncSession(
        proxy=loopback.proxy_url,
        verify=str(loopback.ca_file),  # type: ignore[arg-type]  # a path is documented
        max_clients=20,
    ) as session:
        answers = await asyncio.gather(*(session.get(url) for url in urls))

    assert [len(answer.content) for answer in answers] == [400_000] * 20
    assert {a.target for a in loopback.asked} == {f"/fp/{n}.jpg" for n in range(20)}


def test_a_connection_is_kept_for_the_next_request(loopback: Loopback) -> None:
    proxy = urlsplit(loopback.proxy_url)
    trust = ssl.create_default_context(cafile=loopback.ca_file)
    line = http.client.HTTPSConnection(
        str(proxy.hostname), proxy.port, context=trust, timeout=5
    )
    line.set_tunnel("www.zillow.com", 443)

    line.request("GET", "/one")
    first = line.getresponse().read()
    socket = line.sock
    line.request("POST", "/two", body=b"ignored")
    second = line.getresponse().read()

    assert (first, second) == (
        b"GET www.zillow.com /one",
        b"POST www.zillow.com /two",
    )
    assert line.sock is socket
    line.close()


@pytest.mark.parametrize(
    ("url", "written"),
    [
        ("https://example.com/", "example.com:443"),
        ("https://www.zillow.com:8443/", "www.zillow.com:8443"),
        ("https://169.254.169.254/latest/", "169.254.169.254:443"),
    ],
)
def test_a_host_without_a_stand_in_is_refused_and_written_down(
    loopback: Loopback, url: str, written: str
) -> None:
    with httpx_client(loopback) as client, pytest.raises(httpx.ProxyError, match="403"):
        client.get(url)

    assert loopback.refused == [written]
    assert loopback.asked == []


def test_plain_http_through_the_proxy_is_refused(loopback: Loopback) -> None:
    with httpx_client(loopback) as client:
        answer = client.get("http://www.zillow.com/")

    assert answer.status_code == 403
    assert loopback.refused == ["www.zillow.com:80"]


def test_a_tunnel_to_one_site_cannot_ask_another(loopback: Loopback) -> None:
    with httpx_client(loopback) as client:
        answer = client.get(PAGE, headers={"Host": "photos.zillowstatic.com"})

    assert answer.status_code == 421


def test_head_and_bodiless_answers_leave_the_connection_usable(tmp_path: Path) -> None:
    def site(asked: Asked) -> Answer:
        return Answer(status=304 if asked.target == "/same" else 200, body=b"text")

    with (
        Loopback({"www.redfin.com": site}, folder=tmp_path) as loopback,
        httpx_client(loopback) as client,
    ):
        statuses = [
            client.head("https://www.redfin.com/").status_code,
            client.get("https://www.redfin.com/same").status_code,
            client.get("https://www.redfin.com/").status_code,
        ]

    assert statuses == [200, 304, 200]


def failing(asked: Asked) -> Answer:
    raise AssertionError(f"unexpected {asked.target}")


def test_a_failing_handler_answers_500_and_is_raised_on_exit(tmp_path: Path) -> None:
    statuses = []

    with (
        pytest.raises(ExceptionGroup) as caught,
        Loopback({"www.redfin.com": failing}, folder=tmp_path) as loopback,
        httpx_client(loopback) as client,
    ):
        statuses.append(client.get("https://www.redfin.com/odd").status_code)

    assert statuses == [500]
    assert [str(error) for error in caught.value.exceptions] == ["unexpected /odd"]


def test_an_error_of_the_body_is_not_hidden_by_a_failing_handler(
    tmp_path: Path,
) -> None:
    def body() -> None:
        with (
            Loopback({"www.redfin.com": failing}, folder=tmp_path) as loopback,
            httpx_client(loopback) as client,
        ):
            client.get("https://www.redfin.com/odd")
            raise KeyError("mine")

    with pytest.raises(KeyError) as caught:
        body()

    assert "unexpected /odd" in caught.value.__notes__[0]


def test_stopping_ends_the_thread_and_cuts_open_connections(tmp_path: Path) -> None:
    before = set(threading.enumerate())  # those of other tests may end meanwhile

    with Loopback({"www.zillow.com": echo}, folder=tmp_path) as loopback:
        client = httpx_client(loopback)
        client.get(PAGE)  # leaves an idle connection behind
    with pytest.raises(httpx.ConnectError):
        client.get(PAGE)
    client.close()
    gc.collect()  # brings out the ResourceWarning of a leaked socket, if any

    assert set(threading.enumerate()) <= before
