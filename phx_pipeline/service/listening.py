"""Sockets and certificates, opened before the server starts: one line tells why not."""

import socket
import ssl
from ipaddress import ip_address
from pathlib import Path
from typing import TypedDict

from phx_pipeline.errors import InputError

_LOOPBACK = "127.0.0.1"
_WAITING = 2048  # connections that nobody has taken yet


class TlsFiles(TypedDict, total=False):
    """The files as uvicorn wants them; none without TLS."""

    ssl_certfile: str
    ssl_keyfile: str


def listening_sockets(host: str, *, port: int) -> list[socket.socket]:
    """Listen on *port* of *host*, and of loopback: commands of this computer ask there.

    Raises:
        InputError: an address is not one of this computer, or taken.
    """
    is_enough = host == _LOOPBACK or ip_address(host).is_unspecified
    hosts = [host] if is_enough else [host, _LOOPBACK]
    return [_listening(each, port=port) for each in hosts]


def tls_files(cert: Path | None, key: Path | None) -> TlsFiles:
    """Return what the server is given for TLS.

    Raises:
        InputError: the files are no certificate with its key, or need a password.
    """
    if cert is None or key is None:
        return {}
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(cert, key, password=lambda: "")
    except (OSError, ssl.SSLError) as error:
        raise InputError(
            f"PHX_TLS_CERT={cert} and PHX_TLS_KEY={key} cannot be used ({error}): give "
            "a certificate and its private key, both PEM, the key without a password"
        ) from error
    return {"ssl_certfile": str(cert), "ssl_keyfile": str(key)}


def _listening(host: str, *, port: int) -> socket.socket:
    is_ipv6 = ip_address(host).version == 6  # noqa: PLR2004 - of the Internet Protocol
    found = socket.socket(socket.AF_INET6 if is_ipv6 else socket.AF_INET)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if is_ipv6:
        found.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    try:
        found.bind((host, port))
    except OSError as error:
        found.close()
        raise InputError(
            f"port {port} of {host} cannot be used ({error.strerror}): set PHX_HOST to "
            "an address of this computer, or choose another port"
        ) from error
    found.listen(_WAITING)
    return found
