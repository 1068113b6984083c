"""What a browser brings home, and what it leaves behind: nothing."""

import asyncio
import json
import logging
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote

import psutil
import pytest

from phx_pipeline.errors import (
    BrowserError,
    CircuitOpenError,
    FetchError,
    HostRefusedError,
    LeaseHeldError,
    NoWayError,
    ProxyError,
    RateLimitedError,
)
from phx_pipeline.fetch.base import RequestKind
from phx_pipeline.fetch.challenge import recognise_shown
from phx_pipeline.fetch.clients.browser import client as client_module
from phx_pipeline.fetch.clients.browser.client import BrowserClient
from phx_pipeline.fetch.hosts import PublicAddresses
from phx_pipeline.fetch.session import SessionCookie
from phx_pipeline.model.source import Source
from phx_pipeline.wiring.clock import utc_now
from phx_pipeline_tests.browser_pages import (
    HOST,
    MEDIA,
    OFF_LIST,
    STATIC_HOST,
    Turns,
    asked,
)
from phx_pipeline_tests.integration.fetch.pages.conftest import Room, is_fit, until

pytestmark = pytest.mark.asyncio(loop_scope="module")

ENDED_S = 5.0


def head_of(room: Room, path: str) -> str:
    """The head of the latest request for a path."""
    return [h for h in room.site.heads if h.startswith(f"GET {path} ")][-1]


async def test_a_page_brings_what_it_asked_for_and_what_scripts_made_of_it(
    client: BrowserClient,
) -> None:
    answer = await client.get(asked("/asks"))
    assert [(c.url, c.status, c.body) for c in answer.captured] == [
        (f"https://{HOST}/api/one", 200, b'{"n": 1}')
    ]
    covered = await client.get(asked("/overlay"))
    assert covered.captured == ()
    assert b'id="px-captcha-modal"' not in covered.body
    assert b'id="px-captcha-modal"' in covered.rendered


@pytest.mark.parametrize(
    ("kind", "told"),
    [("box", True), ("words", True), ("cookies", False), ("hidden", False)],
)
async def test_what_lies_over_a_page_that_holds_data_tells_a_challenge(
    client: BrowserClient, *, kind: str, told: bool
) -> None:
    answer = await client.get(asked(f"/over/{kind}"))

    found = recognise_shown(answer, holds_data=lambda script: "over" in script)

    assert bool(answer.cover) is (kind != "hidden")
    assert (found is not None) is told
    assert found is None or found.over_payload


async def test_text_comes_in_utf_8_and_says_so(client: BrowserClient) -> None:
    answer = await client.get(asked("/latin"))
    assert answer.body.decode() == "<p>café"
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    packed = await client.get(asked("/gzip"))
    assert packed.body == b"<h1>fine</h1>"
    assert "content-encoding" not in packed.headers
    api = await client.get(asked("/api/one", kind=RequestKind.API))
    assert (api.body, api.captured) == (b'{"n": 1}', ())


async def test_a_gallery_that_loads_as_it_is_scrolled_is_seen_whole(
    client: BrowserClient,
) -> None:
    answer = await client.get(asked("/lazy"))
    asked_for = sorted(captured.url[-1] for captured in answer.captured)
    assert asked_for == ["0", "1", "2", "3", "4", "5"]


async def test_what_a_service_worker_says_is_not_what_the_site_says(
    client: BrowserClient,
) -> None:
    answer = await client.get(asked("/worker"))
    told = {captured.url: captured.body for captured in answer.captured}
    assert told[f"https://{HOST}/api/one"] == b'{"n": 1}'


async def test_what_is_in_the_cache_and_still_good_is_an_answer(
    client: BrowserClient,
) -> None:
    answers = [await client.get(asked("/cached")) for _ in range(3)]
    assert {(answer.status, answer.body) for answer in answers} == {
        (200, b"<h1>kept</h1>")
    }


@pytest.mark.parametrize("media", MEDIA)
async def test_a_document_that_is_no_page_is_an_answer(
    client: BrowserClient, media: str
) -> None:
    answer = await client.get(asked(f"/{media}", kind=RequestKind.API))
    assert answer.body == MEDIA[media]


@pytest.mark.parametrize(
    ("path", "text"), [("/visitor", b"let in"), ("/interrupts", b"fine")]
)
async def test_the_newest_document_counts(
    client: BrowserClient, path: str, text: bytes
) -> None:
    assert text in (await client.get(asked(path))).body


