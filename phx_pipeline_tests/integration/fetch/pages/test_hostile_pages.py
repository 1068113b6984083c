"""Whatever a page does: a named end in time, and the next page as ever."""

import asyncio
import os
import signal
from collections.abc import Iterable, Iterator
from contextlib import suppress

import psutil
import pytest
from _pytest.mark import ParameterSet

from phx_pipeline.errors import DeadlineError, FetchError, TransientError
from phx_pipeline.fetch.clients.browser import client as client_module
from phx_pipeline.fetch.clients.browser.client import BrowserClient
from phx_pipeline_tests.browser_pages import BORNE, FAULTS, STATUSES, STAYING, asked
from phx_pipeline_tests.integration.fetch.pages.conftest import Room, begun, is_fit

pytestmark = pytest.mark.asyncio(loop_scope="module")


def some(paths: Iterable[str]) -> list[ParameterSet]:
    """Every third path for the suite; a soak takes all: each costs a second or four."""
    soak = pytest.mark.soak
    return [
        pytest.param(path, marks=[soak] if number % 3 else [])
        for number, path in enumerate(paths)
    ]


@pytest.fixture(autouse=True, scope="module")
def no_browser_is_used_up() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(client_module, "MOST_PAGES", 10_000)
        yield


@pytest.mark.parametrize("path", some(BORNE))
async def test_what_a_page_does_does_not_keep_us_from_what_it_shows(
    client: BrowserClient, path: str
) -> None:
    answer = await client.get(asked(path, timeout_s=6))
    assert (answer.url, answer.status) == (asked(path).url, 200)
    assert b"<h1>a house</h1>" in answer.body or b"<iframe" in answer.body
    assert b"</html>" in answer.rendered
    assert sum(len(captured.body) for captured in answer.captured) <= 1_000_000
    assert await is_fit(client)


@pytest.mark.parametrize("path", some(STAYING))
async def test_a_page_that_was_left_asks_for_nothing_more(
    room: Room, client: BrowserClient, path: str
) -> None:
    before = room.site.paths.count("/more")
    await client.get(asked(path))
    assert await is_fit(client)
    asked_for = room.site.paths.count("/more")
    assert asked_for > before
    assert await is_fit(client)
    assert room.site.paths.count("/more") == asked_for


@pytest.mark.parametrize("path", some(FAULTS))
async def test_a_page_that_gives_nothing_is_a_named_fault(
    client: BrowserClient, path: str
) -> None:
    _, kind, told = FAULTS[path]
    timeout_s = 1.5 if kind is DeadlineError else 4  # none of those ends sooner
    async with asyncio.timeout(20):
        with pytest.raises(FetchError, match=told) as raised:
            await client.get(asked(path, timeout_s=timeout_s))
    assert type(raised.value) is kind
    assert raised.value.url == asked(path).url
    assert await is_fit(client)


@pytest.mark.parametrize("path", some(STATUSES))
async def test_any_status_is_an_answer(client: BrowserClient, path: str) -> None:
    answer = await client.get(asked(path))
    status, _, how = path[1:].partition("-")
    assert answer.status == int(status)
    assert bool(answer.body) is (how != "empty" and status not in {"204", "401"})


@pytest.mark.soak
async def test_a_renderer_that_crashes_ends_its_page_alone(
    room: Room, client: BrowserClient
) -> None:
    await is_fit(client)
    (browser,) = room.browsers()
    request = await begun(client, "/begun", room.site)
    for process in browser.children(recursive=True):
        with suppress(psutil.NoSuchProcess):  # those of extensions come and go
            if "--type=renderer" in process.cmdline():
                process.send_signal(signal.SIGSEGV)
    with pytest.raises(TransientError, match="the page crashed what shows it"):
        await request
    assert await is_fit(client)


async def test_a_browser_that_is_killed_ends_its_page_alone(
    room: Room, client: BrowserClient
) -> None:
    await is_fit(client)
    (browser,) = room.browsers()
    request = await begun(client, "/begun", room.site)
    os.kill(browser.pid, signal.SIGKILL)
    with pytest.raises(TransientError, match="the browser ended amid the page"):
        await request
    assert await is_fit(client)
    assert browser not in room.browsers()
    assert len(room.profiles_left()) == 1


@pytest.mark.soak
async def test_a_browser_that_stands_still_is_given_up(
    room: Room, client: BrowserClient
) -> None:
    await is_fit(client)
    (browser,) = room.browsers()
    browser.suspend()
    with pytest.raises(TransientError):
        await client.get(asked("/ok", timeout_s=4))
    assert await is_fit(client)
    assert browser not in room.browsers()
