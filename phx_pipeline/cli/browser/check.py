"""`phx browser check`: one page, all the way through a browser of this machine."""

import asyncio
import re
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from typing import TYPE_CHECKING, Final

import click

from phx_pipeline.cli.console import console
from phx_pipeline.cli.main import Exit
from phx_pipeline.cli.options import isolation_option
from phx_pipeline.errors import BrowserError, FetchError
from phx_pipeline.model.isolation import IsolationMode
from phx_pipeline.settings import Settings, load_settings

if TYPE_CHECKING:
    from phx_pipeline.demo.loopback import Answer, Asked, Loopback
    from phx_pipeline.fetch.base import Fetched
    from phx_pipeline.fetch.clients.browser.gate import Gate
    from phx_pipeline.fetch.clients.browser.isolation import Screen
    from phx_pipeline.fetch.clients.browser.launch import Chromium
    from phx_pipeline.fetch.clients.browser.session import BrowserSession

_HOST: Final = "browser-check.invalid"
_PAGE: Final = """<!doctype html><html lang="en"><title>Check</title><pre></pre>
<script>
  document.querySelector("pre").textContent = [
    navigator.webdriver,
    navigator.language,
    Intl.DateTimeFormat().resolvedOptions().timeZone,
  ].join(" ");
</script></html>"""
_SEEN: Final = re.compile(rb"<pre>(\S+) (\S+) (\S+)</pre>")
_PAGE_S: Final = 30.0
_PACE: Final = 0.1  # of a reader: nobody is to be convinced


@dataclass(frozen=True, slots=True, kw_only=True)
class _Start:
    """What is tried."""

    executable: Path
    profiles: Path
    screen: "Screen"


@click.command()
@isolation_option("Where the window is to be; by default as PHX_ISOLATION says: ")
def check(*, isolation: str | None) -> Exit:
    """Open one page in the browser, and tell each step.

    The page is of a site on this machine: nothing else is asked for. It takes the way
    that pages of Zillow and Redfin take: Chromium, its window, the gate that lets
    through listed hosts only. Exits with 1 at the step that fails, which says what to
    do.

    \b
    Examples:
      phx browser check
      phx browser check --isolation off_screen
    """
    settings = load_settings()
    mode = IsolationMode(isolation) if isolation else settings.isolation
    with TemporaryDirectory(prefix="phx-check-") as folder:
        asyncio.run(_check(settings, mode, folder=Path(folder)))
    return Exit.COMPLETE


async def _check(settings: Settings, mode: IsolationMode, *, folder: Path) -> None:
    from phx_pipeline.demo.loopback import Loopback
    from phx_pipeline.fetch.clients.browser.isolation import screen

    executable = _executable(settings)
    async with AsyncExitStack() as stack:
        site = stack.enter_context(Loopback({_HOST: _answer}, folder=folder))
        shown = stack.enter_context(screen(mode))
        asked = "" if shown.mode is mode else f", {mode} was asked for"
        _told("window", f"{shown.mode}, on the display {shown.display}{asked}")
        start = _Start(
            executable=executable, profiles=_profiles(settings, folder), screen=shown
        )
        gate = await _gate(site, stack)
        chromium = await _launched(start, gate, stack)
        session = await _attached(chromium, start, gate, stack)
        _require_drawn(session, shown.mode)
        _read(await _page(session))
        refused = gate.refused.total()
        _told("gate", f"refused {refused} requests that Chromium made by itself")


def _executable(settings: Settings) -> Path:
    from phx_pipeline.cli.browser.displays import GET_CHROMIUM
    from phx_pipeline.fetch.clients.browser.executable import find_chromium
    from phx_pipeline.fetch.clients.browser.version import version_of

    if settings.browser == "off":
        _told("setting", "PHX_BROWSER is off: runs do not use what is tried here")
    if (found := find_chromium(settings.chromium)) is None:
        raise BrowserError(f"Chromium: {GET_CHROMIUM}")
    _told("chromium", f"{found}, version {version_of(found)}")
    return found


