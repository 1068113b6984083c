"""What the sidecars of one house tell beside its photos: read in one transaction."""

import sqlalchemy as sa

from phx_pipeline.catalog import tables
from phx_pipeline.catalog.engine import reading
from phx_pipeline.catalog.rulings import newest_of_house
from phx_pipeline.model.particulars import Named, Original, Particulars
from phx_pipeline.model.photo import PhotoKey
from phx_pipeline.model.ruling import About, Ruling
from phx_pipeline.model.source import Source


class SidecarBook:
    """Reads for sidecars of `category`, `blob` and `ruling`."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def particulars(self, slug: str) -> Particulars:
        """What is known of the pictures of a property, as of one moment."""
        with reading(self._engine) as connection:
            return Particulars(
                named=_named(connection, slug),
                originals=_originals(connection, slug),
                rulings=_rulings(connection, slug),
            )


def _named(connection: sa.Connection, slug: str) -> dict[PhotoKey, Named]:
    query = sa.select(tables.category).where(tables.category.c.slug == slug)
    return {
        (Source(row.source), row.photo_key): Named(
            probability=row.probability, votes=tuple(row.votes)
        )
        for row in connection.execute(query)
    }


def _originals(connection: sa.Connection, slug: str) -> dict[str, Original]:
    blob, photo = tables.blob.c, tables.photo.c
    used = sa.select(photo.sha256).where(photo.slug == slug)
    columns = (blob.sha256, blob.width, blob.height, blob.size_bytes)
    query = sa.select(*columns).where(blob.sha256.in_(used))
    return {
        row.sha256: Original(
            width=row.width, height=row.height, size_bytes=row.size_bytes
        )
        for row in connection.execute(query)
    }


def _rulings(connection: sa.Connection, slug: str) -> tuple[Ruling, ...]:
    found = newest_of_house(connection, slug)
    # A spelling is ruled on for the house, and tells nothing of a picture.
    return tuple(it for it in found if it.about is not About.SPELLING)
