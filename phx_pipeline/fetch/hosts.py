"""Which addresses a source may be asked at: names before, IP addresses at, the connect.

The name check holds in every mode. The address check holds only without a proxy, since
a proxy resolves names out of our sight.
"""

import asyncio
import errno
import ipaddress
import re
import socket
from collections.abc import Awaitable, Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, urlsplit

from phx_pipeline.errors import HostRefusedError, InputError, NoWayError
from phx_pipeline.fetch.base import Fetched, Fetcher, Request
from phx_pipeline.model.no_way import no_way
from phx_pipeline.model.printable import printable
from phx_pipeline.model.source import Source

Resolve = Callable[[str], Awaitable[Sequence[str]]]
"""Host name in, every address of it out; `OSError` when there is none."""

_IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

# Parsers disagree about these characters, and a disagreement is a way round the list.
_AMBIGUOUS = re.compile(r"[\x00-\x20\x7f\\]")
_LABEL = r"[A-Za-z0-9-]{1,63}"
_PLAIN_NAME = re.compile(rf"(?!-){_LABEL}(?:\.{_LABEL})*(?<!-)")
_LONGEST_PLAIN = 253
# A last label of this form makes the whole name an IPv4 address to WHATWG and to libc.
_NUMERIC_LABEL = re.compile(r"(?:[0-9]+|0[xX][0-9A-Fa-f]*)")

_LONGEST_NAME = 100  # of a host, as told
_LOCALHOST = "localhost"
_NAMED = (
    "; HOST has to be a name, not an IP address: the certificate is checked by it, and "
    "PHX_WEBHOOK_ADDRESS holds the address of a private one"
)
_PORTS = {"https": 443, "http": 80}
_NO_ROUTE = frozenset(
    {
        *(errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN),
        *(errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT),  # no address of ours to ask from
    }
)