@pytest.mark.parametrize(
    ("path", "end"),
    [
        ("/hop", f"https://{HOST}/ok"),
        ("/to-http", f"https://{HOST}/ok"),
        ("/to-static", f"https://{STATIC_HOST}/ok"),
    ],
)
async def test_redirects_on_the_list_are_followed(
    client: BrowserClient, path: str, end: str
) -> None:
    answer = await client.get(asked(path))
    assert (answer.status, answer.url) == (200, end)


@pytest.mark.parametrize(
    ("path", "where"),
    [
        ("/off-list", f"https://{OFF_LIST}/ok"),
        ("/off-port", f"https://{HOST}:8443/ok"),
        ("/off-name", "https://[::1]/ok"),
        ("/js-off-list", f"https://{OFF_LIST}/ok"),
        ("/js-blob", f"blob:https://{HOST}/"),
    ],
)
async def test_who_is_sent_off_the_list_says_where_and_is_not_there(
    room: Room, client: BrowserClient, path: str, where: str
) -> None:
    answer = await client.get(asked(path))
    assert (answer.status, answer.url) == (302, asked(path).url)
    assert answer.headers["location"].startswith(where)
    await client.get(asked("/asks-elsewhere"))
    assert set(room.site.tunnels) <= {f"{HOST}:443", f"{STATIC_HOST}:443"}


async def test_a_host_off_the_list_is_refused(client: BrowserClient) -> None:
    with pytest.raises(HostRefusedError, match="not on the list"):
        await client.get(asked("", url=f"https://{OFF_LIST}/ok"))
    assert await is_fit(client)


async def test_only_plain_questions_are_asked(client: BrowserClient) -> None:
    for changes in ({"method": "POST"}, {"body": b"x"}, {"secret_headers": {"a": "b"}}):
        with pytest.raises(FetchError, match="not to send anything"):
            await client.get(asked("/ok", **changes))


async def test_cookies_go_both_ways(room: Room, client: BrowserClient) -> None:
    ours = SessionCookie(name="ours", value="1", domain=HOST, secure=True)
    elsewhere = replace(ours, name="elsewhere", domain="other.example")
    refused = replace(ours, name="__Host-x", domain=".zillow.com")
    room.session.add([ours, elsewhere, refused])
    await client.get(asked("/sets-cookie"))
    assert "ours=1" in head_of(room, "/sets-cookie")
    assert "elsewhere" not in head_of(room, "/sets-cookie")
    found = {c.name: c for c in room.session.cookies()}
    assert set(found) >= {"ours", "elsewhere", "by_header", "by_script", "for_all"}
    assert refused.name not in found
    assert found["by_header"] == SessionCookie(
        name="by_header", value="1", domain=HOST, secure=True, http_only=True
    )
    assert found["for_all"].domain == ".zillow.com"
    assert 0 < (found["for_all"].expires or 0) - time.time() < 1001

    room.session.add([replace(ours, value="2")])
    await client.get(asked("/drops-cookie"))
    assert "ours=2" in head_of(room, "/drops-cookie")
    assert {c.name for c in room.session.cookies()} == set(found) - {"by_header"}


async def test_nothing_says_that_it_is_driven(
    room: Room, client: BrowserClient
) -> None:
    await client.get(asked("/who"))
    path = next(p for p in room.site.paths if p.startswith("/api/who"))
    told = json.loads(unquote(path.partition("?")[2]))
    assert told["webdriver"] is False
    assert told["shown"] == "visible"
    assert told["languages"][0] == "en-US"
    assert told["zone"] == "America/Phoenix"
    assert "Headless" not in told["agent"]
    assert (told["width"], told["height"]) > (1800, 800)


@pytest.mark.soak
async def test_a_start_is_told_once_with_what_the_window_reached(
    room: Room, caplog: pytest.LogCaptureFixture
) -> None:
    client = room.client(session=None)
    with caplog.at_level(logging.INFO):
        await client.get(asked("/ok"))
        await client.get(asked("/ok"))
    await client.aclose()
    told = [m for m in caplog.messages if "window" in m]
    assert len(told) == 1
    assert "browser of zillow: window virtual, visible, " in told[0]


# --- beginning and ending -------------------------------------------------------------


class NoTurn:
    """Somebody else's turn."""

    def hold(self, source: Source) -> AbstractContextManager[None]:
        raise LeaseHeldError(f"browser/{source} is held by another run")


