"""What both borders hold answers to: URLs, ids, and errors that pages make code raise.

Which fields are held to what is told in `border` and `search_border`.
"""

import logging
import re
import traceback
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from phx_pipeline.fetch.base import Fetched, Fetcher, Request
from phx_pipeline.model.inline import inline_sha256
from phx_pipeline.model.source import Source
from phx_pipeline.sources.stated import LONGEST_URL

logger = logging.getLogger(__name__)

_MOST_FRAMES = 20  # of an error, in the log
_ID = re.compile(r"[\w.#/ -]{1,60}", re.ASCII)
_PRINTED_URL = re.compile(r"[!-~]+")


class Watched:
    """A fetcher that remembers what it raised."""

    def __init__(self, inner: Fetcher) -> None:
        self._inner = inner
        self.raised: Exception | None = None

    async def get(self, request: Request) -> Fetched:
        """Return the answer; the exceptions are those of `Fetcher.get`."""
        try:
            return await self._inner.get(request)
        except Exception as error:
            self.raised = error
            raise

    async def aclose(self) -> None:
        """Close the fetcher inside."""
        await self._inner.aclose()


def surprise(source: Source, error: Exception) -> str:
    """Return in words that reading a page raised what nobody foresaw; log where."""
    # An error's own text may quote the page, with whom it names: only where is told.
    frames = traceback.extract_tb(error.__traceback__, limit=-_MOST_FRAMES)
    where = f"{Path(frames[-1].filename).name}, line {frames[-1].lineno}"
    told = f"the page could not be read: {type(error).__name__} in {where}"
    logger.debug("%s: %s\n%s", source.value, told, "".join(frames.format()))
    return told


def bounded_url(url: str | None, *, hosts: Sequence[str]) -> str | None:
    """Return a URL of one of *hosts*, without user, port or anything unprintable."""
    if url is None or len(url) > LONGEST_URL or not _PRINTED_URL.fullmatch(url):
        return None
    try:
        parts = urlsplit(url)
    except ValueError:  # such as brackets that hold no address
        return None
    if inline_sha256(url):  # a page must not name bytes that others brought
        return None
    return url if parts.scheme == "https" and parts.netloc in hosts else None


def bounded_id(value: str | None) -> str | None:
    """Return an id in the alphabet and length that ids have."""
    return value if value and _ID.fullmatch(value) else None
