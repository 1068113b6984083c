"""The client for pages and photos, with a browser's TLS fingerprint (curl_cffi).

Returns whatever status came; redirects and statuses are judged further out. Everything
curl_cffi raises is translated here and nowhere else.
"""

import asyncio
import io
import logging
import re
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from curl_cffi import CurlECode, CurlError, CurlHttpVersion, CurlOpt
from curl_cffi.curl import CURL_WRITEFUNC_ERROR
from curl_cffi.requests import AsyncSession, Response

from phx_pipeline.errors import (
    BodyLimitError,
    FetchError,
    HostRefusedError,
    ProxyError,
    TransientError,
)
from phx_pipeline.fetch.base import Fetched, Request
from phx_pipeline.fetch.clients.certificates import TracedResponse
from phx_pipeline.fetch.clients.wire import bounded, no_way_to, tell, too_late, trusted
from phx_pipeline.fetch.hosts import PublicAddresses, has_route
from phx_pipeline.fetch.profile import USUAL_PROFILE, ClientProfile
from phx_pipeline.fetch.trace import WireStep
from phx_pipeline.model.proxy_url import split_proxy

logger = logging.getLogger(__name__)

_LOW_SPEED_BYTES_S: Final = 1000
_LOW_SPEED_S: Final = 10
# libcurl ends the transfer itself; this only catches waiting outside it.
_BACKSTOP_S: Final = 0.5

_FRAMING: Final = frozenset({"content-length", "transfer-encoding"})

_REASONS: Final = {
    CurlECode.COULDNT_RESOLVE_HOST: "the name does not resolve",
    CurlECode.COULDNT_CONNECT: "the connection was refused",
    CurlECode.PARTIAL_FILE: "the answer is shorter than announced",
    CurlECode.GOT_NOTHING: "the connection was closed without an answer",
    CurlECode.SEND_ERROR: "the connection was lost while asking",
    CurlECode.RECV_ERROR: "the connection was reset or cut off",
    CurlECode.SSL_CONNECT_ERROR: "the TLS handshake failed",
    CurlECode.PEER_FAILED_VERIFICATION: "the TLS certificate is not trusted",
    CurlECode.BAD_CONTENT_ENCODING: "the compressed answer is broken",
    CurlECode.WEIRD_SERVER_REPLY: "the answer is not HTTP",
    CurlECode.HTTP2: "HTTP/2 framing is broken",
    CurlECode.HTTP2_STREAM: "the HTTP/2 stream was reset",
}
_OF_TLS: Final = frozenset(
    {CurlECode.SSL_CONNECT_ERROR, CurlECode.PEER_FAILED_VERIFICATION}
)
_PROXY_REASONS: Final = {
    CurlECode.COULDNT_RESOLVE_PROXY: "proxy: its name does not resolve",
    CurlECode.COULDNT_CONNECT: "proxy: cannot be reached",
    CurlECode.PROXY: "proxy: the handshake failed",
}
_TUNNEL_REFUSED: Final = re.compile(r"CONNECT.*response:? (\d{3})")
_TUNNEL_ABORTED: Final = "Proxy CONNECT aborted"
# RFC 1928: general failure, which some give for a name that does not resolve; network,
# host unreachable, connection refused, time to live expired.
_SOCKS_BEYOND: Final = re.compile(r"SOCKS5 connection to .*\([13-6]\)")