_NAT64 = ipaddress.ip_network("64:ff9b::/96")
# What `is_global` of Python 3.11 lets through although no public site lives there.
_NOT_PUBLIC = tuple(
    ipaddress.ip_network(network)
    for network in (
        "192.0.0.0/24",  # protocol assignments
        "192.88.99.0/24",  # 6to4 relays
        "3fff::/20",  # documentation
        "fec0::/10",  # site-local
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """A server that the user configured; only its very scheme, host and port count."""

    scheme: str
    host: str
    port: int

    @classmethod
    def of(cls, url: str, *, setting: str) -> "Endpoint":
        """Read the value of *setting*.

        Raises:
            InputError: it is no https URL, nor one of this machine; its text does not
                repeat the URL, which may hold a secret.
        """
        try:
            parts = urlsplit(url)
            host, port = parts.hostname or "", parts.port or _PORTS.get(parts.scheme)
        except ValueError:
            host, port = "", None
        else:
            found = cls(scheme=parts.scheme, host=host, port=port or 0)
            is_named = parts.scheme == "https" and not _is_numeric(host)
            fits = port and (is_named or (found.is_here and parts.scheme in _PORTS))
            if host and fits and not _is_ambiguous(url, parts):
                return found
        raise InputError(
            f"{setting} must be https://HOST[:PORT]/..., or for a server on this "
            f"machine http://127.0.0.1:PORT/...{_NAMED if _is_numeric(host) else ''}"
        )

    @property
    def is_here(self) -> bool:
        """Whether it is on this machine by its very name."""
        return self.host == _LOCALHOST or is_loopback(self.host)

    def holds(self, parts: SplitResult) -> bool:
        """Whether a URL is of this server."""
        port = parts.port or _PORTS.get(parts.scheme)
        return (parts.scheme, parts.hostname, port) == (
            self.scheme,
            self.host,
            self.port,
        )


class AllowList:
    """Names a source may be asked at: each entry allows itself and its subdomains.

    Args:
        allowed: of each source.
        endpoints: of each policy group that is no source's, what the user configured.
    """

    def __init__(
        self,
        allowed: Mapping[Source, Sequence[str]],
        *,
        endpoints: Mapping[str, Sequence[Endpoint]] | None = None,
    ) -> None:
        self._allowed = {
            source: tuple(entry.lower() for entry in entries)
            for source, entries in allowed.items()
        }
        self._endpoints = endpoints or {}

    def check(self, url: str, *, source: Source, group: str = "") -> None:
        """Raise `HostRefusedError` unless *url* is listed.

        It must be of an endpoint of *group*, if that has any, else a plain https URL of
        *source*.
        """
        try:
            parts = urlsplit(url)
            host = parts.hostname or ""
            reason = self._reason(url, parts, source=source, group=group)
        except ValueError as error:
            told = printable(f"refused an address: {error}")
            raise HostRefusedError(told, url=url) from error
        if reason:
            told = f"refused host {host[:_LONGEST_NAME]!r}: {reason}"
            raise HostRefusedError(told, url=url)

    def _reason(
        self, url: str, parts: SplitResult, *, source: Source, group: str
    ) -> str | None:
        if (endpoints := self._endpoints.get(group)) is None:
            host = parts.hostname or ""
            return _malformed(url, parts) or self._unlisted(host, source=source)
        if _is_ambiguous(url, parts) or not any(e.holds(parts) for e in endpoints):
            return f"not an address configured for {group}"
        return None

    def _unlisted(self, host: str, *, source: Source) -> str | None:
        entries = self._allowed.get(source, ())
        if is_listed(host, entries):
            return None
        return f"not on the list of {source}"


class HostGuard:
    """Refuses a request whose first address is not listed, before any other policy."""

    def __init__(self, inner: Fetcher, *, allow_list: AllowList) -> None:
        self._inner = inner
        self._allow_list = allow_list

    async def get(self, request: Request) -> Fetched:
        """Check the name, then pass the request on."""
        self._allow_list.check(request.url, source=request.source, group=request.group)
        return await self._inner.get(request)

    async def aclose(self) -> None:
        """Close what is inside."""
        await self._inner.aclose()


class PublicAddresses:
    """Resolves a host once and answers only if all of its addresses are public.

    The first answer is kept for the life of the object, so a name cannot be rebound
    between the check and the connect. *also* lists addresses accepted although they
    are not public; it is for stand-ins on loopback and empty in production.
    *configured* lists the hosts that may be on this machine.
    """

    def __init__(
        self,
        resolve: Resolve | None = None,
        *,
        also: frozenset[str] = frozenset(),
        configured: Container[str] = frozenset(),
    ) -> None:
        self._resolve = resolve or system_resolve
        self._also = also
        self._configured = configured
        self._pinned: dict[str, tuple[str, ...]] = {}

    async def of(self, host: str, *, url: str) -> tuple[str, ...]:
        """Return the addresses to connect to.

        Raises:
            HostRefusedError: at least one address is not public.
            NoWayError: the name does not resolve.
        """
        if (known := self._pinned.get(host)) is not None:
            return known
        found = await self._look_up(host, url=url)
        for address in found:
            is_own = host in self._configured and is_loopback(address)
            if not (is_own or address in self._also or is_public(address)):
                raise HostRefusedError(
                    f"refused host {host!r}: its address {address} is not public",
                    url=url,
                )
        return self._pinned.setdefault(host, found)

    async def _look_up(self, host: str, *, url: str) -> tuple[str, ...]:
        try:
            found = tuple(await self._resolve(host))
        except OSError as error:
            told = no_way(f"cannot resolve {host}: {_why(error)}")
            raise NoWayError(printable(told), url=url) from error
        if not found:
            told = no_way(f"cannot resolve {host}: no address")
            raise NoWayError(printable(told), url=url)
        return found


_UNRESOLVED: Final[Mapping[int, str]] = {
    socket.EAI_NONAME: "no name server knows it",
    socket.EAI_AGAIN: "no name server answers",
    socket.EAI_FAIL: "the name server failed",
}


def _why(error: OSError) -> str:
    """Why a name was not resolved, for people; the system says it to programs."""
    return _UNRESOLVED.get(error.errno or 0) or error.strerror or str(error)


async def system_resolve(host: str) -> Sequence[str]:
    """Ask the operating system for every address of *host*."""
    found = await asyncio.get_running_loop().getaddrinfo(
        host, 443, type=socket.SOCK_STREAM
    )
    return tuple(dict.fromkeys(str(entry[4][0]) for entry in found))


def has_route(address: str) -> bool:
    """Return whether a network leads to *address*; nothing is sent to learn it."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((address, 443))
    except OSError as error:
        return error.errno not in _NO_ROUTE
    return True


def is_plain_name(host: str) -> bool:
    """Return whether every parser reads *host* as the same host name.

    No address in any spelling, no empty or over-long label, no dot at the end.
    """
    is_name = len(host) <= _LONGEST_PLAIN and _PLAIN_NAME.fullmatch(host)
    return bool(is_name) and not _is_numeric(host)


def is_listed(host: str, entries: Iterable[str]) -> bool:
    """Return whether *host* is one of *entries* or a subdomain; all in lower case."""
    return any(host == entry or host.endswith(f".{entry}") for entry in entries)


def is_public(text: str) -> bool:
    """Return whether *text* is an address a public site can have.

    Addresses that carry an IPv4 address inside are judged by that one.
    """
    try:
        address = _carried(ipaddress.ip_address(text))
    except ValueError:
        return False
    return (
        address.is_global
        and not address.is_multicast
        and not address.is_reserved
        and not any(address in network for network in _NOT_PUBLIC)
    )


def is_loopback(text: str) -> bool:
    """Return whether *text* is an address of this machine."""
    try:
        return ipaddress.ip_address(text).is_loopback
    except ValueError:
        return False


def _carried(address: _IPAddress) -> _IPAddress:
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour or address


def _malformed(url: str, parts: SplitResult) -> str | None:
    """Return what makes *url* unfit whatever host it names, if anything does."""
    host = parts.hostname or ""
    if _AMBIGUOUS.search(url):
        return "a space, backslash or control character in the URL"
    if parts.scheme != "https":
        return f"scheme {parts.scheme[:20]!r} is not https"
    if "@" in parts.netloc:
        return "user information in the URL"
    if _is_numeric(host):
        return "an IP address instead of a name"
    if not is_plain_name(parts.netloc.removesuffix(":443")):
        return "not a plain name on the default port"
    return None


def _is_ambiguous(url: str, parts: SplitResult) -> bool:
    """Whether two parsers might read different hosts in *url*."""
    return bool(_AMBIGUOUS.search(url)) or "@" in parts.netloc


def _is_numeric(host: str) -> bool:
    """Whether some parser would read *host* as an IP address."""
    last = host.rstrip(".").rpartition(".")[2]
    return ":" in host or bool(_NUMERIC_LABEL.fullmatch(last))
