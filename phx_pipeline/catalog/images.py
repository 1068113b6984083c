"""Looking for published pictures of many houses: the database chooses, not we."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

import sqlalchemy as sa

from phx_pipeline.catalog import tables
from phx_pipeline.catalog.engine import reading
from phx_pipeline.catalog.queries import published_of, published_query
from phx_pipeline.catalog.rows import AnyRow
from phx_pipeline.model.batches import batches
from phx_pipeline.model.image_search import FoundImage, Wanted
from phx_pipeline.model.market import GONE
from phx_pipeline.model.moments import phoenix_day
from phx_pipeline.model.published import PublishedImage
from phx_pipeline.model.source import Source

_HOUSES = 100  # whose pictures are in memory together


EVERYTHING = Wanted()


class ImageSearch:
    """Reads of published pictures, a few houses at a time."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def sources(self) -> list[Source]:
        """Every source that was ever asked about any property."""
        query = sa.select(tables.listing.c.source).distinct()
        with reading(self._engine) as connection:
            return sorted(map(Source, connection.execute(query).scalars()))

    def find(
        self,
        wanted: Wanted = EVERYTHING,
        *,
        slug: str | None = None,
        after: tuple[str, str] = ("", ""),
    ) -> Iterator[FoundImage]:
        """Yield the pictures of one property, or of all that are followed.

        By address and file name, as the manifest lists them; only those *after* the
        address and file name of another picture, if one is given.
        """
        for some in batches(self._slugs(after[0]) if slug is None else [slug], _HOUSES):
            with reading(self._engine) as connection:
                rows = connection.execute(_query(wanted, some)).all()
            for row in sorted(rows, key=_place):
                if _place(row) > after:
                    yield _found(row)

    def published_as(self, folder: str, file_name: str) -> PublishedImage | None:
        """The picture that is published under a name now; None if there is none."""
        house, row = tables.house.c, tables.publication.c
        this = sa.and_(house.folder == folder, row.file_name == file_name)
        with reading(self._engine) as connection:
            found = connection.execute(published_query(None).where(this)).first()
        return published_of(found) if found is not None else None

    def _slugs(self, first: str) -> list[str]:
        """The properties from the address *first* on; of one address by folder.

        So they are in the order of their files, whose names begin with the folder.
        """
        house = tables.house.c
        query = sa.select(house.address, house.folder, house.slug)
        with reading(self._engine) as connection:
            rows = connection.execute(query.where(house.removed_at.is_(None))).all()
        return [row.slug for row in sorted(rows, key=tuple) if row.address >= first]


def _place(row: AnyRow) -> tuple[str, str]:
    return row.address, row.file_name


def _query(wanted: Wanted, slugs: Sequence[str]) -> sa.Select[Any]:
    row, photo, category = tables.publication.c, tables.photo.c, tables.category.c
    seen = _first_seen(slugs)
    first = sa.func.coalesce(seen.c.first_seen_on, photo.first_seen_on)
    same = (getattr(category, it) == row[it] for it in ("slug", "source", "photo_key"))
    query = (
        published_query(None)
        .join(tables.category, sa.and_(*same), isouter=True)
        .join(
            seen,
            sa.and_(seen.c.slug == row.slug, seen.c.cluster_id == photo.cluster_id),
            isouter=True,
        )
        .add_columns(first.label("first_seen_on"), category.probability)
        .add_columns(seen.c.is_shown, seen.c.left_on, seen.c.gallery_seen_at)
        .where(row.slug.in_(slugs))
    )
    asked = [
        wanted.location and row.location == wanted.location.value,
        wanted.subject and row.subject == wanted.subject.value,
        wanted.min_confidence and category.confidence >= wanted.min_confidence,
        wanted.source and row.source == wanted.source.value,
        wanted.since and first >= wanted.since,
    ]
    return query.where(*(it for it in asked if isinstance(it, sa.ColumnElement)))


def _first_seen(slugs: Sequence[str]) -> sa.Subquery:
    """When the first copy of each picture was seen, and where any is shown now."""
    photo, listing = tables.photo.c, tables.listing.c
    over = sa.func.coalesce(listing.market, "").in_(GONE)
    shown = sa.case((sa.and_(photo.present, ~over), 1), else_=0)
    seen_at = sa.case((photo.present, listing.gallery_seen_at))
    own = sa.and_(listing.slug == photo.slug, listing.source == photo.source)
    query = (
        sa.select(
            *(photo.slug, photo.cluster_id),
            sa.func.min(photo.first_seen_on, type_=sa.Date).label("first_seen_on"),
            sa.func.max(shown).label("is_shown"),
            sa.func.max(photo.last_seen_on, type_=sa.Date).label("left_on"),
            sa.func.max(seen_at, type_=tables.UtcDateTime).label("gallery_seen_at"),
        )
        .select_from(tables.photo.join(tables.listing, own, isouter=True))
        .where(photo.slug.in_(slugs), photo.cluster_id.is_not(None))
    )
    return query.group_by(photo.slug, photo.cluster_id).subquery("seen")


def _found(row: AnyRow) -> FoundImage:
    return FoundImage(
        slug=row.slug,
        image=published_of(row),
        first_seen_on=row.first_seen_on,
        probability=row.probability or 0.0,
        is_shown=bool(row.is_shown),
        last_seen_on=_last_seen_on(row),
    )


def _last_seen_on(row: AnyRow) -> date | None:
    at = row.gallery_seen_at
    days = (row.left_on, phoenix_day(at) if at else None)
    return max(filter(None, days), default=None)
