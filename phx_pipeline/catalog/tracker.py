"""Reading which photo URLs were fetched, when, and by which runs."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

from phx_pipeline.catalog import tables
from phx_pipeline.catalog.engine import reading
from phx_pipeline.catalog.rows import AnyRow
from phx_pipeline.model.identity import image_id
from phx_pipeline.model.outcome import Verdict
from phx_pipeline.model.source import Source
from phx_pipeline.model.tracked import TrackedUrl

_SHOWN = frozenset({Verdict.KEPT, Verdict.DUPLICATE})
_CHUNK = 2_000  # rows read at once


class UrlTracker:
    """The URLs of all photos whose bytes are held; a read-only look at the rows."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    @contextmanager
    def fetched(self) -> Iterator[Callable[[], Iterator[TrackedUrl]]]:
        """Lend what reads every photo of a followed property that has bytes, by URL.

        The same rows each time it is called; few are held at a time.
        """
        url = tables.photo.c.fetched_url
        with reading(self._engine) as connection:
            # As Python sorts text, whatever the language of a server is.
            is_server = connection.dialect.name == "postgresql"
            query = _fetched_query().order_by(url.collate("C") if is_server else url)

            def rows() -> Iterator[TrackedUrl]:
                with connection.execution_options(yield_per=_CHUNK).execute(
                    query
                ) as found:
                    yield from map(_tracked_of, found)

            yield rows


def _fetched_query() -> sa.Select[Any]:
    house, photo, listing = tables.house, tables.photo, tables.listing
    ends = _downloads().subquery()
    first, last = tables.attempt.alias("first"), tables.attempt.alias("last")
    same_listing = sa.and_(
        listing.c.slug == photo.c.slug, listing.c.source == photo.c.source
    )
    same_url = sa.and_(
        ends.c.slug == photo.c.slug,
        ends.c.source == photo.c.source,
        ends.c.photo_key == photo.c.photo_key,
        ends.c.url == photo.c.fetched_url,
    )
    return (
        sa.select(
            *(house.c.address, house.c.folder),
            *(photo.c.slug, photo.c.source, photo.c.fetched_url, photo.c.sha256),
            *(photo.c.cluster_id, photo.c.present, photo.c.verdict),
            photo.c.downloaded_at,
            *(listing.c.gallery_seen_at, listing.c.complete),
            listing.c.run_id.label("asking_run"),
            *(first.c.at.label("first_at"), first.c.run_id.label("first_run")),
            *(last.c.at.label("last_at"), last.c.run_id.label("last_run")),
        )
        .join(house, house.c.slug == photo.c.slug)
        .join(listing, same_listing, isouter=True)
        .join(ends, same_url, isouter=True)
        .join(first, first.c.id == ends.c.first_id, isouter=True)
        .join(last, last.c.id == ends.c.last_id, isouter=True)
        .where(house.c.removed_at.is_(None), photo.c.sha256.is_not(None))
        .where(photo.c.fetched_url.is_not(None))
    )


def _downloads() -> sa.Select[Any]:
    attempt = tables.attempt.c
    photo = (attempt.slug, attempt.source, attempt.photo_key, attempt.url)
    first = sa.func.min(attempt.id).label("first_id")
    last = sa.func.max(attempt.id).label("last_id")
    return sa.select(*photo, first, last).where(attempt.result == "ok").group_by(*photo)


def _tracked_of(row: AnyRow) -> TrackedUrl:
    downloaded_at = row.last_at or row.downloaded_at
    seen_at, seen_by = downloaded_at, row.last_run or ""
    if row.present and row.gallery_seen_at and row.gallery_seen_at >= seen_at:
        seen_at = row.gallery_seen_at
    if row.present and row.complete:
        seen_by = row.asking_run  # else the last to ask was refused
    return TrackedUrl(
        url=row.fetched_url,
        image_id=row.cluster_id or image_id(row.slug, row.sha256),
        folder=row.folder,
        address=row.address,
        source=Source(row.source),
        content_hash=row.sha256,
        present=row.present,
        shown=Verdict(row.verdict) in _SHOWN,
        first_seen_at=row.first_at or downloaded_at,
        last_seen_at=seen_at,
        first_run_id=row.first_run or "",
        last_run_id=seen_by,
    )
