"""A running browser that loads one page after the other, and may be given up.

How a page is loaded is in `page`, what starts and ends a browser in `running`. The
browser is told nothing that a page could notice: no language, user agent, time zone or
screen is overridden, and nothing is enabled that changes what scripts see.
"""

import asyncio
import logging
from collections.abc import Callable, Generator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from nodriver import cdp

from phx_pipeline.errors import BrowserError, FetchError, TransientError
from phx_pipeline.fetch.base import Fetched, Request
from phx_pipeline.fetch.clients.browser.cookies import from_browser, to_browser
from phx_pipeline.fetch.clients.browser.devtools import DevTools, DevToolsError
from phx_pipeline.fetch.clients.browser.gate import Gate
from phx_pipeline.fetch.clients.browser.isolation import Screen
from phx_pipeline.fetch.clients.browser.journal import Journal
from phx_pipeline.fetch.clients.browser.launch import Chromium
from phx_pipeline.fetch.clients.browser.page import PageLoad
from phx_pipeline.fetch.clients.wire import too_late
from phx_pipeline.fetch.page_parts import HoldsData
from phx_pipeline.fetch.session import SessionCookie
from phx_pipeline.model.printable import printable

logger = logging.getLogger(__name__)

Command = Generator[dict[str, Any], dict[str, Any], Any]

_OPEN_S: Final = 20.0
_REST_S: Final = 3.0  # kept of a page's time for leaving it
_MOST_ERRANDS: Final = 50  # at once: popups to close, dialogs to dismiss
_BODIES: Final = 100_000_000  # bytes the browser may keep for us
_CRASHED: Final = "the page crashed what shows it"
_CLOSED: Final = "the page closed its window"
_ENDED: Final = "the browser ended amid the page"
_BLANK: Final = "about:blank"
_WORKERS: Final = frozenset({"service_worker", "shared_worker"})
"""What runs on beside the pages that started it."""
_FRAMES_MS: Final = 400
_MEASURE: Final = f"""new Promise(done => {{
  let frames = 0;
  const began = performance.now();
  const told = () => done([document.visibilityState === 'visible',
    frames * 1000 / (performance.now() - began), innerWidth, innerHeight]);
  const count = () => {{ frames += 1; requestAnimationFrame(count); }};
  requestAnimationFrame(count);
  setTimeout(told, {_FRAMES_MS});
}})"""


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowState:
    """What a window really reached: what pages see of it, in pixels."""

    visible: bool
    frames_per_s: float
    width: int
    height: int

    def __str__(self) -> str:
        """Return it as a line for people."""
        seen = "visible" if self.visible else "hidden"
        return f"{seen}, {self.frames_per_s:.0f} frames/s, {self.width}x{self.height}"