async def test_whose_turn_it_is_not_waits_as_one_of_us(room: Room) -> None:
    client = room.client(turns=NoTurn())
    with pytest.raises(RateLimitedError, match="held by another run") as raised:
        await client.get(asked("/ok"))
    assert (raised.value.status, raised.value.url) == (None, asked("/ok").url)
    await client.aclose()


class LongTurn:
    """A turn that does not come before it may."""

    def __init__(self) -> None:
        self.may = threading.Event()
        self.held: list[str] = []

    @contextmanager
    def hold(self, source: Source) -> Iterator[None]:
        self.may.wait(30)
        self.held.append(f"{source} begun")
        yield
        self.held.append(f"{source} ended")


async def test_who_waits_for_a_turn_can_be_cancelled_at_once(room: Room) -> None:
    turns, before = LongTurn(), room.profiles_left()
    client = room.client(turns=turns)
    request = asyncio.create_task(client.get(asked("/ok")))
    await asyncio.sleep(0.1)
    request.cancel()
    async with asyncio.timeout(1):
        with pytest.raises(asyncio.CancelledError):
            await request
        await client.aclose()
    assert turns.held == []
    turns.may.set()  # the turn that comes after all is given back, and nothing starts
    await until(lambda: turns.held == ["zillow begun", "zillow ended"])
    assert room.profiles_left() == before


@pytest.mark.soak
async def test_a_browser_asks_by_one_proxy_alone(room: Room) -> None:
    urls = {"a": room.site.proxy, "b": f"{room.site.proxy}/"}

    class Pool:
        def url_of(self, proxy_id: str) -> str:
            return urls[proxy_id]

    client = room.client(pool=Pool(), proxy=None, turns=(turns := Turns()))
    for proxy, started in (("a", 1), ("a", 1), ("b", 2)):
        await client.get(asked("/sets-cookie", proxy=proxy))
        assert turns.taken[Source.ZILLOW] == started
    assert "by_script" in {c.name for c in room.session.cookies("b")}
    assert "by_script" not in head_of(room, "/sets-cookie")
    await client.aclose()


@pytest.mark.soak
async def test_a_browser_is_used_up_after_some_pages(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_module, "MOST_PAGES", 2)
    client = room.client(turns=(turns := Turns()))
    for _ in range(3):
        assert await is_fit(client)
    assert turns.taken == {Source.ZILLOW: 2}
    await client.aclose()
    assert turns.held == set()


@pytest.mark.soak
async def test_what_was_closed_leaves_nothing_and_starts_again(room: Room) -> None:
    client = room.client(turns=(turns := Turns()), profiles=room.folder / "again")
    for number in (1, 2):
        assert await is_fit(client)
        assert turns.held == {Source.ZILLOW}
        await client.aclose()
        await client.aclose()
        assert turns.taken == {Source.ZILLOW: number}
        assert turns.held == set()
        assert list((room.folder / "again").iterdir()) == []


@pytest.mark.parametrize(
    "path", ["/begun", pytest.param("/endless", marks=pytest.mark.soak)]
)
async def test_a_run_that_is_cancelled_amid_a_page_leaves_nothing(
    room: Room, path: str
) -> None:
    profiles = room.folder / f"cancelled{path.replace('/', '-')}"
    client = room.client(turns=(turns := Turns()), profiles=profiles)
    assert await is_fit(client)
    before = len(room.site.paths)
    request = asyncio.create_task(client.get(asked(path)))
    await until(lambda: path in room.site.paths[before:])
    children = psutil.Process().children(recursive=True)
    request.cancel()
    with pytest.raises(asyncio.CancelledError):
        await request
    async with asyncio.timeout(ENDED_S):
        await client.aclose()
    assert turns.held == set()
    assert list(profiles.iterdir()) == []
    assert [child for child in children if _lives_in(child, profiles)] == []


async def test_a_close_that_is_cancelled_ends_all_the_same(room: Room) -> None:
    profiles = room.folder / "close"
    client = room.client(turns=(turns := Turns()), profiles=profiles)
    assert await is_fit(client)
    closing = asyncio.create_task(client.aclose())
    await asyncio.sleep(0)
    closing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await closing
    assert turns.held == set()
    assert list(profiles.iterdir()) == []


