"""Many proxies: which one a request takes, and what its end tells about that proxy.

A property keeps its proxy for a source while that proxy is healthy. A fault of the
proxy lets it rest for that source alone and never counts against the source; a refusal
by the source lets it rest for hours. When all rest, nothing is sent: there is no way
round the proxies.

`ProxyPool` decides over the rows all processes share, the layer `Proxies` (outside the
breaker, so that a circuit is not claimed in vain) asks it. What sends through the proxy
chosen, and tells a dead proxy from a dead source, is in `proxied`.
"""

import asyncio
import contextlib
import hashlib
import logging
import re
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

from phx_pipeline.errors import (
    BlockedError,
    FetchError,
    InputError,
    ProxyError,
)
from phx_pipeline.fetch.base import (
    ClientName,
    Fetched,
    Fetcher,
    ProxyStore,
    Request,
    refusal,
)
from phx_pipeline.model.encoding import decoded
from phx_pipeline.model.moments import moment
from phx_pipeline.model.printable import printable
from phx_pipeline.model.proxy_health import ProxyHealth
from phx_pipeline.model.proxy_url import split_proxy
from phx_pipeline.model.source import Source

logger = logging.getLogger(__name__)

T = TypeVar("T")

_ID_LENGTH = 12
_PROBE_S = 5.0
_PROBE_BYTES = 65536
_PROBE_KEPT_S = 15.0
_PROBE_HOSTS = 2
_FAULT_LENGTH = 200
_COMMENT = re.compile(r"(?:^|\s)#.*")
_PLACE = r"(?P<place>(?:\[[\da-fA-F:.]+\]|[^\s:@/\[\]]+):\d{1,5})"
_COLONS_ONLY = (  # the order tells which is the port
    re.compile(_PLACE + r":(?P<user>[^\s:]+):(?P<password>.+)"),
    re.compile(r"(?P<user>[^\s:@]+):(?P<password>[^\s:@]+):" + _PLACE),
)


# --- which proxies there are ----------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxy:
    """A proxy; `id` and `place` (host:port) may be shown, `url` holds the password."""

    id: str
    place: str
    url: str = field(repr=False)

    @classmethod
    def of(cls, url: str) -> "Proxy":
        """Read a proxy URL; host names are always resolved by the proxy.

        The id is made of scheme, user, host and port, so a new password does not make
        a new proxy.

        Raises:
            InputError: nobody could use it; the text does not repeat it.
        """
        if url.startswith("socks5://"):  # libcurl would ask our own name server
            url = url.replace("socks5", "socks5h", 1)
        bare, credentials = split_proxy(url)
        scheme, _, place = (bare or "").partition("://")
        user = f"{credentials[0]}@" if credentials else ""
        digest = hashlib.sha256(f"{scheme}://{user}{place}".encode()).hexdigest()
        return cls(id=digest[:_ID_LENGTH], place=place, url=url)


ListProxies = Callable[[], Sequence[Proxy]]
"""The proxies to use now. May block; raises `ProxyError` while there is no telling."""


def read_proxies(file: Path) -> tuple[Proxy, ...]:
    """Read one proxy per line; blank lines and `#` comments are left out.

    A line is a URL, or HOST:PORT with USER:PASSWORD before an `@` or behind a colon.

    Raises:
        InputError: names the file and the line number, never the line.
    """
    found: dict[str, Proxy] = {}
    for number, line in enumerate(_lines(file), start=1):
        text = _COMMENT.sub("", line).strip()
        if not text:
            continue
        proxy = _read_line(text, place=f"{file}, line {number}")
        found.setdefault(proxy.id, proxy)
    if not found:
        raise InputError(f"{file} names no proxy: write one URL per line")
    return tuple(found.values())


def _lines(file: Path) -> list[str]:
    with contextlib.suppress(OSError):  # no text of the file may get into a message
        if (text := decoded(file.read_bytes())) is not None:
            return text.splitlines()
    raise InputError(f"{file} cannot be read as text: write one proxy URL per line")


def _read_line(text: str, *, place: str) -> Proxy:
    try:
        return Proxy.of(_as_url(text))
    except InputError as error:
        raise InputError(
            f"{place}: {error}, or HOST:PORT:USER:PASSWORD without SCHEME"
        ) from None


