"""Where a web service is: addresses and public URLs as people write them."""

from ipaddress import ip_address
from urllib.parse import urlsplit

_HOST_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789.-")


def plain_ip(text: str) -> str | None:
    """An address of IPv4 or IPv6 in its shortest form; None if *text* is none."""
    try:
        return str(ip_address(text.strip().strip("[]")))
    except ValueError:
        return None


def public_origin(text: str) -> str | None:
    """A URL without path that people may open, in lower case; None if it is none.

    `http` is for names of the own computer alone, as behind an SSH tunnel.
    """
    try:
        parts = urlsplit(text.strip().lower())
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return None
    has_more = parts.path.strip("/") or parts.query or parts.fragment or "@" in text
    is_name = bool(host) and set(host) <= _HOST_LETTERS
    is_known = parts.scheme == "https" or (
        parts.scheme == "http" and is_this_machine(host)
    )
    if has_more or not is_known or not (is_name or plain_ip(host)):
        return None
    named = host if is_name else f"[{host}]"
    return f"{parts.scheme}://{named}" + (f":{port}" if port else "")


def is_this_machine(host: str) -> bool:
    """Whether *host* is this computer by its very name."""
    address = plain_ip(host)
    return host == "localhost" or (bool(address) and ip_address(host).is_loopback)
