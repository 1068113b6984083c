"""What is only shown: status, pictures, sources, changes; `reads` makes documents."""

import re
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Final

from fastapi import APIRouter, Query
from starlette.responses import JSONResponse

from phx_pipeline.model.event import EventKind
from phx_pipeline.model.image_search import Wanted
from phx_pipeline.model.taxonomy import Location, Subject
from phx_pipeline.reads.base import Reads
from phx_pipeline.reads.changes import read_changes
from phx_pipeline.reads.documents import (
    change_document,
    event_document,
    not_kept_document,
    picture_document,
    sent_picture,
    source_document,
    status_documents,
)
from phx_pipeline.reads.history import read_events, with_photos
from phx_pipeline.reads.houses import meant_house, read_houses
from phx_pipeline.reads.images import first_day, read_images, source_named
from phx_pipeline.reads.not_kept import not_kept as not_kept_photos
from phx_pipeline.reads.paging import LIMIT, page_of, place_at, refused
from phx_pipeline.reads.sources import read_sources
from phx_pipeline.reads.status import read_status
from phx_pipeline.service.api import shapes
from phx_pipeline.service.api.principals import Who
from phx_pipeline.service.api.problems import refuse
from phx_pipeline.service.api.stores import Stores
from phx_pipeline.service.api.words import NO_CONTROLS, Cursor, HouseAsked, Limit

_DAYS: Final = re.compile(r"([1-9]\d{0,3})d")
_LONGEST_NUMBER: Final = 10
_ALONE: Final = (
    "it lists photos of one house, and what they show is not known: name the "
    "`property`, and leave the other filters out"
)

LocationAsked = Annotated[
    Location | None, Query(description="Only pictures of one location.")
]
SubjectAsked = Annotated[
    Subject | None, Query(description="Only pictures of one subject, such as kitchen.")
]
NotKeptAsked = Annotated[
    bool,
    Query(
        description="The photos of one house that are not shown instead: why, and when "
        "each is asked for again."
    ),
]
Since = Annotated[
    str | None,
    Query(
        max_length=10,
        description="First seen on this day or later: a date, or 7d for the last 7 "
        "days.",
    ),
]
SourceAsked = Annotated[
    str | None,
    Query(
        max_length=32,
        pattern=NO_CONTROLS,
        description="Only those whose shown copy is from this source.",
    ),
]
ChangedSince = Annotated[
    str | None,
    Query(
        max_length=10,
        description="Only changes of this day or later: a date, or 7d for the last 7 "
        "days.",
    ),
]
KindsAsked = Annotated[
    list[EventKind] | None,
    Query(max_length=len(EventKind), description="Only changes of these kinds."),
]
SourceSays = Annotated[
    str | None,
    Query(
        max_length=32, pattern=NO_CONTROLS, description="Only what this source says."
    ),
]
Sure = Annotated[
    int, Query(ge=0, le=99, description="Only those at least so sure, in percent.")
]
Moment = Annotated[
    datetime | None,
    Query(description="Only what changed then or later, such as 2026-11-28T07:00:00Z."),
]