def _profiles(settings: Settings, folder: Path) -> Path:
    """The folder for profiles; not that of runs where `phx init` has made no stores."""
    there = settings.data_dir
    return there / "browser" if there.is_dir() else folder


async def _gate(site: "Loopback", stack: AsyncExitStack) -> "Gate":
    from phx_pipeline.fetch.clients.browser.gate import Gate

    gate = Gate(
        allows=lambda host: host == _HOST,
        upstream=site.proxy_url,
        ca_file=site.ca_file,
    )
    await gate.start()
    stack.push_async_callback(gate.aclose)
    return gate


async def _launched(start: _Start, gate: "Gate", stack: AsyncExitStack) -> "Chromium":
    from phx_pipeline.fetch.clients.browser.launch import Launch, launch

    plan = Launch(
        executable=start.executable,
        profiles=start.profiles,
        screen=start.screen,
        proxy_port=gate.port,
        spki=gate.spki,
    )
    began_s = monotonic()
    chromium = await asyncio.to_thread(launch, plan)
    stack.push_async_callback(asyncio.to_thread, chromium.stop)
    _told("start", f"up after {monotonic() - began_s:.1f} s")
    return chromium


async def _attached(
    chromium: "Chromium", start: _Start, gate: "Gate", stack: AsyncExitStack
) -> "BrowserSession":
    try:
        from phx_pipeline.fetch.challenge import no_data
        from phx_pipeline.fetch.clients.browser.session import BrowserSession
    except ImportError as error:
        told = f"no browser can be asked: {error}; install the package nodriver"
        raise BrowserError(told) from error
    session = await BrowserSession.open(
        chromium=chromium,
        screen=start.screen,
        gate=gate,
        seed="check",
        holds_data=no_data,
        pace=_PACE,
    )
    stack.push_async_callback(session.aclose)
    _told("state", str(session.state))
    return session


def _require_drawn(session: "BrowserSession", mode: IsolationMode) -> None:
    is_drawn = session.state.visible and session.state.frames_per_s > 0
    if not is_drawn and mode is not IsolationMode.MINIMIZE:
        raise BrowserError(
            f"the window is not drawn ({session.state}): what pages load lazily will "
            "not come; set PHX_ISOLATION=virtual"
        )


async def _page(session: "BrowserSession") -> "Fetched":
    from phx_pipeline.fetch.base import Request, RequestKind

    began_s = monotonic()
    request = Request(url=f"https://{_HOST}/", kind=RequestKind.PAGE, timeout_s=_PAGE_S)
    try:
        answer = await session.load(request)
    except FetchError as error:
        raise BrowserError(
            f"the page of this machine's own site did not come ({error}): nothing may "
            "stand between programs on 127.0.0.1, look for a firewall"
        ) from error
    _told("page", f"{answer.status}, read in {monotonic() - began_s:.1f} s")
    return answer


def _read(answer: "Fetched") -> None:
    """Tell what a page sees; it wrote that into itself."""
    if (seen := _SEEN.search(answer.rendered)) is None:
        raise BrowserError("scripts do not run in the browser: use another Chromium")
    webdriver, language, zone = (
        text.decode(errors="replace") for text in seen.groups()
    )
    _told("page sees", f"language {language}, time zone {zone}")
    _told("webdriver", webdriver)
    if webdriver != "false":
        raise BrowserError(
            "this browser tells pages that it is automated (navigator.webdriver): name "
            "another one by PHX_CHROMIUM"
        )


def _answer(asked: "Asked") -> "Answer":
    from phx_pipeline.demo.loopback import Answer

    if asked.target != "/":
        return Answer(status=404)
    return Answer(body=_PAGE.encode(), headers={"Content-Type": "text/html"})


def _told(step: str, text: str) -> None:
    console.print(f"{step:<10} {text}", soft_wrap=True)