class BrowserSession:
    """One tab of a Chromium that was launched; one page at a time.

    Attributes:
        state: what the window really reached.
        is_usable: whether another page may be loaded; not again once it is not.
        pages: how many page loads there were.
    """

    state: WindowState

    def __init__(
        self,
        *,
        tools: DevTools,
        gate: Gate,
        seed: str,
        pace: float,
        holds_data: HoldsData,
        target: str,
    ) -> None:
        self.is_usable = True
        self.pages = 0
        self._tools = tools
        self._gate = gate
        self._seed = seed
        self._pace = pace
        self._holds_data = holds_data
        self._target = target
        self._journal: Journal | None = None
        self._left = ""
        self._errands: set[asyncio.Task[None]] = set()

    @classmethod
    async def open(
        cls,
        *,
        chromium: Chromium,
        screen: Screen,
        gate: Gate,
        seed: str,
        holds_data: HoldsData,
        pace: float = 1.0,
    ) -> "BrowserSession":
        """Attach to *chromium*, whose window is on *screen*, and measure that window.

        Args:
            chromium: has just been launched.
            screen: where its window was told to be.
            gate: through which it asks.
            seed: of the reader that the pages are read by.
            holds_data: knows the data that pages of the source hold.
            pace: multiplies the pauses of that reader.

        Raises:
            BrowserError: it does not do what it is told.
        """
        tools = None
        try:
            async with asyncio.timeout(_OPEN_S):
                tools = await DevTools.attach(
                    port=chromium.port, profile=chromium.profile
                )
                session = cls(
                    tools=tools,
                    gate=gate,
                    seed=seed,
                    pace=pace,
                    holds_data=holds_data,
                    target=await _only_tab(tools),
                )
                await session._prepare(minimized=screen.minimized)
        except (DevToolsError, TimeoutError) as error:
            told = f"Chromium cannot be used: {_reason(error)}"
            raise BrowserError(told) from error
        except BaseException:
            if tools is not None:
                await tools.aclose()
            raise
        return session

    async def load(
        self, request: Request, *, cookies: Sequence[SessionCookie] = ()
    ) -> Fetched:
        """Return the newest document at the address, of any status, and what it asked.

        Redirects are followed as long as the gate lets through; one that leads
        elsewhere is returned as what it is. All ends within `timeout_s`; a session
        that is not usable afterwards is to be closed.

        Args:
            request: a GET of a page or an API.
            cookies: are put into the browser first.

        Raises:
            DeadlineError: the document was not complete in time.
            BodyLimitError: more than `max_bytes`, decoded.
            HostRefusedError: without a proxy, the host has an address not public.
            ProxyError: the proxy is at fault.
            NoWayError: without a proxy, no way leads to the host from here.
            TransientError: anything else that went wrong, in the browser too.
        """
        self.pages += 1
        rest_s = min(_REST_S, request.timeout_s / 4)
        self._gate.fault = None
        self._gate.failures.clear()
        try:
            answer = await self._answer(request, cookies, request.timeout_s - rest_s)
        except FetchError:
            await self._leave(rest_s)
            raise
        except BaseException:  # cancelled: there is no time to leave the page
            self.is_usable = False
            raise
        await self._leave(rest_s)
        return answer

    async def cookies(self) -> list[SessionCookie] | None:
        """Return what the browser would send back, for all hosts.

        None if it does not say; then it is not usable any more.
        """
        try:
            return from_browser(await self._tools.send(cdp.storage.get_cookies()))
        except (DevToolsError, TimeoutError) as error:
            self._doubt(error)
            return None

    async def aclose(self) -> None:
        """Let go of the browser, which stays; takes a second at most."""
        self.is_usable = False
        for errand in self._errands:
            errand.cancel()
        await self._tools.aclose()

    # --- a page -----------------------------------------------------------------------

    async def _answer(
        self, request: Request, cookies: Sequence[SessionCookie], within_s: float
    ) -> Fetched:
        journal: Journal | None = None
        try:
            async with asyncio.timeout(within_s) as limit:
                journal = self._journal = Journal(
                    request,
                    frame=self._target,
                    left=self._left,
                    on_fault=lambda: _end_now(limit),
                    on_flood=lambda: self._run(cdp.page.stop_loading()),
                )
                await self._give(cookies)
                page = PageLoad(
                    request,
                    tools=self._tools,
                    journal=journal,
                    frame=self._target,
                    gate=self._gate,
                    is_drawn=self.state.visible,
                    seed=self._seed,
                    pace=self._pace,
                    holds_data=self._holds_data,
                )
                return await page.get(within_s=within_s)
        except TimeoutError as error:
            fault = journal.fault if journal else None
            raise fault or too_late(request) from error
        except DevToolsError as error:
            self.is_usable = False
            told = printable(f"the browser failed: {error}")
            raise TransientError(told, url=request.url) from error
        finally:
            self._journal = None

    async def _leave(self, within_s: float) -> None:
        """Show nothing: no page goes on by itself, and the browser proves to be fit."""
        if not self.is_usable:
            return
        try:
            async with asyncio.timeout(within_s):
                _, self._left, *_ = await self._tools.send(cdp.page.navigate(_BLANK))
                await self._end_workers()
                with suppress(DevToolsError):  # it answers: another page came just now
                    await self._tools.send(cdp.runtime.evaluate("1"))
                while self._errands:  # none may meet the next page
                    await asyncio.wait(self._errands)
        except (DevToolsError, TimeoutError) as error:
            self._doubt(error)
        except BaseException:
            self.is_usable = False
            raise

    async def _end_workers(self) -> None:
        """End what a page has started to go on without it: it would ask for more."""
        for target in await self._tools.send(cdp.target.get_targets()):
            if target.type_ in _WORKERS:
                self._run(cdp.target.close_target(target.target_id))

    def _doubt(self, error: Exception) -> None:
        logger.info("the browser is given up: %s", _reason(error))
        self.is_usable = False

    async def _give(self, cookies: Sequence[SessionCookie]) -> None:
        """Put cookies into the browser; one that it refuses keeps out only itself."""
        params = [to_browser(cookie) for cookie in cookies]
        if not params:
            return
        try:
            await self._tools.send(cdp.storage.set_cookies(params))
        except DevToolsError:
            for param in params:
                with suppress(DevToolsError):
                    await self._tools.send(cdp.storage.set_cookies([param]))

    # --- the browser ------------------------------------------------------------------

    async def _prepare(self, *, minimized: bool) -> None:
        self._listen()
        tools = self._tools
        await tools.send(cdp.target.set_discover_targets(discover=True))
        await tools.send(cdp.browser.set_download_behavior("deny"))
        await tools.enter(self._target)
        for command in (
            cdp.page.enable(),
            cdp.page.set_lifecycle_events_enabled(enabled=True),
            cdp.inspector.enable(),
            cdp.network.enable(
                max_total_buffer_size=_BODIES,
                max_resource_buffer_size=_BODIES,
                max_post_data_size=0,
            ),
            cdp.network.set_bypass_service_worker(bypass=True),
        ):
            await tools.send(command)
        if minimized:
            await self._minimize()
        self.state = await self._measured()

    def _listen(self) -> None:
        on = self._tools.on
        on(cdp.network.RequestWillBeSent, self._told(Journal.on_request))
        on(cdp.network.ResponseReceived, self._told(Journal.on_response))
        on(cdp.network.DataReceived, self._told(Journal.on_data))
        on(cdp.network.LoadingFinished, self._told(Journal.on_finished))
        on(cdp.network.LoadingFailed, self._told(Journal.on_failed))
        on(cdp.page.LifecycleEvent, self._told(Journal.on_life))
        on(cdp.page.FrameNavigated, self._told(Journal.on_navigated))
        on(cdp.page.JavascriptDialogOpening, self._on_dialog)
        on(cdp.inspector.TargetCrashed, lambda _: self._give_up(_CRASHED))
        on(cdp.target.TargetCreated, lambda event: self._on_target(event.target_info))
        on(cdp.target.TargetDestroyed, self._on_destroyed)
        self._tools.on_end(lambda: self._give_up(_ENDED))

    def _told(self, method: Callable[[Journal, Any], None]) -> Callable[[Any], None]:
        """Return a handler that tells the page load under way, if there is one."""

        def handle(event: Any) -> None:
            if self._journal is not None:
                method(self._journal, event)

        return handle

    def _on_dialog(self, event: cdp.page.JavascriptDialogOpening) -> None:
        is_leaving = event.type_ == cdp.page.DialogType.BEFOREUNLOAD
        self._run(cdp.page.handle_java_script_dialog(accept=is_leaving))
        if self._journal is not None:
            self._journal.on_dialog()

    def _on_target(self, target: cdp.target.TargetInfo) -> None:
        if target.type_ == "page" and target.target_id != self._target:
            self._run(cdp.target.close_target(target.target_id))

    def _on_destroyed(self, event: cdp.target.TargetDestroyed) -> None:
        if event.target_id == self._target:
            self._give_up(_CLOSED)

    def _give_up(self, told: str) -> None:
        self.is_usable = False
        if self._journal is not None:
            self._journal.on_end(told)

    def _run(self, command: Command) -> None:
        """Send what nobody waits for; while there is too much of it, nothing."""
        if len(self._errands) < _MOST_ERRANDS:
            errand = asyncio.create_task(self._errand(command))
            self._errands.add(errand)
            errand.add_done_callback(self._errands.discard)

    async def _errand(self, command: Command) -> None:
        try:
            await self._tools.send(command)
        except (DevToolsError, TimeoutError) as error:
            logger.debug("the browser did not do as told: %r", error)

    async def _minimize(self) -> None:
        window, _ = await self._tools.send(cdp.browser.get_window_for_target())
        state = cdp.browser.Bounds(window_state=cdp.browser.WindowState.MINIMIZED)
        await self._tools.send(cdp.browser.set_window_bounds(window, state))

    async def _measured(self) -> WindowState:
        frame = cdp.page.FrameId(self._target)
        world = await self._tools.send(cdp.page.create_isolated_world(frame))
        ask = cdp.runtime.evaluate(
            _MEASURE, context_id=world, await_promise=True, return_by_value=True
        )
        value, error = await self._tools.send(ask)
        if error is not None:
            raise DevToolsError(printable(error.text))
        visible, frames_per_s, width, height = value.value
        return WindowState(
            visible=visible, frames_per_s=frames_per_s, width=width, height=height
        )


async def _only_tab(tools: DevTools) -> str:
    """Return the tab the browser was started with."""
    while True:
        for target in await tools.send(cdp.target.get_targets()):
            if target.type_ == "page":
                return str(target.target_id)
        await asyncio.sleep(0.05)


def _reason(error: Exception) -> str:
    return printable(str(error)) or "it does not answer"


def _end_now(limit: asyncio.Timeout) -> None:
    with suppress(RuntimeError):  # it ends already
        limit.reschedule(asyncio.get_running_loop().time())