def _as_url(text: str) -> str:
    """Return a line as a URL: `http` unless it says which, credentials in front."""
    scheme, mark, rest = text.rpartition("://")
    scheme = scheme.lower() if mark else "http"
    if found := next(filter(None, (p.fullmatch(rest) for p in _COLONS_ONLY)), None):
        user, password = (quote(found[name], safe="") for name in ("user", "password"))
        return f"{scheme}://{user}:{password}@{found['place']}"
    credentials, at, place = rest.rpartition("@")
    if mark or not at:
        return f"{scheme}://{rest}"
    return f"{scheme}://{quote(credentials, safe=':%')}@{place}"


# --- what an end means to a proxy's health --------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class CoolRules:
    """How long a proxy rests for a source: doubling with each fault in a row."""

    first_s: float = 60.0
    ceiling_s: float = 3600.0
    block_s: float = 6 * 3600.0


def resting_until(
    health: ProxyHealth, *, now_s: float, rules: CoolRules
) -> float | None:
    """Return when the proxy may be used again, None if now.

    A rest longer than any that is given was written by a clock since set back.
    """
    left_s = health.cool_until - now_s
    longest_s = max(rules.block_s, rules.ceiling_s)
    return health.cool_until if 0 < left_s <= longest_s else None


def failed(
    health: ProxyHealth, *, now_s: float, how: str, rules: CoolRules
) -> ProxyHealth:
    """Note a fault of the proxy; those of requests that left together are one."""
    if resting_until(health, now_s=now_s, rules=rules) is not None:
        return health
    rest_s = min(rules.first_s * 2.0 ** min(health.failures, 60), rules.ceiling_s)
    return replace(
        health,
        failures=health.failures + 1,
        cool_until=now_s + rest_s,
        failed_at=now_s,
        fault=printable(how, most=_FAULT_LENGTH),
    )


def refused(
    health: ProxyHealth, *, now_s: float, how: str, rules: CoolRules
) -> ProxyHealth:
    """Note that the source refused what came through the proxy."""
    return replace(
        health,
        cool_until=now_s + rules.block_s,
        failed_at=now_s,
        fault=printable(how, most=_FAULT_LENGTH),
    )


def worked(health: ProxyHealth, *, now_s: float, rules: CoolRules) -> ProxyHealth:
    """Note that the source answered; a rest begun meanwhile goes on."""
    if resting_until(health, now_s=now_s, rules=rules) is not None:
        return health
    return replace(health, failures=0, cool_until=0.0)


def nearest(proxies: Iterable[Proxy], *, key: str) -> list[Proxy]:
    """Return *proxies* in the order *key* prefers them (rendezvous hashing).

    A proxy that comes or goes changes nothing for the keys that prefer others.
    """

    def weight(proxy: Proxy) -> bytes:
        return hashlib.sha256(f"{key}\n{proxy.id}".encode()).digest()

    return sorted(proxies, key=weight, reverse=True)


# --- the pool -------------------------------------------------------------------------


