"""What the URL of a proxy must be like. What is done with one is not told here."""

from contextlib import suppress
from typing import Final
from urllib.parse import SplitResult, urlsplit

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
