"""Pictures as somebody who reviews their names sees them; reads only.

Rulings are written through `rulings`.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import Any

import sqlalchemy as sa

from phx_pipeline.catalog import tables
from phx_pipeline.catalog.engine import reading
from phx_pipeline.catalog.rows import AnyRow
from phx_pipeline.catalog.rulings import newest_of
from phx_pipeline.catalog.votes import named_of
from phx_pipeline.model.published import NamedPicture
from phx_pipeline.model.ruling import About, Ruling
from phx_pipeline.model.source import Source


class ReviewBook:
    """What there is to review, and what has been."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def pictures(
        self,
        *,
        slug: str | None = None,
        below: int | None = None,
        also: Collection[str] = (),
    ) -> list[NamedPicture]:
        """The published pictures of a house or of all, by house and file name.

        Args:
            slug: the house; None for all that are followed.
            below: only those that are less sure than so many percent.
            also: clusters that are wanted however sure they are.
        """
        query = _pictures_query()
        if slug is not None:
            query = query.where(tables.house.c.slug == slug)
        if below is not None:
            unsure = tables.category.c.confidence < below
            query = query.where(unsure | tables.photo.c.cluster_id.in_(also))
        with reading(self._engine) as connection:
            rows = connection.execute(query).all()
        return sorted(map(_picture_of, rows), key=lambda it: (it.slug, it.file_name))

    def rulings(self) -> Mapping[str, list[Ruling]]:
        """The newest rulings on each photo of a picture, by cluster; of all houses."""
        photo, ruling = tables.photo.c, tables.ruling.c
        ruled = sa.exists().where(
            ruling.slug == photo.slug,
            ruling.about == About.CATEGORY.value,
            ruling.source == photo.source,
            ruling.key == photo.photo_key,
        )
        query = sa.select(photo.slug, photo.source, photo.photo_key, photo.cluster_id)
        with reading(self._engine) as connection:
            newest = newest_of(connection, About.CATEGORY)
            slugs = {slug for slug, _, _ in newest}
            of_photos = query.where(ruled, photo.cluster_id.is_not(None))
            rows = connection.execute(of_photos).all() if slugs else ()
        found = defaultdict[str, list[Ruling]](list)
        for row in rows:
            given = newest.get((row.slug, Source(row.source), row.photo_key))
            if given is not None:
                found[row.cluster_id].append(given)
        return found


def _pictures_query() -> sa.Select[Any]:
    house, photo = tables.house, tables.photo
    category, publication = tables.category, tables.publication
    same_photo = sa.and_(
        photo.c.slug == category.c.slug,
        photo.c.source == category.c.source,
        photo.c.photo_key == category.c.photo_key,
    )
    shown = sa.and_(
        publication.c.slug == category.c.slug,
        publication.c.location == category.c.location,
        publication.c.subject == category.c.subject,
        publication.c.source == category.c.source,
        publication.c.photo_key == category.c.photo_key,
        publication.c.active,
    )
    return (
        sa.select(
            *(category.c.slug, category.c.source, category.c.photo_key),
            *(category.c.location, category.c.subject, category.c.confidence),
            *(category.c.probability, category.c.votes),
            *(photo.c.cluster_id, photo.c.sha256),
            *(publication.c.file_name, house.c.folder),
        )
        .select_from(category)
        .join(photo, same_photo)
        .join(publication, shown)
        .join(house, house.c.slug == category.c.slug)
        .where(house.c.removed_at.is_(None), photo.c.cluster_id.is_not(None))
    )


def _picture_of(row: AnyRow) -> NamedPicture:
    return NamedPicture(
        slug=row.slug,
        folder=row.folder,
        source=Source(row.source),
        photo_key=row.photo_key,
        cluster_id=row.cluster_id,
        sha256=row.sha256,
        named=named_of(row),
        file_name=row.file_name,
    )