class Shown:
    """Reads of one catalogue."""

    def __init__(self, stores: Stores) -> None:
        self._stores = stores

    def router(self) -> APIRouter:
        """All paths of what is only shown."""
        router = APIRouter(prefix="/api", tags=["shown"])
        for path, shown, name in (
            ("/status", self.status, "status"),
            ("/images", self.images, "picture"),
            ("/sources", self.sources, "source"),
            ("/changes", self.changes, "change"),
            ("/events", self.events, "event"),
        ):
            router.add_api_route(
                path, shown, methods=["GET"], responses=shapes.page(name)
            )
        return router

    def status(
        self, limit: Limit = LIMIT, cursor: Cursor = None, house: HouseAsked = None
    ) -> JSONResponse:
        """Return the counts of houses and what is open, by key, as `phx status`."""
        reads = self._stores.reads
        if house:
            slugs, behind = [meant_house(reads, house).slug], None
        else:
            page = read_houses(reads, limit=limit, cursor=cursor)
            slugs, behind = [it.slug for it in page.rows], page.next
        found = status_documents(read_status(reads, slugs=slugs))
        return shapes.page_of(found, behind)

    def images(  # noqa: PLR0913 - each is an option
        self,
        who: Who,
        limit: Limit = LIMIT,
        cursor: Cursor = None,
        *,
        house: HouseAsked = None,
        location: LocationAsked = None,
        subject: SubjectAsked = None,
        min_confidence: Sure = 0,
        source: SourceAsked = None,
        since: Since = None,
        not_kept: NotKeptAsked = False,
    ) -> JSONResponse:
        """Return the published pictures of one house, or of all, as `phx images`.

        Where their files are is told to the people of this computer alone.
        """
        reads = self._stores.reads
        slug = meant_house(reads, house).slug if house else None
        if not_kept:
            if slug is None or any((location, subject, min_confidence, source, since)):
                refuse(_ALONE, field="not_kept")
            return _not_kept(reads, slug, limit=limit, cursor=cursor)
        wanted = Wanted(
            location=location,
            subject=subject,
            min_confidence=min_confidence,
            source=source_named(reads, source) if source else None,
            since=_since(reads, since),
        )
        page = read_images(reads, wanted, slug=slug, limit=limit, cursor=cursor)
        told = picture_document if who.is_local else sent_picture
        return shapes.page_of(map(told, page.rows), page.next)

    def sources(self) -> JSONResponse:
        """Return how each source is being asked, as `phx sources`."""
        rows = read_sources(self._stores.reads).rows
        return shapes.page_of(map(source_document, rows), None)

    def changes(
        self,
        limit: Limit = LIMIT,
        cursor: Cursor = None,
        house: HouseAsked = None,
        since: Moment = None,
    ) -> JSONResponse:
        """Return what changed of photos and sources, the newest first."""
        reads = self._stores.reads
        slug = meant_house(reads, house).slug if house else None
        if since is not None and since.tzinfo is None:
            since = since.replace(tzinfo=UTC)
        page = read_changes(reads, slug=slug, since=since, limit=limit, cursor=cursor)
        return shapes.page_of(map(change_document, page.rows), page.next)

    def events(
        self,
        limit: Limit = LIMIT,
        cursor: Cursor = None,
        *,
        house: HouseAsked = None,
        since: ChangedSince = None,
        kind: KindsAsked = None,
        source: SourceSays = None,
    ) -> JSONResponse:
        """Return what changed at houses, the newest first, as `phx changes`."""
        reads = self._stores.reads
        page = read_events(
            reads,
            since=_since(reads, since),
            slug=meant_house(reads, house).slug if house else None,
            source=source_named(reads, source) if source else None,
            kinds=kind or (),
            limit=limit,
            cursor=cursor,
        )
        told = (event_document(with_photos(reads, it)) for it in page.rows)
        return shapes.page_of(told, page.next)


def _not_kept(
    reads: Reads, slug: str, *, limit: int, cursor: str | None
) -> JSONResponse:
    """Return a page of photos in gallery order; none of them goes meanwhile."""
    start = _number(cursor) if cursor else 0
    found = not_kept_photos(reads, slug)[start : start + limit + 1]
    page = page_of(found, limit=limit, ends=lambda _: (str(start + limit),))
    return shapes.page_of(map(not_kept_document, page.rows), page.next)


def _number(cursor: str) -> int:
    (text,) = place_at(cursor, parts=1) or ("",)
    if not (text.isascii() and text.isdecimal() and len(text) < _LONGEST_NUMBER):
        raise refused(cursor)
    return int(text)


def _since(reads: Reads, text: str | None) -> date | None:
    if text is None:
        return None
    if days := _DAYS.fullmatch(text):
        return first_day(reads, timedelta(days=int(days[1])))
    try:
        return date.fromisoformat(text)
    except ValueError:
        refuse("give a date such as 2026-11-28, or 7d for 7 days", field="since")
