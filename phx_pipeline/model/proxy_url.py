"""What the URL of a proxy must be like. What is done with one is not told here."""

from contextlib import suppress
from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit

from phx_pipeline.errors import InputError

SCHEMES: Final = frozenset({"http", "https", "socks5", "socks5h"})
HOW: Final = (
    f"SCHEME://[USER:PASSWORD@]HOST:PORT, SCHEME one of {', '.join(sorted(SCHEMES))}"
)
"""What to give, for a message."""


def proxy_parts(url: str) -> SplitResult | None:
    """Return the parts of a proxy's URL; None if nobody could use it."""
    with suppress(ValueError):  # its text would repeat a password
        parts = urlsplit(url)
        whole = parts.path in {"", "/"} and not (parts.query or parts.fragment)
        if parts.scheme in SCHEMES and parts.hostname and parts.port and whole:
            return parts
    return None


def split_proxy(proxy: str | None) -> tuple[str | None, tuple[str, str] | None]:
    """Part the credentials from a proxy URL: libcurl repeats the URL in its messages.

    Raises:
        InputError: the URL has no usable scheme, host or port.
    """
    if proxy is None:
        return None, None
    if (parts := proxy_parts(proxy)) is None:
        raise InputError(f"the proxy must be {HOW}")
    bare = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
    if parts.username is None:
        return bare, None
    return bare, (unquote(parts.username), unquote(parts.password or ""))
