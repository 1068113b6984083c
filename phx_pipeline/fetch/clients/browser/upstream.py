"""The ways from the gate to a site: directly, or through the user's proxy.

A way is opened to port 443 of a host that was checked before, and ends there: TLS with
the site is not made here. Whose fault a failure is, and its words, are those of
`fetch.clients.curl`, so that all clients tell the same.
"""

import asyncio
import base64
import contextlib
import re
import socket
import ssl
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Final, Protocol
from urllib.parse import urlsplit

from phx_pipeline.errors import (
    DeadlineError,
    InputError,
    NoWayError,
    ProxyError,
    TransientError,
)
from phx_pipeline.fetch.clients.browser.line import Line, open_line, over_tls
from phx_pipeline.fetch.clients.wire import trusted
from phx_pipeline.fetch.hosts import PublicAddresses, has_route
from phx_pipeline.model.no_way import no_way
from phx_pipeline.model.printable import printable
from phx_pipeline.model.proxy_url import split_proxy

HTTPS_PORT: Final = 443

_RESOLVE_S: Final = 10.0
_CONNECT_S: Final = 10.0  # of all addresses of a host, or of the proxy
_ADDRESS_S: Final = 2.0  # of one address while others are left
_TUNNEL_S: Final = 15.0

_STATUS: Final = re.compile(rb"HTTP/1\.[01] (\d{3})\b")

# RFC 1928 and 1929
_SOCKS: Final = 5
_NO_LOGIN: Final = 0
_LOGIN: Final = 2
_LONGEST_LOGIN: Final = 255
_BEYOND: Final = {
    1: "did not get through to the host",  # some mean by it an unknown name
    3: "no network of its leads to the host",
    4: "the host cannot be reached",
    5: "the host refused the connection",
    6: "the host did not answer in time",
}
_ADDRESS_BYTES: Final = {1: 4, 4: 16}


class Way(Protocol):
    """How a connection to a site comes about."""

    async def open(self, host: str) -> Line:
        """Return a connection to port 443 of *host*.

        Raises:
            HostRefusedError: without a proxy, the host has an address not public.
            NoWayError: without a proxy, it does not resolve, or no network leads there.
            ProxyError: the proxy gave no tunnel.
            TransientError: without a proxy, the host took no connection.
        """
        ...


def way_through(
    proxy: str | None, *, ca_file: Path | None, addresses: PublicAddresses | None
) -> Way:
    """Return the way through *proxy*, or the direct one to checked addresses.

    A proxy always resolves the names itself, `socks5://` or `socks5h://`.

    Raises:
        InputError: *proxy* or *ca_file* cannot be used.
    """
    place, credentials = split_proxy(proxy)
    if place is None:
        return Direct(addresses or PublicAddresses())
    parts = urlsplit(place)
    ask = (
        _Socks(credentials)
        if parts.scheme.startswith("socks")
        else _Connect(credentials)
    )
    trust = None
    if parts.scheme == "https":
        trust = ssl.create_default_context(cafile=trusted(ca_file))
    return Proxied(parts.hostname or "", parts.port or 0, ask=ask, trust=trust)


class Direct:
    """Connects to the addresses that were checked, one after the other.

    The one that answered is tried first the next time: where IPv6 leads nowhere, only
    the first connection to a host waits for that.
    """

    def __init__(self, addresses: PublicAddresses) -> None:
        self._addresses = addresses
        self._good: dict[str, str] = {}

    async def open(self, host: str) -> Line:
        """Return a connection to *host*; the errors are those of `Way`."""
        pinned = await self._pinned(host)
        try:
            async with asyncio.timeout(_CONNECT_S):
                return await self._first_of(pinned, host)
        except TimeoutError as error:
            told = f"{host} took no connection within {_CONNECT_S:g} s"
            raise DeadlineError(told, url=url_of(host)) from error
        except OSError as error:
            if not any(map(has_route, pinned)):
                told = no_way(f"{host}: no network leads there")
                raise NoWayError(told, url=url_of(host)) from error
            told = "the connection was refused"
            raise TransientError(told, url=url_of(host)) from error

    async def _first_of(self, pinned: Sequence[str], host: str) -> Line:
        good = self._good.get(host)
        *others, last = sorted(pinned, key=lambda address: address != good)
        for address in others:
            with contextlib.suppress(OSError):
                async with asyncio.timeout(_ADDRESS_S):
                    line = await open_line(address, HTTPS_PORT)
                self._good[host] = address
                return line
        line = await open_line(last, HTTPS_PORT)
        self._good[host] = last
        return line

    async def _pinned(self, host: str) -> Sequence[str]:
        try:
            async with asyncio.timeout(_RESOLVE_S):
                return await self._addresses.of(host, url=url_of(host))
        except TimeoutError as error:
            told = no_way(f"{host}: its name does not resolve in time")
            raise NoWayError(told, url=url_of(host)) from error


class _Ask(Protocol):
    async def __call__(self, line: Line, host: str) -> None:
        """Ask the proxy at the end of *line* for a tunnel to *host*."""
        ...


