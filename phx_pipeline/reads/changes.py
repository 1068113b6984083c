"""What changed lately: verdicts and presence of photos, outcomes of sources."""

from datetime import datetime

from phx_pipeline.model.change import NotedChange
from phx_pipeline.reads.base import Reads
from phx_pipeline.reads.paging import (
    LIMIT,
    Page,
    checked_limit,
    page_of,
    place_at,
    refused,
)

_DIGITS = 18  # of ids, which have 64 bits


def read_changes(
    reads: Reads,
    *,
    slug: str | None = None,
    since: datetime | None = None,
    limit: int = LIMIT,
    cursor: str | None = None,
) -> Page[NotedChange]:
    """Return a page of changes, the newest first.

    Args:
        reads: the catalogue.
        slug: of one house; else of all that are followed.
        since: only those at this time or later.
        limit: rows of the page.
        cursor: `next` of the page before.

    Raises:
        InputError: the limit or the cursor is none.
    """
    place = place_at(cursor, parts=1)
    found = reads.catalog.pages.changes(
        limit=checked_limit(limit) + 1,
        before=_id_of(place[0], cursor=str(cursor)) if place else None,
        since=since,
        slug=slug,
    )
    return page_of(found, limit=limit, ends=lambda it: (str(it.id),))


def _id_of(text: str, *, cursor: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= _DIGITS):
        raise refused(cursor)
    return int(text)
