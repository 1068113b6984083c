"""Pages a source refused us with, or that have changed: the last few, for diagnosis.

Text files that nothing in the pipeline reads. What may name a person or open a door is
taken out before anything is written: addresses of machines and people, phone numbers,
tokens. Which parts of an answer name persons, its source tells.
"""

import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from ipaddress import ip_address
from pathlib import Path
from typing import Final

from phx_pipeline.errors import FetchError
from phx_pipeline.fetch.base import Fetched, Fetcher, Request
from phx_pipeline.fetch.page_parts import page_text
from phx_pipeline.model.listing import Listing
from phx_pipeline.model.outcome import ListingOutcome
from phx_pipeline.model.printable import printable, shown_only
from phx_pipeline.storage.atomic import write_atomically
from phx_pipeline.storage.layout import Layout

logger = logging.getLogger(__name__)

Scrub = Callable[[str], str]

KEPT_PAGES: Final = 20
MAX_BYTES: Final = 200_000

_TELLING = frozenset(
    {
        ListingOutcome.BLOCKED,
        ListingOutcome.RATE_LIMITED,
        ListingOutcome.PAGE_CHANGED,
    }
)
_READ = 2 * MAX_BYTES  # of a body; scrubbing makes it shorter
_LONGEST_URL = 4096
_LONGEST_DETAIL = 1000
_CUT_TAIL = 500  # what a cut may have left of a token
_GONE = "[removed]"

_EMAIL = re.compile(r"[\w.+-]{1,64}(?:@|%40|&#64;)[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")
_IPV4 = re.compile(r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w.]*\d)")
_IPV6 = re.compile(r"(?<![\w:.])(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4}(?![\w:])")
_PHONE = re.compile(
    r"tel:[+\d().\s-]{7,24}"
    r"|(?<![\w.-])(?:\+?1[-. ]?)?(?:\(\d{3}\) ?|\d{3}[-. ])\d{3}[-. ]\d{4}(?!\d)"
    r"|(?<!\w)\+\d{8,15}(?!\d)"
)
_TELLING_NAMES = (
    "token|csrf|xsrf|cookie|session|secret|passw|auth|api[-_]?key|signature|visitor"
    "|client-?ip|uuid|guid|phone|areacode|email|_px|ray-?id|nonce"
)
_SECRET = re.compile(
    rf"(?P<name>(?:{_TELLING_NAMES})[\w-]{{0,30}}"
    r"\\*[\"']?\s{0,3}[:=]\s{0,3}\\*[\"']?)(?P<value>[^\"'\\&;,\s<>{}\[\]()]{3,})",
    re.IGNORECASE,
)
_RUN = re.compile(r"[A-Za-z0-9+=_/-]{16,}")
_MIXED = re.compile(r"(?=[A-Za-z]*\d)(?=\d*[A-Za-z])[A-Za-z0-9+=]{10,}")
_UUID = re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenPage:
    """The last thing a source answered, whatever it was."""

    url: str
    status: int | None
    body: bytes


class LastAnswer:
    """A fetcher that remembers what came last, unless the question held a secret."""

    def __init__(self, inner: Fetcher) -> None:
        self._inner = inner
        self.page: SeenPage | None = None

    async def get(self, request: Request) -> Fetched:
        """Return the answer; the exceptions are those of `Fetcher.get`."""
        self.page = None
        try:
            answer = await self._inner.get(request)
        except FetchError as error:
            if error.body and not request.secret_headers:
                self.page = SeenPage(
                    url=error.url, status=error.status, body=error.body
                )
            raise
        if not request.secret_headers:
            self.page = SeenPage(url=answer.url, status=answer.status, body=answer.body)
        return answer

    async def aclose(self) -> None:
        """Close what is inside."""
        await self._inner.aclose()


def keep_page(
    layout: Layout,
    slug: str,
    listing: Listing,
    page: SeenPage | None,
    *,
    scrub: Scrub,
    at: datetime,
) -> Path | None:
    """Keep the page that made *listing* end as it did, if that is worth a look.

    Args:
        layout: where it goes: the folder of the listing's source.
        slug: the property asked for.
        listing: how the source ended.
        page: what it answered last.
        scrub: takes persons out of an answer of the source.
        at: now, for the file name.

    Returns:
        The file, or None if nothing was kept. A page kept before is not kept again.
    """
    if listing.outcome not in _TELLING or page is None or not page.body:
        return None
    text = _told(slug, listing, page) + _scrubbed_body(page.body, scrub)
    body = text.encode()[:MAX_BYTES]
    folder = layout.quarantined_pages(listing.source.value)
    digest = sha256(body).hexdigest()[:12]
    if any(folder.glob(f"*_{digest}.txt")):
        return None
    path = folder / f"{at:%Y%m%dT%H%M%S%fZ}_{digest}.txt"
    write_atomically(path, body, mode=0o600)
    logger.info("%s %s: kept the page as %s", slug, listing.source.value, path)
    for old in sorted(folder.glob("*.txt"), reverse=True)[KEPT_PAGES:]:
        old.unlink(missing_ok=True)
    return path


def scrubbed(text: str) -> str:
    """Return *text* without addresses of machines and people, phones and tokens."""
    text = _EMAIL.sub(_GONE, text)
    text = _SECRET.sub(rf"\g<name>{_GONE}", text)
    text = _PHONE.sub(_GONE, text)
    for addresses in (_IPV4, _IPV6):
        text = addresses.sub(_without_address, text)
    return _RUN.sub(_without_token, _UUID.sub(_GONE, text))


def _told(slug: str, listing: Listing, page: SeenPage) -> str:
    lines = (
        f"property: {slug}",
        f"source: {listing.source.value}",
        f"outcome: {listing.outcome.value}",
        f"detail: {scrubbed(printable(listing.detail, most=_LONGEST_DETAIL))}",
        f"url: {scrubbed(printable(page.url, most=_LONGEST_URL))}",
        f"status: {page.status or 'none'}",
    )
    return "\n".join(lines) + "\n\n"


def _scrubbed_body(body: bytes, scrub: Scrub) -> str:
    text = shown_only(page_text(body[:_READ]).replace("\r\n", "\n"))
    text = scrubbed(scrub(text))
    return text[:-_CUT_TAIL] if len(body) > _READ else text


def _without_address(found: re.Match[str]) -> str:
    try:
        ip_address(found[0])
    except ValueError:
        return found[0]
    return _GONE


def _without_token(found: re.Match[str]) -> str:
    parts = re.split("[-_/]", found[0])
    return _GONE if any(map(_MIXED.fullmatch, parts)) else found[0]
