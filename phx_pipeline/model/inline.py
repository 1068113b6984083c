"""Pictures that come inside an answer: how their photos are addressed.

There is nothing to ask for: the address is that of the answer's page, and its fragment
names the bytes, which are stored before the photo is known.
"""

import re
from typing import Final

MOST_PICTURES: Final = 100
LARGEST_BYTES: Final = 25_000_000

_NAMED = re.compile(r"[^#]*#sha256=(?P<sha256>[0-9a-f]{64})")


def inline_url(page_url: str, sha256: str) -> str:
    """Return the address of a picture that came inside the answer of *page_url*."""
    return f"{page_url.partition('#')[0]}#sha256={sha256}"


def inline_sha256(url: str) -> str | None:
    """Return the SHA-256 of the bytes that *url* names; None if it names none."""
    found = _NAMED.fullmatch(url)
    return found["sha256"] if found else None