class Proxied:
    """Asks a proxy for a tunnel.

    Args:
        host: of the proxy.
        port: of the proxy.
        ask: its protocol.
        trust: of TLS with the proxy itself, if it wants that.
    """

    def __init__(
        self, host: str, port: int, *, ask: _Ask, trust: ssl.SSLContext | None
    ) -> None:
        self._host = host
        self._port = port
        self._ask = ask
        self._trust = trust

    async def open(self, host: str) -> Line:
        """Return a tunnel to *host*; the errors are those of `Way`."""
        line = await self._reached(host)
        try:
            async with _blamed(host), asyncio.timeout(_TUNNEL_S):
                await self._ask(line, host)
        except BaseException:
            line.cut()
            raise
        return line

    async def _reached(self, host: str) -> Line:
        try:
            async with asyncio.timeout(_CONNECT_S):
                line = await open_line(self._host, self._port)
        except (socket.gaierror, UnicodeError) as error:  # the latter of empty labels
            told = "proxy: its name does not resolve"
            raise ProxyError(told, url=url_of(host)) from error
        except OSError as error:
            raise ProxyError("proxy: cannot be reached", url=url_of(host)) from error
        if self._trust is None:
            return line
        try:
            return await over_tls(line, self._trust, server_name=self._host)
        except OSError as error:
            told = "proxy: the TLS handshake failed"
            raise ProxyError(told, url=url_of(host)) from error


@contextlib.asynccontextmanager
async def _blamed(host: str) -> AsyncIterator[None]:
    """Turn what goes wrong while a proxy makes a tunnel into its fault.

    A proxy that stays silent may be waiting for the site, and a reset be the site's.
    """
    try:
        yield
    except TimeoutError as error:
        told = f"proxy: made no tunnel within {_TUNNEL_S:g} s"
        raise ProxyError(told, url=url_of(host), certain=False) from error
    except (OSError, EOFError, asyncio.LimitOverrunError) as error:
        told, was_reset = "proxy: broke off the handshake", isinstance(error, OSError)
        raise ProxyError(told, url=url_of(host), certain=not was_reset) from error


class _Connect:
    """HTTP's way to ask for a tunnel (RFC 9110, 9.3.6)."""

    def __init__(self, credentials: tuple[str, str] | None) -> None:
        self._login = ""
        if credentials is not None:
            basic = base64.b64encode(":".join(credentials).encode()).decode("ascii")
            self._login = f"Proxy-Authorization: Basic {basic}\r\n"

    async def __call__(self, line: Line, host: str) -> None:
        target = f"{host}:{HTTPS_PORT}"
        head = f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n{self._login}\r\n"
        line.writer.write(head.encode("ascii"))
        answer = await line.reader.readuntil(b"\r\n\r\n")
        if not (found := _STATUS.match(answer)):
            told = "proxy: its answer is not HTTP"
            raise ProxyError(told, url=url_of(host), certain=False)
        status = found[1].decode("ascii")
        if not status.startswith("2"):
            told = f"proxy: refused the tunnel with status {status}"
            certain = not status.startswith("5")
            raise ProxyError(told, url=url_of(host), certain=certain)


class _Socks:
    """SOCKS 5 (RFC 1928), with a user and a password (RFC 1929) if there are any."""

    def __init__(self, credentials: tuple[str, str] | None) -> None:
        self._login = [part.encode() for part in credentials or ()]
        if any(not 0 < len(part) <= _LONGEST_LOGIN for part in self._login):
            raise InputError(
                "the user and the password of a SOCKS proxy must each have between 1 "
                f"and {_LONGEST_LOGIN} bytes"
            )

    async def __call__(self, line: Line, host: str) -> None:
        offered = bytes([_NO_LOGIN, _LOGIN] if self._login else [_NO_LOGIN])
        line.writer.write(bytes([_SOCKS, len(offered)]) + offered)
        version, chosen = await line.reader.readexactly(2)
        if version != _SOCKS:
            raise ProxyError("proxy: its answer is not SOCKS 5", url=url_of(host))
        if chosen not in offered:
            raise ProxyError("proxy: wants credentials", url=url_of(host))
        if chosen == _LOGIN:
            await self._log_in(line, host)
        await self._connect(line, host)

    async def _log_in(self, line: Line, host: str) -> None:
        told = b"".join(bytes([len(part)]) + part for part in self._login)
        line.writer.write(b"\x01" + told)
        if (await line.reader.readexactly(2))[1]:
            raise ProxyError("proxy: refused the credentials", url=url_of(host))

    async def _connect(self, line: Line, host: str) -> None:
        name, port = host.encode("ascii"), HTTPS_PORT.to_bytes(2, "big")
        line.writer.write(b"\x05\x01\x00\x03" + bytes([len(name)]) + name + port)
        _, reply, _, kind = await line.reader.readexactly(4)
        if reply:
            why = _BEYOND.get(reply, f"refused the tunnel with reply {reply}")
            certain = reply not in _BEYOND
            raise ProxyError(f"proxy: {why}", url=url_of(host), certain=certain)
        length = _ADDRESS_BYTES.get(kind) or (await line.reader.readexactly(1))[0]
        await line.reader.readexactly(length + 2)


def url_of(host: str) -> str:
    """Return the address that errors about *host* name."""
    return printable(f"https://{host}/")
