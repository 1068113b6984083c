"""The client that asks by a real Chromium: one browser per source, kept for a while.

Statuses, redirects off the list and challenges are judged further out, as with every
client. How a browser is started is in `running`, how it loads a page in `session`.
"""

import asyncio
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Final

from phx_pipeline.errors import FetchError, HostRefusedError
from phx_pipeline.fetch.base import BrowserTurns, Fetched, Request
from phx_pipeline.fetch.clients.browser.running import (
    Plan,
    RunningBrowser,
    to_the_end,
)
from phx_pipeline.fetch.hosts import AllowList, PublicAddresses
from phx_pipeline.fetch.page_parts import HoldsData
from phx_pipeline.fetch.proxies import ProxyPool
from phx_pipeline.fetch.session import Session, SessionCookie
from phx_pipeline.model.isolation import IsolationMode
from phx_pipeline.model.source import Source

logger = logging.getLogger(__name__)

_START_SHARE: Final = 0.5  # of a request's time, so that enough is left for the page

MOST_PAGES: Final = 20
"""Of one browser; after them its memory and caches are given back."""


@dataclass(slots=True, kw_only=True)
class _Desk:
    """What there is of one source: one page at a time.

    Attributes:
        cookies: what the browser and our session are known to agree on.
        ending: browsers that are no longer used.
    """

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    browser: RunningBrowser | None = None
    cookies: frozenset[SessionCookie] = frozenset()
    ending: set[asyncio.Task[None]] = field(default_factory=set)