class CurlClient:
    """Asks through one proxy, or directly to checked addresses.

    Holds one session per event loop, made on first use and closed by `aclose` in that
    loop, and another for requests with a `trace`. Without *proxy* every host is
    resolved by *addresses* and pinned. The environment's proxy and CA variables have no
    effect. Cookies are kept in *cookies* if that is given, else with the session.

    Raises:
        InputError: *proxy* or *ca_file* cannot be used.
    """

    def __init__(
        self,
        *,
        proxy: str | None = None,
        ca_file: Path | None = None,
        profile: ClientProfile = USUAL_PROFILE,
        max_clients: int = 20,
        addresses: PublicAddresses | None = None,
        cookies: CookieJar | None = None,
    ) -> None:
        self._proxy, self._credentials = split_proxy(proxy)
        self._ca_file = trusted(ca_file)
        self._profile = profile
        self._max_clients = max_clients
        self._addresses = addresses or PublicAddresses()
        self._cookies = cookies
        self._pins: list[str] = []
        self._sessions: dict[
            tuple[asyncio.AbstractEventLoop, bool], AsyncSession[Response]
        ] = {}

    async def get(self, request: Request) -> Fetched:
        """Return the raw answer, of any status; never follows a redirect.

        Raises:
            DeadlineError: not complete after `timeout_s`.
            BodyLimitError: more than `max_bytes` after decoding.
            HostRefusedError: without a proxy, the host has an address not public.
            NoWayError: without a proxy, its name does not resolve, or no network leads
                to any of its addresses.
            ProxyError: the proxy could not be used.
            TransientError: anything else that went wrong on the wire.
        """
        pinned = None
        try:
            async with asyncio.timeout(request.timeout_s + _BACKSTOP_S):
                pinned = await self._pin(request.url)
                tell(
                    request,
                    WireStep.NAME,
                    is_proxied=bool(self._proxy),
                    addresses=len(pinned or ()),
                )
                answer, body = await self._send(request, pinned=pinned)
        except TimeoutError as error:
            if pinned is None and self._proxy is None:
                raise no_way_to(request, "its name does not resolve in time") from error
            raise too_late(request) from error
        check_peer(answer.primary_ip, pinned=pinned, url=request.url)
        headers = bounded(answer.headers.items())
        return Fetched(
            url=request.url,
            status=answer.status_code,
            headers=headers,
            body=body,
            is_framed=_is_framed(answer, headers=headers, body=body),
        )

    async def connects(self, url: str, *, timeout_s: float) -> bool:
        """Return whether a TLS connection to the host of *url* comes about.

        Nothing is asked over it; a proxy that gets it through to there works.
        """
        options = self._options() | {CurlOpt.CONNECT_ONLY: 1}
        try:
            async with asyncio.timeout(timeout_s + _BACKSTOP_S):
                await self._pin(url)
                async with self._new_session(options) as session:
                    await session.get(url, timeout=timeout_s, allow_redirects=False)
        except (CurlError, FetchError, TimeoutError) as error:
            logger.debug("no connection to %s: %s", url, error)
            return False
        return True

    async def aclose(self) -> None:
        """Close the running loop's sessions; a later `get` opens new ones."""
        loop = asyncio.get_running_loop()
        for key in [key for key in self._sessions if key[0] is loop]:
            await self._sessions.pop(key).close()

    async def _send(
        self, request: Request, *, pinned: tuple[str, ...] | None
    ) -> tuple[Response, bytes]:
        body = _Body(request.max_bytes)
        session = self._session(is_traced=request.trace is not None)
        try:
            answer = await session.request(
                request.method,  # type: ignore[arg-type]  # any method is sent as it is
                request.url,
                headers=self._profile.with_own(
                    {**request.headers, **request.secret_headers}
                ),
                data=request.body or None,
                timeout=request.timeout_s,
                allow_redirects=False,
                content_callback=body,
            )
        # The border to curl_cffi, which lets bare ValueErrors of malformed answers out.
        except Exception as error:
            if pinned and _found_no_way(error) and not any(map(has_route, pinned)):
                raise no_way_to(request, "no network leads there") from error
            raise self._translated(error, request=request, body=body) from error
        if isinstance(answer, TracedResponse) and answer.certificate:
            tell(
                request,
                WireStep.TLS,
                is_proxied=bool(self._proxy),
                certificate=answer.certificate,
            )
        return answer, body.value()

    async def _pin(self, url: str) -> tuple[str, ...] | None:
        """Make libcurl connect to checked addresses only; None behind a proxy."""
        if self._proxy is not None:
            return None
        parts = urlsplit(url)
        host = parts.hostname or ""
        addresses = await self._addresses.of(host, url=url)
        joined = ",".join(f"[{a}]" if ":" in a else a for a in addresses)
        pin = f"{host}:{parts.port or 443}:{joined}"
        if pin not in self._pins:
            self._pins.append(pin)
        return addresses

    def _session(self, *, is_traced: bool) -> AsyncSession[Response]:
        key = (asyncio.get_running_loop(), is_traced)
        if key not in self._sessions:
            for ended in [known for known in self._sessions if known[0].is_closed()]:
                del self._sessions[ended]
            options = self._options() | ({CurlOpt.CERTINFO: 1} if is_traced else {})
            kind = TracedResponse if is_traced else Response
            self._sessions[key] = self._new_session(options, kind=kind)
        return self._sessions[key]

    def _new_session(
        self, options: dict[CurlOpt, object], *, kind: type[Response] = Response
    ) -> AsyncSession[Response]:
        return AsyncSession(
            response_class=kind,
            impersonate=self._profile.impersonate,
            max_clients=self._max_clients,
            cookies=self._cookies,  # the jar itself, not a copy
            proxy=self._proxy,
            proxy_auth=self._credentials,
            verify=self._ca_file,  # type: ignore[arg-type]  # a path is documented
            trust_env=False,
            curl_options=options,
        )

    def _options(self) -> dict[CurlOpt, object]:
        options: dict[CurlOpt, object] = {
            CurlOpt.LOW_SPEED_LIMIT: _LOW_SPEED_BYTES_S,
            CurlOpt.LOW_SPEED_TIME: _LOW_SPEED_S,
            CurlOpt.PROTOCOLS_STR: "https",
            CurlOpt.NOPROXY: "",  # else libcurl reads no_proxy and goes round the proxy
        }
        if self._proxy is None:
            options[CurlOpt.PROXY] = ""  # else libcurl reads https_proxy
            options[CurlOpt.RESOLVE] = self._pins  # one list: it grows with new hosts
        return options

    def _translated(
        self, error: Exception, *, request: Request, body: "_Body"
    ) -> FetchError:
        if body.overflowed:
            return BodyLimitError(
                f"the body is larger than {request.max_bytes} bytes", url=request.url
            )
        code = getattr(error, "code", 0)
        if code == CurlECode.OPERATION_TIMEDOUT:
            return too_late(request)
        if self._proxy and (fault := _proxy_fault(code, str(error), url=request.url)):
            return fault
        known = {int(member): reason for member, reason in _REASONS.items()}
        if code in _OF_TLS:
            tell(request, WireStep.TLS, is_proxied=bool(self._proxy), fault=known[code])
        told = f"{known.get(code, 'the answer is malformed')} (curl {code})"
        return TransientError(told, url=request.url)


