"""What the URL of a service of ours must be like: the key must not go in the clear."""

import ipaddress
from contextlib import suppress
from typing import Final
from urllib.parse import urlsplit

HOW: Final = (
    "https://HOST[:PORT] without a path, or http://127.0.0.1:PORT for a service on "
    "this machine"
)
"""What to give, for a message."""


def server_url(url: str) -> str | None:
    """Return the URL of a service without a slash at its end; None if it will not do.

    Plain HTTP is for this machine alone. The service has no path, so one is refused
    rather than asked in vain.
    """
    with suppress(ValueError):  # a port that is none
        parts = urlsplit(url.strip())
        more = (parts.path.strip("/"), parts.query, parts.fragment)
        is_bare = not (any(more) or "@" in parts.netloc)
        if parts.hostname and parts.port != 0 and is_bare:
            secure = parts.scheme == "https"
            if secure or (parts.scheme == "http" and _is_here(parts.hostname)):
                return parts.geturl().rstrip("/")
    return None


def _is_here(host: str) -> bool:
    if host == "localhost":
        return True
    with suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return False