class ProxyPool:
    """The proxies and their health; one per process. Its methods block.

    Args:
        listing: the proxies to use now.
        store: their health, for all processes.
        rules: how long a proxy rests.
    """

    def __init__(
        self,
        listing: ListProxies,
        *,
        store: ProxyStore,
        rules: CoolRules | None = None,
    ) -> None:
        self._listing = listing
        self._store = store
        self._rules = rules or CoolRules()
        self._known: dict[str, Proxy] = {}
        self._failing: set[tuple[str, Source]] = set()

    def choose(self, request: Request, *, key: str) -> Proxy:
        """Return the healthy proxy that *key* prefers.

        Raises:
            ProxyError: there is none; says until when, and wishes to wait for that.
        """
        proxies = self._listing()
        self._known.update((proxy.id, proxy) for proxy in proxies)
        now_s, rows = self._store.healths(request.source)
        rests = {
            row.proxy_id: resting_until(row, now_s=now_s, rules=self._rules)
            for row in rows
        }
        healthy = [proxy for proxy in proxies if rests.get(proxy.id) is None]
        if not healthy:
            ends = [rests[proxy.id] or now_s for proxy in proxies]
            raise _all_rest(request, ends, now_s=now_s)
        failing = {row.proxy_id for row in rows if row.failures}
        chosen = nearest(healthy, key=f"{key} {request.source.value}")[0]
        if chosen.id in failing:
            self._failing.add((chosen.id, request.source))
        return chosen

    def url_of(self, proxy_id: str) -> str:
        """Return the URL, password included, of a proxy that was chosen."""
        return self._known[proxy_id].url

    def note_failed(self, proxy: Proxy, request: Request, *, error: ProxyError) -> None:
        """Record a fault of the proxy."""
        after = self._change(proxy, request, partial(failed, how=str(error)))
        _tell(after, error)

    def note_refused(
        self, proxy: Proxy, request: Request, *, error: BlockedError
    ) -> None:
        """Record that the source refused us through this proxy."""
        after = self._change(proxy, request, partial(refused, how=str(error)))
        _tell(after, error)

    def note_worked(self, proxy: Proxy, request: Request) -> None:
        """Record an answer; costs nothing unless the proxy had failed before."""
        if (proxy.id, request.source) in self._failing:
            self._failing.discard((proxy.id, request.source))
            self._change(proxy, request, worked)

    def _change(
        self, proxy: Proxy, request: Request, judge: Callable[..., ProxyHealth]
    ) -> ProxyHealth:
        def decide(health: ProxyHealth, now_s: float) -> ProxyHealth:
            return judge(health, now_s=now_s, rules=self._rules)

        fresh = ProxyHealth(proxy_id=proxy.id, source=request.source, place=proxy.place)
        return self._store.change(fresh, decide)


def _all_rest(request: Request, ends: Sequence[float], *, now_s: float) -> ProxyError:
    if not ends:
        return ProxyError("proxy: there is none to use", url=request.url)
    until_s = min(ends)
    told = f"proxy: all {len(ends)} rest for {request.source.value} until "
    return ProxyError(
        told + moment(until_s), url=request.url, retry_after_s=until_s - now_s
    )


def _tell(health: ProxyHealth, error: FetchError) -> None:
    logger.warning(
        "proxy %s (%s): rests for %s until %s: %s",
        health.proxy_id,
        health.place,
        health.source.value,
        moment(health.cool_until),
        error,
    )


# --- the layer ------------------------------------------------------------------------


class Proxies:
    """Around one attempt: through which proxy, and what did it tell about that?

    Args:
        sticky: what keeps its proxy, such as a property; else the request's `holder`.
    """

    def __init__(self, inner: Fetcher, *, pool: ProxyPool, sticky: str = "") -> None:
        self._inner = inner
        self._pool = pool
        self._sticky = sticky
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="proxies")

    async def get(self, request: Request) -> Fetched:
        """Return the answer; `ProxyError` without any request while all proxies rest.

        A configured API, to which we say who we are, is asked without a proxy.
        An attempt the next time takes another proxy if this one was at fault. A refusal
        is no fault of the proxy if another client is asked through it next.
        """
        if request.client is ClientName.HTTPX:
            return await self._inner.get(request)
        key = self._sticky or request.holder
        proxy = await self._run(partial(self._pool.choose, request, key=key))
        request = replace(request, proxy=proxy.id)
        try:
            answer = await self._inner.get(request)
        except FetchError as error:
            await self._note(proxy, request, error=error)
            raise
        told = refusal(answer) if answer.challenge else None
        await self._note(proxy, request, error=told)
        return answer

    async def aclose(self) -> None:
        """Close what is inside, then the way to the store."""
        try:
            await self._inner.aclose()
        finally:
            self._thread.shutdown()

    async def _note(
        self, proxy: Proxy, request: Request, *, error: FetchError | None
    ) -> None:
        pool = self._pool
        if isinstance(error, ProxyError):
            await self._run(partial(pool.note_failed, proxy, request, error=error))
        elif isinstance(error, BlockedError) and not request.escalates:
            await self._run(partial(pool.note_refused, proxy, request, error=error))
        elif error is None or error.status is not None:  # the source itself answered
            await self._run(partial(pool.note_worked, proxy, request))

    async def _run(self, call: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, call)
