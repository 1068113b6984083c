"""The client for documented APIs: it says what it is, and is sent no cookies back.

For servers that the user configured, one on this machine included, and for sources that
want a plain client. Answers are asked for uncompressed, so that a body is as long as
what comes over the wire.
"""

import asyncio
import contextlib
import ssl
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from http.cookiejar import CookieJar, DefaultCookiePolicy
from pathlib import Path
from typing import Final
from urllib.parse import SplitResult, urlsplit

import httpx

from phx_pipeline.errors import (
    BodyLimitError,
    FetchError,
    InputError,
    ProxyError,
    TransientError,
)
from phx_pipeline.fetch.base import Fetched, Request
from phx_pipeline.fetch.clients.certificates import of_ssl
from phx_pipeline.fetch.clients.wire import bounded, no_way_to, tell, too_late, trusted
from phx_pipeline.fetch.hosts import Endpoint, PublicAddresses, Resolve, has_route
from phx_pipeline.fetch.trace import Certificate, WireStep
from phx_pipeline.model.proxy_url import split_proxy

_HEADERS: Final = {
    "accept": "application/json",
    "accept-encoding": "identity",
    "user-agent": "phx_pipeline",
}
_NO_TLS: Final = "the TLS handshake failed"
_NO_COOKIES: Final = DefaultCookiePolicy(allowed_domains=[])

_Read = Callable[[httpx.Response, Request], Awaitable[bytes]]


