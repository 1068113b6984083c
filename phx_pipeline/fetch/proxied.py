"""Sending through the proxy that was chosen, and telling whose fault it was.

Innermost in the chain: which proxy it is was decided in `proxies`.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from itertools import islice
from typing import Final
from urllib.parse import urlsplit

from phx_pipeline.errors import (
    BodyLimitError,
    DeadlineError,
    FetchError,
    ProxyError,
    TransientError,
)
from phx_pipeline.fetch.base import Client, Fetched, Request, RequestKind
from phx_pipeline.fetch.clients.curl import CurlClient
from phx_pipeline.fetch.proxies import ProxyPool
from phx_pipeline.model.source import Source

_PROBE_S = 5.0
_PROBE_BYTES = 65536
_PROBE_KEPT_S = 15.0
_PROBE_HOSTS = 2
# These very types: what derives from them otherwise tells more than "it failed".
_OF_EITHER_SIDE: Final = frozenset({TransientError, DeadlineError, ProxyError})


class Probe:
    """Tells whether a proxy works at all, by a place that is not the source.

    Args:
        url: what to ask for; any answer will do. None to connect, without asking for
            anything, to hosts of *allowed*.
        allowed: host names of each source.
    """

    def __init__(
        self, *, url: str | None, allowed: Mapping[Source, Sequence[str]]
    ) -> None:
        self._url = url
        self._allowed = allowed
        self._known: dict[str, tuple[float, bool]] = {}
        self._locks: dict[str, asyncio.Lock] = {}

    async def passes(self, client: CurlClient, request: Request) -> bool:
        """Return whether the proxy of *request* works; asked once for many at a time.

        True where there is nothing to try it by: then the source is to blame.
        """
        now_s = asyncio.get_running_loop().time
        async with self._locks.setdefault(request.proxy, asyncio.Lock()):
            at_s, good = self._known.get(request.proxy, (-_PROBE_KEPT_S, False))
            if now_s() - at_s >= _PROBE_KEPT_S:
                good = await self._try(client, request)
                self._known[request.proxy] = (now_s(), good)
            return good

    async def _try(self, client: CurlClient, request: Request) -> bool:
        if self._url is not None:
            return await _answers(client, self._url)
        hosts = list(islice(self._others(request), _PROBE_HOSTS))
        tries = (
            client.connects(f"https://{host}/", timeout_s=_PROBE_S) for host in hosts
        )
        return any(await asyncio.gather(*tries)) or not hosts

    def _others(self, request: Request) -> Iterable[str]:
        """Hosts to try: those of other sources first, never the one in question."""
        asked = urlsplit(request.url).hostname or ""
        order = sorted(self._allowed, key=lambda source: source is request.source)
        for source in order:
            for host in self._allowed[source]:
                if asked != host and not asked.endswith(f".{host}"):
                    yield host


async def _answers(client: CurlClient, url: str) -> bool:
    request = Request(
        url=url,
        source=Source.UNKNOWN,
        kind=RequestKind.API,
        timeout_s=_PROBE_S,
        max_bytes=_PROBE_BYTES,
    )
    try:
        await client.get(request)
    except BodyLimitError:
        return True
    except FetchError:
        return False
    return True


class ProxiedClient:
    """Asks through the proxy each request names: one client, and session, per proxy.

    Args:
        pool: knows the proxies.
        open_client: from a proxy's id and URL to the client for it.
        probe: tells whose fault it was.
    """

    def __init__(
        self,
        *,
        pool: ProxyPool,
        open_client: Callable[[str, str], CurlClient],
        probe: Probe,
    ) -> None:
        self._pool = pool
        self._open_client = open_client
        self._probe = probe
        self._clients: dict[str, CurlClient] = {}

    async def get(self, request: Request) -> Fetched:
        """Return the raw answer, of any status.

        Raises:
            ProxyError: the proxy is at fault.
            TransientError: the source is; else as `CurlClient.get`.
        """
        async with self.judging(request):
            return await self._client(request.proxy).get(request)

    @asynccontextmanager
    async def judging(self, request: Request) -> AsyncIterator[None]:
        """Let what fails inside come out as the fault of the side that it is.

        A cut connection, a silence or a proxy's "cannot reach it" may be the fault of
        either side. Then the probe, some seconds at most beyond the deadline, decides.
        """
        try:
            yield
        except TransientError as error:
            if await self._is_right(error, request):
                raise
            raise _other_side(error) from error

    async def aclose(self) -> None:
        """Close the clients of all proxies."""
        for client in self._clients.values():
            await client.aclose()

    async def _is_right(self, error: TransientError, request: Request) -> bool:
        if type(error) not in _OF_EITHER_SIDE:
            return True
        if isinstance(error, ProxyError) and error.certain:
            return True
        passes = await self._probe.passes(self._client(request.proxy), request)
        return isinstance(error, ProxyError) is not passes

    def _client(self, proxy_id: str) -> CurlClient:
        if proxy_id not in self._clients:
            url = self._pool.url_of(proxy_id)
            self._clients[proxy_id] = self._open_client(proxy_id, url)
        return self._clients[proxy_id]


class JudgedClient:
    """A client that asks through the pool's proxies by itself, such as a browser.

    Args:
        inner: the client.
        judge: tells whose fault it was when it fails.
    """

    def __init__(self, inner: Client, *, judge: ProxiedClient) -> None:
        self._inner = inner
        self._judge = judge

    async def get(self, request: Request) -> Fetched:
        """Return the raw answer; the errors are those of `ProxiedClient.get`."""
        async with self._judge.judging(request):
            return await self._inner.get(request)

    async def aclose(self) -> None:
        """Close what is inside."""
        await self._inner.aclose()


def _other_side(error: TransientError) -> TransientError:
    """Return *error* with the blame on the other side."""
    if isinstance(error, ProxyError):
        told = str(error).removeprefix("proxy: ")
        return TransientError(f"cannot be reached: the proxy {told}", url=error.url)
    return ProxyError(f"proxy: {error}, nor does the probe pass", url=error.url)