@pytest.mark.parametrize(
    "after_s",
    [0.3, *(pytest.param(it, marks=pytest.mark.soak) for it in (0.0, 1.0))],
)
async def test_a_start_that_is_cancelled_leaves_nothing(
    room: Room, after_s: float
) -> None:
    profiles = room.folder / f"start-{after_s}"
    client = room.client(turns=(turns := Turns()), profiles=profiles)
    request = asyncio.create_task(client.get(asked("/begun")))
    await asyncio.sleep(after_s)
    request.cancel()
    with pytest.raises(asyncio.CancelledError):
        await request
    await client.aclose()
    assert turns.held == set()
    assert not profiles.exists() or list(profiles.iterdir()) == []


_FORGETFUL = """
import asyncio, sys
from contextlib import suppress
from pathlib import Path
from phx_pipeline.errors import ProxyError
from phx_pipeline.fetch.clients.browser.client import BrowserClient
from phx_pipeline.fetch.clients.browser.executable import find_chromium
from phx_pipeline.model.isolation import IsolationMode
from phx_pipeline.model.source import Source
from phx_pipeline_tests.browser_pages import HOST, Turns, asked

async def main():
    client = BrowserClient(
        executable=find_chromium(None), profiles=Path(sys.argv[1]), turns=Turns(),
        isolation=IsolationMode.VIRTUAL, hosts={Source.ZILLOW: [HOST]},
        proxy="http://127.0.0.1:9", holds_data=bool,
    )
    with suppress(ProxyError):
        await client.get(asked("/ok"))
    print(len(list(Path(sys.argv[1]).iterdir())))

asyncio.run(main())
"""


async def test_a_process_that_forgets_to_close_ends_and_leaves_nothing(
    room: Room, repo_dir: Path
) -> None:
    profiles = room.folder / "forgotten"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _FORGETFUL, str(profiles)),
        stdout=subprocess.PIPE,
        cwd=repo_dir,
    )
    told, _ = await process.communicate()
    assert (process.returncode, told.strip()) == (0, b"1")
    assert list(profiles.iterdir()) == []


async def test_without_nodriver_the_way_to_it_is_told(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "phx_pipeline.fetch.clients.browser.session"
    monkeypatch.setitem(sys.modules, name, None)
    client = room.client(turns=(turns := Turns()))
    with pytest.raises(BrowserError, match="install the package nodriver"):
        await client.get(asked("/ok"))
    await client.aclose()
    assert turns.held == set()


async def test_no_browser_that_starts_is_told_with_its_reason(room: Room) -> None:
    client = room.client(executable=Path("/bin/false"), turns=(turns := Turns()))
    with pytest.raises(BrowserError, match="Chromium ended at once") as raised:
        await client.get(asked("/ok"))
    assert raised.value.url == asked("/ok").url
    assert turns.held == set()
    await client.aclose()


# --- whose fault it is ----------------------------------------------------------------


async def test_a_proxy_that_is_not_there_is_a_fault_of_the_proxy(room: Room) -> None:
    client = room.client(proxy="http://127.0.0.1:9")
    with pytest.raises(ProxyError, match="proxy: cannot be reached"):
        await client.get(asked("/ok"))
    await client.aclose()


async def test_without_a_proxy_addresses_are_checked(room: Room) -> None:
    async def resolve(host: str) -> list[str]:
        if host == STATIC_HOST:
            raise OSError("no such name")
        return ["127.0.0.1"]

    client = room.client(proxy=None, addresses=PublicAddresses(resolve))
    with pytest.raises(HostRefusedError, match="is not public"):
        await client.get(asked("/ok"))
    with pytest.raises(NoWayError, match=f"cannot resolve {STATIC_HOST}"):
        await client.get(asked("", url=f"https://{STATIC_HOST}/ok"))
    await client.aclose()


def _lives_in(process: psutil.Process, profiles: Path) -> bool:
    try:
        is_alive = process.status() != psutil.STATUS_ZOMBIE
        return is_alive and str(profiles) in " ".join(process.cmdline())
    except psutil.Error:
        return False


async def test_nothing_is_started_or_asked_after_a_refusal_others_met(
    room: Room, client: BrowserClient
) -> None:
    async def refuse() -> None:
        raise CircuitOpenError("zillow rests", url="", retry_at=utc_now())

    turns, before = Turns(), len(room.site.paths)
    another = room.client(turns=turns)
    for waiting in (another, client):
        with pytest.raises(CircuitOpenError):
            await waiting.get(asked("/ok", confirm=refuse))
    assert len(room.site.paths) == before
    assert (turns.taken[Source.ZILLOW], turns.held) == (1, set())
    assert len(room.profiles_left()) == 1
    assert await is_fit(client)