class _Body:
    """Collects a body up to a limit.

    `MAXFILESIZE` would do the same, but curl_cffi sets options per session only and
    the limit is the request's. Like it, this counts decoded bytes.
    """

    def __init__(self, limit: int) -> None:
        self.overflowed = False
        self._limit = limit
        self._buffer = io.BytesIO()

    def __call__(self, chunk: bytes) -> int:
        if self._buffer.tell() + len(chunk) > self._limit:
            self.overflowed = True
            return CURL_WRITEFUNC_ERROR
        return self._buffer.write(chunk)

    def value(self) -> bytes:
        return self._buffer.getvalue()


def _is_framed(answer: Response, *, headers: dict[str, str], body: bytes) -> bool:
    """Whether the answer may be all there is; False if it ended within its header.

    libcurl takes an HTTP/1 header that breaks off for a whole one, without a body: only
    what such an answer lacks tells.
    """
    is_plain = answer.http_version in {CurlHttpVersion.V1_0, CurlHttpVersion.V1_1}
    return bool(body) or not is_plain or bool(headers.keys() & _FRAMING)


def check_peer(peer: str, *, pinned: tuple[str, ...] | None, url: str) -> None:
    """Raise `HostRefusedError` if a direct answer came from an address not pinned."""
    if pinned is not None and peer not in pinned:
        raise HostRefusedError(
            f"the answer came from {peer}, which was not checked", url=url
        )


def _proxy_fault(code: int, text: str, *, url: str) -> ProxyError | None:
    """Return the fault of the proxy, if it was one; *text* is libcurl's own."""
    if refused := _TUNNEL_REFUSED.search(text):
        told = f"proxy: refused the tunnel with status {refused[1]}"
        return ProxyError(told, url=url, certain=not refused[1].startswith("5"))
    if _TUNNEL_ABORTED in text:
        return ProxyError("proxy: broke off the handshake", url=url)
    if code in _PROXY_REASONS:
        told = _PROXY_REASONS[CurlECode(code)]
        return ProxyError(told, url=url, certain=not _SOCKS_BEYOND.search(text))
    return None


def _found_no_way(error: Exception) -> bool:
    return getattr(error, "code", 0) == CurlECode.COULDNT_CONNECT
