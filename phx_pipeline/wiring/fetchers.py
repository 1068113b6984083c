"""Makers of fetchers: routes, proxies, and the browser of this machine."""

import logging
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache, partial
from pathlib import Path

from phx_pipeline.catalog.leases import Leases
from phx_pipeline.fetch.base import (
    BrowserTurns,
    Client,
    ClientName,
    Fetcher,
    PolicyStore,
    ProxyStore,
)
from phx_pipeline.fetch.chain import build_fetcher
from phx_pipeline.fetch.clients.browser.executable import find_chromium
from phx_pipeline.fetch.clients.browser.version import version_line
from phx_pipeline.fetch.identity import installed_of, profile_of
from phx_pipeline.fetch.policies import rules_for
from phx_pipeline.fetch.profile import ClientProfile
from phx_pipeline.fetch.proxies import ListProxies, Proxy, ProxyPool, read_proxies
from phx_pipeline.fetch.route import Route, asked_by, browsed
from phx_pipeline.fetch.session import Session
from phx_pipeline.model.moments import phoenix_day
from phx_pipeline.model.source import Source
from phx_pipeline.process import once_a_process
from phx_pipeline.settings import Settings
from phx_pipeline.sources.registry import (
    available_sources,
    browsed_among,
    browser_hosts_of,
    clients_of,
    data_of,
    hosts_of,
    paces_of,
)
from phx_pipeline.storage.layout import Layout
from phx_pipeline.wiring.browser import lacking_browser
from phx_pipeline.wiring.clock import utc_now

logger = logging.getLogger(__name__)

_SESSIONS = 64  # of properties, remembered at once
_TURN_PATIENCE_S = 120.0  # for the browser of another run, which reads a page or two


def build_fetcher_factory(
    settings: Settings,
    *,
    policies: PolicyStore,
    proxies: ProxyStore,
    turns: BrowserTurns | None = None,
    clock: Callable[[], datetime] = utc_now,
) -> Callable[[str], Fetcher]:
    """Return a maker of fetchers, each for a property and the event loop it is used in.

    All fetchers of a property look like one browser for a day, share its cookies, and
    keep to one proxy. Where this machine has a browser they may ask by it, in its
    *turns*, and plain HTTP looks like it.
    """
    lacking = lacking_browser(settings) if turns else "a browser is not to be asked"
    room = _BrowserRoom.of(settings) if turns and not lacking else None
    session_of = lru_cache(_SESSIONS)(Session)
    listing = None if settings.proxy else proxy_list(settings)
    pool = ProxyPool(listing, store=proxies) if listing else None
    sources = available_sources()
    paces = paces_of(sources)
    # SOCKS, and one of many proxies for each house, are ways that httpx does not go.
    is_for_curl = pool is not None or (settings.proxy or "").startswith("socks")
    build = partial(
        build_fetcher,
        allowed=hosts_of(sources),
        proxy=settings.proxy,
        ca_file=settings.ca_file,
        attempts=settings.attempts,
        policies=policies,
        rules=partial(rules_for, pace=settings.pace_percent / 100, paces=paces),
        holds_data=data_of(sources),
        pool=pool,
        probe_url=settings.probe_url,
        route=Route(
            own={
                **browsed(browsed_among(sources)),
                **({} if is_for_curl else asked_by(clients_of(sources))),
            },
            lacking=lacking,
        ),
    )

    def open_fetcher(slug: str) -> Fetcher:
        if lacking:
            _tell_once(lacking)
        day = phoenix_day(clock())
        session = session_of(slug, day, profile=room.profile if room else None)
        further: dict[ClientName, Client] = {}
        if room and turns:
            browser = room.client(session, turns=turns, pool=pool)
            further[ClientName.BROWSER] = browser
        return build(sticky=slug, session=session, further=further)

    return open_fetcher


@once_a_process
def _tell_once(lacking: str) -> None:
    logger.info("sources are asked by plain HTTP alone: %s", lacking)


@dataclass(frozen=True, slots=True, kw_only=True)
class _BrowserRoom:
    """A Chromium of this machine."""

    settings: Settings
    executable: Path

    @classmethod
    def of(cls, settings: Settings) -> "_BrowserRoom | None":
        executable = find_chromium(settings.chromium)
        return cls(settings=settings, executable=executable) if executable else None

    @property
    def profile(self) -> ClientProfile | None:
        """Who it says it is, asked once per process; None if it does not tell."""
        installed = installed_of(version_line(self.executable))
        return profile_of(installed, platform=sys.platform) if installed else None

    def client(
        self, session: Session, *, turns: BrowserTurns, pool: ProxyPool | None
    ) -> Client:
        """Return a client for one property; it starts nothing before it is asked."""
        from phx_pipeline.fetch.clients.browser.client import (
            BrowserClient,
        )

        settings, sources = self.settings, available_sources()
        return BrowserClient(
            executable=self.executable,
            profiles=Layout(settings.data_dir).browsers,
            isolation=settings.isolation,
            hosts=browser_hosts_of(sources),
            holds_data=data_of(sources),
            turns=turns,
            session=session,
            proxy=settings.proxy,
            pool=pool,
            ca_file=settings.ca_file,
            seed=session.slug,
            pace=settings.pace_percent / 100,
        )


class LeaseTurns:
    """`BrowserTurns` by the catalogue's leases `browser/SOURCE`.

    A turn is renewed while it is held, and free at once when its process has died.
    """

    def __init__(
        self, leases: Leases, *, owner: str, patience_s: float = _TURN_PATIENCE_S
    ) -> None:
        self._leases = leases
        self._owner = owner
        self._patience_s = patience_s

    @contextmanager
    def hold(self, source: Source) -> Iterator[None]:
        """Hold the turn of *source*; `LeaseHeldError` after the patience."""
        name = f"browser/{source.value}"
        with self._leases.hold(name, owner=self._owner, wait_s=self._patience_s):
            yield


def proxy_list(settings: Settings) -> ListProxies | None:
    """Return what lists the proxies of *settings*; None if requests go directly."""
    if settings.webshare_token:
        from phx_pipeline.fetch.webshare import (
            WebshareList,
        )

        return WebshareList(settings.webshare_token, mode=settings.webshare_mode)
    if settings.proxies_file:
        listed: Sequence[Proxy] = read_proxies(settings.proxies_file)
    elif settings.proxy:
        listed = (Proxy.of(settings.proxy),)
    else:
        return None
    return lambda: listed
