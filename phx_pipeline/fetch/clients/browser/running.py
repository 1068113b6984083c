"""A browser with all it stands on: turn, screen, gate, process; begun and ended whole.

Which pages it loads is the client's business. What blocks runs in one thread per
browser, which holds turn, screen and process from first to last: so they end in order
even if the task that asked for them is cancelled amid the start, or nobody closes it.
"""

import asyncio
import logging
import threading
from collections.abc import Callable, Coroutine
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from phx_pipeline.errors import BrowserError, LeaseHeldError, RateLimitedError
from phx_pipeline.fetch.base import BrowserTurns, Confirm
from phx_pipeline.fetch.clients.browser.gate import Gate
from phx_pipeline.fetch.clients.browser.isolation import Screen, screen
from phx_pipeline.fetch.clients.browser.launch import Chromium, Launch, launch
from phx_pipeline.fetch.hosts import PublicAddresses
from phx_pipeline.fetch.page_parts import HoldsData
from phx_pipeline.model.isolation import IsolationMode
from phx_pipeline.model.source import Source

if TYPE_CHECKING:
    from phx_pipeline.fetch.clients.browser.session import BrowserSession

logger = logging.getLogger(__name__)

_STOP_S: Final = 1.5  # Chromium's, asked nicely; it needs some tenths of a second
_END_S: Final = 4.5  # of turn, screen and process together
_LOOK_S: Final = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How browsers are started.

    Attributes:
        executable: Chromium's.
        profiles: the folder for profiles.
        isolation: where windows are to be.
        turns: one browser of a source at a time.
        allows: whether a browser of a source may ask a host, in lower case.
        ca_file: what sites are checked against instead of the usual authorities.
        addresses: what hosts may resolve to without a proxy.
        seed: of the reader.
        pace: multiplies the pauses of that reader.
    """

    executable: Path
    profiles: Path
    isolation: IsolationMode
    turns: BrowserTurns
    holds_data: HoldsData
    allows: Callable[[Source, str], bool]
    ca_file: Path | None = None
    addresses: PublicAddresses | None = None
    seed: str = ""
    pace: float = 1.0


class RunningBrowser:
    """A browser of one source, through one proxy or none."""

    def __init__(
        self,
        *,
        gate: Gate,
        stage: "_Stage",
        session: "BrowserSession",
        upstream: str | None,
    ) -> None:
        self.session = session
        self._gate = gate
        self._stage = stage
        self._upstream = upstream

    @classmethod
    async def start(
        cls,
        plan: Plan,
        *,
        source: Source,
        upstream: str | None,
        confirm: Confirm,
        within_s: float,
    ) -> tuple["RunningBrowser", float]:
        """Wait for the turn of *source* and start a browser that asks by *upstream*.

        Args:
            plan: how.
            source: whose browser it is.
            upstream: the proxy, if there is one.
            confirm: awaited with the turn, before anything is started; raises if no
                browser is wanted any more.
            within_s: what the start may take, once it is the source's turn.

        Returns:
            The browser, and how much of that time it took.

        Raises:
            RateLimitedError: without a status: others kept the turn for too long.
            BrowserError: this machine cannot start one.
        """
        gate = Gate(
            allows=lambda host: plan.allows(source, host),
            upstream=upstream,
            ca_file=plan.ca_file,
            addresses=plan.addresses,
        )
        stage = _Stage(plan, source=source, gate=gate)
        try:
            await gate.start()
            await stage.begin()
            await confirm()
            began_s = asyncio.get_running_loop().time()
            async with asyncio.timeout(within_s):
                session = await stage.open_session()
        except TimeoutError as error:
            await to_the_end(_end(gate, stage))
            told = f"no browser came up within {within_s:g} s: the machine is busy"
            raise BrowserError(told) from error
        except BaseException:
            await to_the_end(_end(gate, stage))
            raise
        browser = cls(gate=gate, stage=stage, session=session, upstream=upstream)
        return browser, asyncio.get_running_loop().time() - began_s

    def fits(self, upstream: str | None) -> bool:
        """Whether it asks by this proxy."""
        return self._upstream == upstream

    def stop(self) -> None:
        """Let the process end as soon as it can; `aclose` waits for that."""
        self._stage.stop()

    async def aclose(self) -> None:
        """End the process, give back screen and turn, close the gate; in 5 s at most.

        A caller that is cancelled meanwhile waits for the end all the same.
        """
        await to_the_end(_end(self._gate, self._stage, self.session))


async def to_the_end(work: Coroutine[Any, Any, None]) -> None:
    """Wait for *work* even if cancelled meanwhile; then be cancelled."""
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        raise cancelled
    task.result()


async def _end(
    gate: Gate, stage: "_Stage", session: "BrowserSession | None" = None
) -> None:
    stage.stop()
    if session is not None:
        await session.aclose()
    await stage.ended()
    await gate.aclose()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ready:
    chromium: Chromium
    screen: Screen
    sessions: "type[BrowserSession]"


class _Stage:
    """The thread that holds what blocks, and what it tells the event loop."""

    def __init__(self, plan: Plan, *, source: Source, gate: Gate) -> None:
        self._plan = plan
        self._source = source
        self._gate = gate
        self._loop = asyncio.get_running_loop()
        self._turn: asyncio.Future[None] = self._loop.create_future()
        self._ready: asyncio.Future[_Ready] = self._loop.create_future()
        self._over = asyncio.Event()
        self._go = threading.Event()  # to start, or to stop without that
        self._stop = threading.Event()

    async def begin(self) -> None:
        """Wait for the source's turn, which a thread holds from then on."""
        # A daemon: one that waits for its turn must not hold up the end of a run.
        threading.Thread(
            target=self._wait, name=f"turn of {self._source}", daemon=True
        ).start()
        await self._turn

    async def open_session(self) -> "BrowserSession":
        """Start the browser, and attach to it as soon as it runs."""
        self._go.set()
        ready = await self._ready
        session = await ready.sessions.open(
            chromium=ready.chromium,
            screen=ready.screen,
            gate=self._gate,
            seed=self._plan.seed,
            pace=self._plan.pace,
            holds_data=self._plan.holds_data,
        )
        logger.info(
            "browser of %s: window %s, %s",
            self._source,
            ready.screen.mode,
            session.state,
        )
        return session

    def stop(self) -> None:
        """Let the thread end what it holds, as soon as it can."""
        self._stop.set()
        self._go.set()

    async def ended(self) -> None:
        """Wait for the end of the thread, for a bounded time."""
        if not self._turn.done() or self._turn.cancelled() or self._turn.exception():
            return  # whoever waits for a turn gives it back by himself
        try:
            async with asyncio.timeout(_END_S):
                await self._over.wait()
        except TimeoutError:
            logger.warning("browser of %s: still waits, or is ending", self._source)

    def _wait(self) -> None:
        """Take the turn, and leave it to a thread that an ending process waits for."""
        stack = ExitStack()
        try:
            stack.enter_context(self._plan.turns.hold(self._source))
        except Exception as error:  # noqa: BLE001 - told to whoever waits
            self._tell(self._fail, error)
            return
        self._tell(_settle, self._turn, None)
        threading.Thread(
            target=self._hold,
            args=(stack,),
            name=f"browser of {self._source}",
            daemon=False,  # this thread is one
        ).start()

    def _hold(self, stack: ExitStack) -> None:
        """Hold all there is until the end, and give it back in order."""
        try:
            with stack:
                _wait_for(self._go)
                if self._go.is_set() and not self._stop.is_set():
                    self._start(stack)
                _wait_for(self._stop)
        except Exception as error:  # noqa: BLE001 - told to whoever waits
            self._tell(self._fail, error)
        finally:
            self._tell(self._over.set)

    def _start(self, stack: ExitStack) -> None:
        plan = self._plan
        sessions = _sessions()
        on = stack.enter_context(screen(plan.isolation))
        chromium = launch(
            Launch(
                executable=plan.executable,
                profiles=plan.profiles,
                screen=on,
                proxy_port=self._gate.port,
                spki=self._gate.spki,
            )
        )
        stack.callback(chromium.stop, patience_s=_STOP_S)
        ready = _Ready(chromium=chromium, screen=on, sessions=sessions)
        self._tell(_settle, self._ready, ready)

    def _tell(self, how: Callable[..., None], *what: Any) -> None:
        try:
            self._loop.call_soon_threadsafe(how, *what)
        except RuntimeError:  # the loop has ended, so nobody waits
            logger.debug("browser of %s: nobody hears %s", self._source, what)

    def _fail(self, error: BaseException) -> None:
        told = error
        if isinstance(error, LeaseHeldError):
            told = _not_our_turn(self._source, error)
        waiting = [f for f in (self._turn, self._ready) if not f.done()]
        if waiting and not self._stop.is_set():
            waiting[0].set_exception(told)
        else:
            logger.warning("browser of %s: did not end well: %s", self._source, error)


def _wait_for(event: threading.Event) -> None:
    """Whoever forgets to set it must not keep the process from ending."""
    while not event.wait(_LOOK_S) and threading.main_thread().is_alive():
        pass


def _settle(future: "asyncio.Future[Any]", value: object) -> None:
    if not future.done():
        future.set_result(value)


def _sessions() -> "type[BrowserSession]":
    """Import nodriver, here in the thread: it takes a while, and may be missing."""
    try:
        from phx_pipeline.fetch.clients.browser.session import (  # noqa: PLC0415
            BrowserSession,
        )
    except ImportError as error:
        told = f"no browser can be asked: {error}; install the package nodriver"
        raise BrowserError(told) from error
    return BrowserSession


def _not_our_turn(source: Source, error: LeaseHeldError) -> RateLimitedError:
    """Return our own waiting, which tells nothing about the source."""
    told = f"another run has the browser of {source}: {error}"
    return RateLimitedError(told, url="")
