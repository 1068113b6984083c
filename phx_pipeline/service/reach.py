"""Under which names the service is reached, from where, and how safely."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import urlsplit

from phx_pipeline.errors import InputError
from phx_pipeline.service.asgi import Asked

_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
_DEFAULT_PORTS = {"http": 80, "https": 443}
_FORWARDED = ("x-forwarded-for", "x-forwarded-proto", "forwarded")
_TUNNEL = "or leave PHX_HOST on 127.0.0.1 and reach it through an SSH tunnel"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """Where the service listens, and who stands between it and browsers.

    Attributes:
        host: The address that is listened on.
        port: The port.
        has_tls: The service itself speaks TLS.
        public_url: The address that people open, without a path; None: the host's own.
        trusted_proxy: The address whose word counts on where a request came from.
    """

    host: str = "127.0.0.1"
    port: int
    has_tls: bool = False
    public_url: str | None = None
    trusted_proxy: str | None = None
    origins: Mapping[str, str] = field(init=False)
    """By what `Host` may say: the origin that pages opened under it have."""

    def __post_init__(self) -> None:
        """Work out the names."""
        object.__setattr__(self, "origins", self._origins())

    @property
    def scheme(self) -> str:
        """What the service itself speaks."""
        return "https" if self.has_tls else "http"

    @property
    def url(self) -> str:
        """What people open."""
        return self.public_url or f"{self.scheme}://{_named(self.host)}:{self.port}"

    @property
    def is_beyond_loopback(self) -> bool:
        """Whether others than the people of this computer may get here."""
        public = urlsplit(self.public_url or "").hostname
        is_known_here = public in {None, "localhost"} or is_loopback(str(public))
        is_here = is_loopback(self.host) and is_known_here
        return not is_here or self.trusted_proxy is not None

    def require_safe(self, *, has_key: Callable[[], bool]) -> None:
        """Raise `InputError`, with the remedy, unless it may be served like this."""
        if not self.is_beyond_loopback:
            return
        if not (self.has_tls or self.trusted_proxy):
            raise InputError(
                f"{self.url} would be served over plain HTTP beyond this computer: set "
                "PHX_TLS_CERT and PHX_TLS_KEY, or name the proxy that does TLS by "
                f"PHX_TRUSTED_PROXY, {_TUNNEL}"
            )
        if ip_address(self.host).is_unspecified and not self.public_url:
            raise InputError(
                f"PHX_HOST={self.host} has no name: set PHX_PUBLIC_URL to the address "
                "that people open, such as https://phx.example.com"
            )
        if not has_key():
            raise InputError(
                f"{self.url} would be open to everybody who reaches it: make a key "
                f"first, `phx keys add NAME --role admin`, {_TUNNEL}"
            )

    def is_secure(self, asked: Asked) -> bool:
        """Whether it came by TLS, here or up to the proxy."""
        is_told = asked.one("x-forwarded-proto") == "https"
        return self.has_tls or (self.is_relayed(asked) and is_told)

    def is_for_tls_alone(self, asked: Asked) -> bool:
        """Whether browsers may be told to ask this name by TLS alone from now on.

        That holds for all ports of a name, so never for that of this computer.
        """
        host, public = _host_of(asked), urlsplit(self.public_url or "").hostname
        is_public = host in self.origins and urlsplit(f"//{host}").hostname == public
        return is_public and public != "localhost" and self.is_secure(asked)

    def may_come(self, asked: Asked) -> bool:
        """Whether it came safely: by TLS, or from this computer and for it."""
        if self.is_secure(asked) or not self.is_beyond_loopback:
            return True
        is_direct = is_loopback(asked.peer) and not self.is_relayed(asked)
        return is_direct and not self._is_for_tls(asked)

    def address(self, asked: Asked) -> str:
        """Whose request it is: the last address that the proxy tells, else the peer."""
        told = [value for name, value in asked.fields if name == "x-forwarded-for"]
        if not (told and self.is_relayed(asked)):
            return plain_address(asked.peer)
        return plain_address(told[-1].rpartition(",")[2].strip()) or asked.peer

    def is_relayed(self, asked: Asked) -> bool:
        """Whether the trusted proxy passed it on."""
        is_proxy = plain_address(asked.peer) == self.trusted_proxy
        return is_proxy and any(name in _FORWARDED for name, _ in asked.fields)

    def _is_for_tls(self, asked: Asked) -> bool:
        """Whether it asks for the public name, so that a proxy must have sent it."""
        return self.origins.get(_host_of(asked), "").startswith("https://")

    def _origins(self) -> dict[str, str]:
        own = [_named(self.host)] if not ip_address(self.host).is_unspecified else []
        found = {
            netloc: _origin(self.scheme, host=host, port=self.port)
            for host in (*_LOOPBACK, *own)
            for netloc in _netlocs(self.scheme, host=host, port=self.port)
        }
        if self.public_url:
            parts = urlsplit(self.public_url)
            host, port = _named(parts.hostname or ""), parts.port
            for netloc in _netlocs(parts.scheme, host=host, port=port):
                found[netloc] = _origin(parts.scheme, host=host, port=port)
        return found


def _host_of(asked: Asked) -> str:
    return (asked.one("host") or "").lower()


def is_loopback(host: str) -> bool:
    """Whether *host* is an address that only this computer reaches."""
    found = _ip(host)
    return found is not None and found.is_loopback


def plain_address(text: str) -> str:
    """An address in its shortest form, IPv4 in IPv6 as IPv4; empty if it is none."""
    found = _ip(text)
    return str(found) if found is not None else ""


def _ip(text: str) -> IPv4Address | IPv6Address | None:
    try:
        found = ip_address(text)
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found


def _named(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _netlocs(scheme: str, *, host: str, port: int | None) -> list[str]:
    """What browsers and programs put into `Host`: the usual port may be left out."""
    usual = _DEFAULT_PORTS[scheme]
    named = f"{host}:{port or usual}"
    return [named, host] if port in {None, usual} else [named]


def _origin(scheme: str, *, host: str, port: int | None) -> str:
    is_usual = port in {None, _DEFAULT_PORTS[scheme]}
    return f"{scheme}://{host}" if is_usual else f"{scheme}://{host}:{port}"
