"""Pages a source refused us with, or that have changed: the last few, for diagnosis.

Text files that nothing in the pipeline reads. What may name a person or open a door is
taken out before anything is written (`stages.scrubbing`). Which parts of an answer name
persons, its source tells.
"""

import logging
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Final

from phx_pipeline.errors import FetchError
from phx_pipeline.fetch.base import Fetched, Fetcher, Request
from phx_pipeline.fetch.page_parts import page_text
from phx_pipeline.model.listing import Listing
from phx_pipeline.model.outcome import ListingOutcome
from phx_pipeline.model.printable import printable, shown_only
from phx_pipeline.stages.scrubbing import Scrub, scrubbed
from phx_pipeline.storage.atomic import write_atomically
from phx_pipeline.storage.layout import Layout

logger = logging.getLogger(__name__)

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