class BrowserClient:
    """Asks for pages and API answers, one at a time of each source.

    A browser is started at the first request and lives, under the turn of its source,
    to `aclose`, `MOST_PAGES` pages, another proxy, or a page that it did not get over.
    All in one event loop.

    Args:
        executable: Chromium's.
        profiles: the folder for profiles.
        isolation: where its windows are to be.
        hosts: what browsers of each source may ask at all; subdomains included.
        turns: one browser of a source at a time, over all processes.
        holds_data: knows the data that pages of the sources hold.
        session: whose cookies are put into browsers and taken over from them.
        proxy: through which they ask.
        pool: many proxies, in place of *proxy*; a request names its own.
        ca_file: what sites are checked against instead of the usual authorities.
        addresses: what hosts may resolve to without a proxy.
        seed: of the reader, whose pauses and scrolling are the same for the same seed.
        pace: multiplies the pauses; below 1 only for stand-in sites.
    """

    def __init__(  # noqa: PLR0913 - the one place where all parts meet
        self,
        *,
        executable: Path,
        profiles: Path,
        isolation: IsolationMode,
        hosts: Mapping[Source, Sequence[str]],
        turns: BrowserTurns,
        holds_data: HoldsData,
        session: Session | None = None,
        proxy: str | None = None,
        pool: ProxyPool | None = None,
        ca_file: Path | None = None,
        addresses: PublicAddresses | None = None,
        seed: str = "",
        pace: float = 1.0,
    ) -> None:
        self._hosts = hosts
        self._allow_list = AllowList(hosts)
        self._plan = Plan(
            executable=executable,
            profiles=profiles,
            isolation=isolation,
            turns=turns,
            allows=self._allows,
            ca_file=ca_file,
            addresses=addresses,
            seed=seed,
            pace=pace,
            holds_data=holds_data,
        )
        self._session = session
        self._proxy = proxy
        self._pool = pool
        self._desks: dict[Source, _Desk] = {}
        self._closings = 0

    async def get(self, request: Request) -> Fetched:
        """Return the raw answer, of any status; follows redirects on the list.

        Of the request's headers only `referer` is sent. Waiting for the turn of the
        source is not part of `timeout_s`; starting a browser is.

        Raises:
            RateLimitedError: without a status: another run kept the turn for too long.
            CircuitOpenError: as `request.confirm`, after a wait for turn and start.
            BrowserError: no browser could be started, or it does not work.
            FetchError: as `BrowserSession.load`; or the request is no plain GET.
        """
        if request.method != "GET" or request.body or request.secret_headers:
            told = "a browser is only asked for pages, not to send anything"
            raise FetchError(told, url=request.url)
        desk = self._desks.setdefault(request.source, _Desk())
        async with desk.lock:
            try:
                return await self._load(request, desk)
            except FetchError as error:
                error.url = error.url or request.url
                raise

    async def aclose(self) -> None:
        """End all browsers, in 5 s at most; a later `get` starts new ones."""
        self._closings += 1
        for desk in self._desks.values():
            self._retire(desk)
        ending = [task for desk in self._desks.values() for task in desk.ending]
        if ending:
            await to_the_end(_all_of(ending))

    # --- one page ---------------------------------------------------------------------

    async def _load(self, request: Request, desk: _Desk) -> Fetched:
        browser, left_s = await self._running(request, desk)
        await _confirmed(request)
        given = self._new_cookies(request, desk)
        try:
            answer = await browser.session.load(
                replace(request, timeout_s=left_s), cookies=given
            )
            await self._take_cookies(request, desk, browser, given)
        finally:
            used_up = browser.session.pages >= MOST_PAGES
            if desk.browser is browser and (used_up or not browser.session.is_usable):
                self._retire(desk)
        return answer

    async def _running(
        self, request: Request, desk: _Desk
    ) -> tuple[RunningBrowser, float]:
        """Return the browser of the source, and what is left of the request's time."""
        upstream = self._proxy
        if self._pool is not None:
            upstream = self._pool.url_of(request.proxy)
        if desk.browser is not None:
            if desk.browser.fits(upstream):
                return desk.browser, request.timeout_s
            self._retire(desk)
        if desk.ending:
            await asyncio.wait(desk.ending)
        closings = self._closings
        browser, took_s = await RunningBrowser.start(
            self._plan,
            source=request.source,
            upstream=upstream,
            confirm=partial(_confirmed, request),
            within_s=request.timeout_s * _START_SHARE,
        )
        desk.browser = browser
        if closings != self._closings:  # closed meanwhile
            self._retire(desk)
        return browser, request.timeout_s - took_s

    def _retire(self, desk: _Desk) -> None:
        """Let the browser end beside what goes on; `aclose` waits for it."""
        if desk.browser is None:
            return
        desk.browser.stop()
        task = asyncio.create_task(_closed(desk.browser))
        desk.ending.add(task)
        task.add_done_callback(desk.ending.discard)
        desk.browser, desk.cookies = None, frozenset()

    # --- cookies ----------------------------------------------------------------------

    def _new_cookies(self, request: Request, desk: _Desk) -> list[SessionCookie]:
        """Return what our session has and the browser does not."""
        if self._session is None:
            return []
        known = self._session.cookies(request.proxy)
        return [
            cookie
            for cookie in known
            if cookie not in desk.cookies and self._is_sent(cookie, request.source)
        ]

    async def _take_cookies(
        self,
        request: Request,
        desk: _Desk,
        browser: RunningBrowser,
        given: Iterable[SessionCookie],
    ) -> None:
        """Make our session agree with the browser, which may have dropped some."""
        if self._session is None:
            return
        if (found := await browser.session.cookies()) is None:
            return
        now = frozenset(
            cookie for cookie in found if self._is_sent(cookie, request.source)
        )
        left = {_place(cookie) for cookie in now}
        before = desk.cookies.union(given)
        gone = [cookie for cookie in before if _place(cookie) not in left]
        self._session.drop(gone, request.proxy)
        self._session.add(now - desk.cookies, request.proxy)
        desk.cookies = now

    def _is_sent(self, cookie: SessionCookie, source: Source) -> bool:
        """Whether some host that a browser of *source* may ask is sent *cookie*."""
        domain = cookie.domain.lstrip(".")
        return any(
            f".{host}".endswith(f".{domain}") or f".{domain}".endswith(f".{host}")
            for host in self._hosts.get(source, ())
        )

    def _allows(self, source: Source, host: str) -> bool:
        try:
            self._allow_list.check(f"https://{host}/", source=source)
        except HostRefusedError:
            return False
        return True


async def _confirmed(request: Request) -> None:
    """Send nothing after a refusal that others met while this one waited."""
    if request.confirm is not None:
        await request.confirm()


def _place(cookie: SessionCookie) -> tuple[str, str, str]:
    return cookie.domain, cookie.path, cookie.name


async def _closed(browser: RunningBrowser) -> None:
    try:
        await browser.aclose()
    except Exception:  # what goes on beside it must not fail with it
        logger.exception("a browser did not end well")


async def _all_of(ending: Iterable[asyncio.Task[None]]) -> None:
    await asyncio.wait(list(ending))