class HttpxClient:
    """Asks, through *proxy* if there is one; those of *endpoints* that are here do not.

    Holds one session per event loop and server, for a connection is certified for one
    name. Without a proxy every host is resolved once, checked and pinned; the addresses
    of *private* are accepted although they are not public.

    Raises:
        InputError: *proxy* or *ca_file* cannot be used.
    """

    def __init__(
        self,
        *,
        endpoints: frozenset[Endpoint],
        proxy: str | None = None,
        ca_file: Path | None = None,
        resolve: Resolve | None = None,
        private: frozenset[str] = frozenset(),
    ) -> None:
        place, self._credentials = split_proxy(proxy)
        if place is not None and place.startswith("socks"):
            raise InputError("PHX_PROXY: configured APIs need an http:// proxy")
        self._proxy = place
        self._ca_file = trusted(ca_file)
        self._here = frozenset(e.host for e in endpoints if e.is_here)
        hosts = frozenset(endpoint.host for endpoint in endpoints)
        self._addresses = PublicAddresses(resolve, also=private, configured=hosts)
        self._sessions: dict[
            tuple[asyncio.AbstractEventLoop, str], httpx.AsyncClient
        ] = {}

    async def get(self, request: Request) -> Fetched:
        """Return the raw answer, of any status; the errors are those of `Client`."""
        return await self._in_time(request, read=_body)

    async def status(self, request: Request) -> int:
        """Return the status of the answer, whose body is left unread.

        The errors are those of `Client`.
        """
        return (await self._in_time(request, read=_nothing)).status

    async def _in_time(self, request: Request, *, read: _Read) -> Fetched:
        try:
            async with asyncio.timeout(request.timeout_s):
                return await self._send(request, read=read)
        except TimeoutError as error:
            raise too_late(request) from error

    async def aclose(self) -> None:
        """Close the running loop's sessions; a later `get` opens new ones."""
        loop = asyncio.get_running_loop()
        for key in [key for key in self._sessions if key[0] is loop]:
            await self._sessions.pop(key).aclose()

    async def _send(self, request: Request, *, read: _Read) -> Fetched:
        """Ask the first of the host's addresses that can be connected to."""
        parts = urlsplit(request.url)
        pinned = await self._pinned(parts, url=request.url)
        is_proxied, addresses = pinned is None, len(pinned or ())
        tell(request, WireStep.NAME, is_proxied=is_proxied, addresses=addresses)
        places = [_at(parts, address) for address in pinned or ()]
        try:
            for place in places[:-1]:
                with contextlib.suppress(httpx.ConnectError):
                    return await self._ask(request, read, parts=parts, place=place)
            last = places[-1] if places else None
            return await self._ask(request, read, parts=parts, place=last)
        except FetchError:
            raise
        # The border to httpx. Its errors hold the request with all its headers: not to
        # be kept in a chain of causes.
        except Exception as error:  # noqa: BLE001
            raise self._translated(error, request=request, pinned=pinned) from None

    async def _ask(
        self, request: Request, read: _Read, *, parts: SplitResult, place: str | None
    ) -> Fetched:
        """Ask at *place*, the URL with an address in it, or through the proxy."""
        session = self._session(parts, direct=place is not None)
        headers = {**request.headers, **request.secret_headers, "host": parts.netloc}
        sent = session.build_request(
            request.method,
            place or request.url,
            content=request.body or None,
            headers=headers,
            extensions={"sni_hostname": parts.hostname} if place else {},
        )
        for name in [name for name, value in headers.items() if not value]:
            del sent.headers[name]
        async with aclosing(await session.send(sent, stream=True)) as answer:
            if request.trace and (certificate := _certificate_of(answer)):
                is_proxied = place is None
                tell(
                    request,
                    WireStep.TLS,
                    is_proxied=is_proxied,
                    certificate=certificate,
                )
            return Fetched(
                url=request.url,
                status=answer.status_code,
                headers=bounded(answer.headers.items()),
                body=await read(answer, request),
            )

    async def _pinned(self, parts: SplitResult, *, url: str) -> tuple[str, ...] | None:
        """Return the checked addresses of the host; None if the proxy resolves it."""
        host = parts.hostname or ""
        if self._proxy is not None and host not in self._here:
            return None
        return await self._addresses.of(host, url=url)

    def _session(self, parts: SplitResult, *, direct: bool) -> httpx.AsyncClient:
        loop = asyncio.get_running_loop()
        for ended in [key for key in self._sessions if key[0].is_closed()]:
            del self._sessions[ended]
        key = (loop, f"{parts.scheme}://{parts.netloc}")
        if key not in self._sessions:
            self._sessions[key] = self._new_session(direct=direct)
        return self._sessions[key]

    def _new_session(self, *, direct: bool) -> httpx.AsyncClient:
        through = None
        if self._proxy is not None and not direct:
            through = httpx.Proxy(self._proxy, auth=self._credentials)
        return httpx.AsyncClient(
            proxy=through,
            verify=ssl.create_default_context(cafile=self._ca_file),
            headers=_HEADERS,
            cookies=CookieJar(_NO_COOKIES),
            timeout=None,  # the whole attempt has a deadline  # noqa: S113
            follow_redirects=False,
            trust_env=False,
        )

    def _translated(
        self, error: Exception, *, request: Request, pinned: tuple[str, ...] | None
    ) -> FetchError:
        url = request.url
        if isinstance(error, httpx.ProxyError):
            return ProxyError("proxy: refused the tunnel", url=url)
        if not isinstance(error, httpx.ConnectError):
            told = "the connection was cut off, or the answer is not HTTP"
            return TransientError(told, url=url)
        if _is_about_tls(error):
            tell(request, WireStep.TLS, is_proxied=pinned is None, fault=_NO_TLS)
            return TransientError(_NO_TLS, url=url)
        if pinned is None:
            return ProxyError("proxy: cannot be reached", url=url)
        if not any(map(has_route, pinned)):
            return no_way_to(request, "no network leads there")
        return TransientError("the connection was refused", url=url)


def _certificate_of(answer: httpx.Response) -> Certificate | None:
    stream = answer.extensions.get("network_stream")
    return of_ssl(stream.get_extra_info("ssl_object")) if stream else None


async def _nothing(_: httpx.Response, __: Request) -> bytes:
    return b""


async def _body(answer: httpx.Response, request: Request) -> bytes:
    if answer.headers.get("content-encoding", "identity") != "identity":
        told = "the answer is compressed, which was not asked for"
        raise TransientError(told, url=request.url)
    body = bytearray()
    async for chunk in answer.aiter_raw():
        body += chunk
        if len(body) > request.max_bytes:
            raise BodyLimitError(
                f"the body is larger than {request.max_bytes} bytes", url=request.url
            )
    return bytes(body)


def _at(parts: SplitResult, address: str) -> str:
    """Return the URL with its host replaced by one of its addresses."""
    place = f"[{address}]" if ":" in address else address
    port = f":{parts.port}" if parts.port else ""
    return parts._replace(netloc=f"{place}{port}").geturl()


def _is_about_tls(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLError):
            return True
        error = error.__cause__ or error.__context__
    return False
