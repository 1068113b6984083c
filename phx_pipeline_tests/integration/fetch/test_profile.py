"""A property looks like one browser to pages and photos, whoever asks."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from phx_pipeline.catalog.engine import open_engine
from phx_pipeline.catalog.migrate import upgrade
from phx_pipeline.catalog.policies import CatalogPolicies
from phx_pipeline.catalog.proxies import CatalogProxies
from phx_pipeline.demo.loopback import Answer, Asked, Loopback
from phx_pipeline.errors import FetchError
from phx_pipeline.fetch.base import Request, RequestKind
from phx_pipeline.fetch.clients.curl import CurlClient
from phx_pipeline.fetch.profile import PROFILES, ClientProfile, profile_for
from phx_pipeline.fetch.session import Session, SessionCookie
from phx_pipeline.model.source import Source
from phx_pipeline.settings import load_settings
from phx_pipeline.wiring.fetchers import build_fetcher_factory

PAGES, PHOTOS = "www.redfin.com", "ssl.cdn-redfin.com"
EVENING = datetime(2025, 3, 10, 5, 30, tzinfo=UTC)  # the 9th in Phoenix
OWN = ("user-agent", "accept-language", "accept-encoding", "sec-ch-ua")


def site(_asked: Asked) -> Answer:
    return Answer(body=b"<html><body>fine</body></html>")


@pytest.fixture
def loopback(tmp_path: Path) -> Iterator[Loopback]:
    with Loopback(dict.fromkeys((PAGES, PHOTOS), site), folder=tmp_path) as running:
        yield running


def asking(host: str, kind: RequestKind) -> Request:
    return Request(
        url=f"https://{host}/x",
        source=Source.REDFIN,
        kind=kind,
        headers={"User-Agent": "another", "Referer": f"https://{PAGES}/"},
    )


async def visit(loopback: Loopback, slug: str) -> list[dict[str, str]]:
    """What two runs over one property send as their own headers."""
    folder = loopback.ca_file.parent
    engine = open_engine(f"sqlite:///{folder / 'phx.db'}")
    upgrade(engine)
    settings = load_settings(
        {
            "PHX_PROXY": loopback.proxy_url,
            "PHX_CA_FILE": str(loopback.ca_file),
            "PHX_PACE_PERCENT": "0",
        }
    )
    open_fetcher = build_fetcher_factory(
        settings,
        policies=CatalogPolicies(engine),
        proxies=CatalogProxies(engine),
        clock=lambda: EVENING,
    )
    for _ in range(2):
        async with aclosing(open_fetcher(slug)) as fetcher:
            await fetcher.get(asking(PAGES, RequestKind.PAGE))
            await fetcher.get(asking(PAGES, RequestKind.API))
            await fetcher.get(asking(PHOTOS, RequestKind.PHOTO))
    engine.dispose()
    return [{name: a.headers.get(name, "") for name in OWN} for a in loopback.asked]


@pytest.mark.parametrize("number", range(6))
async def test_pages_and_photos_of_a_property_come_from_one_browser_all_day(
    loopback: Loopback, number: int
) -> None:
    slug = f"{number}-w-davis-rd-glendale-az-85306"
    profile = profile_for(slug, day=datetime(2025, 3, 9, tzinfo=UTC).date())

    sent = await visit(loopback, slug)

    assert len(sent) == 6
    assert all(headers == sent[0] for headers in sent)
    assert ("Chrome/" in sent[0]["user-agent"]) is (
        profile.impersonate.startswith("chrome")
    )
    assert {asked.headers["referer"] for asked in loopback.asked} == {
        f"https://{PAGES}/"
    }


@pytest.mark.parametrize("profile", PROFILES, ids=lambda p: p.impersonate)
async def test_no_header_contradicts_the_user_agent(
    loopback: Loopback, profile: ClientProfile
) -> None:
    client = CurlClient(
        proxy=loopback.proxy_url, ca_file=loopback.ca_file, profile=profile
    )

    async with aclosing(client):
        await client.get(asking(PAGES, RequestKind.PAGE))

    headers = loopback.asked[0].headers
    version = profile.impersonate.removeprefix("chrome")
    assert headers["accept-language"] == "en-US,en;q=0.9"
    assert "Macintosh" in headers["user-agent"]
    if profile.impersonate.startswith("chrome"):
        assert f"Chrome/{version}.0.0.0" in headers["user-agent"]
        assert f'"Google Chrome";v="{version}"' in headers["sec-ch-ua"]
        assert headers["sec-ch-ua-platform"] == '"macOS"'
    else:
        assert "Version/26" in headers["user-agent"]
        assert not [name for name in headers if name.startswith("sec-ch-")]


# --- cookies


def visitor(asked: Asked) -> Answer:
    cookies = {"Set-Cookie": "visitor=7; Domain=redfin.com; Path=/; Secure; HttpOnly"}
    sent = {} if "cookie" in asked.headers else cookies
    return Answer(body=b"<html><body>fine</body></html>", headers=sent)


async def test_cookies_of_the_search_are_sent_by_the_stages_after_it(
    tmp_path: Path,
) -> None:
    with Loopback(dict.fromkeys((PAGES, PHOTOS), visitor), folder=tmp_path) as loopback:
        await visit(loopback, "a-house")

    told = [(asked.host, asked.headers.get("cookie")) for asked in loopback.asked]
    first, *pages = [cookie for host, cookie in told if host == PAGES]
    assert (first, set(pages)) == (None, {"visitor=7"})
    assert {cookie for host, cookie in told if host == PHOTOS} == {None}


async def test_what_curl_was_given_another_client_can_read_and_the_other_way_round(
    tmp_path: Path,
) -> None:
    session = Session("a-house", date(2026, 3, 9))
    with Loopback({PAGES: visitor}, folder=tmp_path) as loopback:
        client = CurlClient(
            proxy=loopback.proxy_url, ca_file=loopback.ca_file, cookies=session.jar()
        )
        async with aclosing(client):
            await client.get(asking(PAGES, RequestKind.PAGE))
            given = session.cookies()
            session.add([SessionCookie(name="own", value="1", domain=PAGES)])
            await client.get(asking(PAGES, RequestKind.PAGE))

    assert given == [
        SessionCookie(
            name="visitor",
            value="7",
            domain=".redfin.com",
            secure=True,
            http_only=True,
        )
    ]
    sent = loopback.asked[1].headers["cookie"].split("; ")
    assert sorted(sent) == ["own=1", "visitor=7"]


# --- TLS


@asynccontextmanager
async def listener() -> AsyncIterator[tuple[str, list[bytes]]]:
    """A proxy that keeps the first bytes sent through it, and hangs up."""
    hellos: list[bytes] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, EOFError):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            hellos.append(await reader.read(65536))
        writer.transport.abort()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}", hellos
        await asyncio.sleep(0)


def ciphers(hello: bytes) -> tuple[int, ...]:
    """The cipher suites of a ClientHello (RFC 8446 4.1.2) without GREASE (RFC 8701)."""
    at = 5 + 4 + 2 + 32  # record, handshake, version, random
    at += 1 + hello[at]  # session id
    length = int.from_bytes(hello[at : at + 2])
    suites = hello[at + 2 : at + 2 + length]
    pairs = zip(suites[::2], suites[1::2], strict=True)
    return tuple(high << 8 | low for high, low in pairs if high != low)


async def hello_of(profile: ClientProfile, *, host: str) -> tuple[int, ...]:
    async with listener() as (proxy, hellos):
        client = CurlClient(proxy=proxy, profile=profile)
        with pytest.raises(FetchError):
            await client.get(asking(host, RequestKind.PAGE))
        await client.aclose()
    return ciphers(hellos[0])


async def test_the_tls_handshake_is_that_of_the_profile_for_every_host() -> None:
    hellos = {
        profile.impersonate: {await hello_of(profile, host=h) for h in (PAGES, PHOTOS)}
        for profile in PROFILES
    }

    assert {len(seen) for seen in hellos.values()} == {1}
    assert hellos["chrome150"] != hellos["safari2601"]
