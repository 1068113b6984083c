"""Which files the rows of properties name: originals, PNGs, published names."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from phx_pipeline.catalog import tables
from phx_pipeline.catalog.engine import reading, writing
from phx_pipeline.catalog.judgements import forget_judgements
from phx_pipeline.catalog.leases import Lease, Leases
from phx_pipeline.catalog.rows import AnyRow
from phx_pipeline.model.batches import batches
from phx_pipeline.model.outcome import Verdict

_OF_BYTES = (
    tables.picture,
    tables.appearance,
    tables.vote,
    tables.feature,
    tables.blob,  # the last: the others name it
)
_MANY = 500  # values in one statement; SQLite allows 32,766


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedFile:
    """A published file, and the PNG it is a name of."""

    file_name: str
    sha256: str
    recipe: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedFiles:
    """What should be on the disk for one property."""

    slug: str
    folder: str
    originals: set[str] = field(default_factory=set)
    published: list[NamedFile] = field(default_factory=list)


def forget_blob(connection: sa.Connection, sha256: str) -> None:
    """Delete what is known of bytes, unless a photo has them."""
    try:
        with connection.begin_nested():
            forget_judgements(connection, sha256)
            for table in _OF_BYTES:
                connection.execute(sa.delete(table).where(table.c.sha256 == sha256))
    except sa.exc.IntegrityError:
        pass  # another property stored the same bytes a moment ago


class FileBook:
    """Reads few columns of many properties at once."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def named(self, slugs: Collection[str]) -> Iterator[NamedFiles]:
        """What the rows of *slugs* say should be there, by slug."""
        wanted = sorted(set(slugs))
        for some in batches(wanted, _MANY):
            yield from self._some(some)

    def shown(self, folders: Collection[str]) -> set[str]:
        """The names that followed properties with these folders publish now."""
        house, row = tables.house.c, tables.publication.c
        query = sa.select(row.file_name).join(tables.house, house.slug == row.slug)
        query = query.where(row.active, house.removed_at.is_(None))
        wanted = sorted(set(folders))
        found: set[str] = set()
        with reading(self._engine) as connection:
            for batch in batches(wanted, _MANY):
                some = house.folder.in_(batch)
                found |= set(connection.execute(query.where(some)).scalars())
        return found

    def former(self, slug: str, *, recipe: str) -> list[tuple[str, str]]:
        """The PNGs (sha256, recipe) of a property by other recipes that nothing names.

        What any property publishes is named.
        """
        photo, made, shown = tables.photo.c, tables.picture.c, tables.publication.c
        own = sa.select(photo.sha256).where(photo.slug == slug)
        named = sa.exists().where(
            shown.sha256 == made.sha256, shown.recipe == made.recipe, shown.active
        )
        query = sa.select(made.sha256, made.recipe).where(
            made.sha256.in_(own), made.recipe != recipe, ~named
        )
        with reading(self._engine) as connection:
            rows = connection.execute(query.order_by(made.sha256, made.recipe))
            return [(row.sha256, row.recipe) for row in rows]

    def record_dropped(self, lease: Lease, pngs: Collection[tuple[str, str]]) -> None:
        """Forget PNGs (sha256, recipe) whose files are gone."""
        table = tables.picture
        key = sa.tuple_(table.c.sha256, table.c.recipe)
        with writing(self._engine) as connection:
            Leases.fence(connection, lease)
            connection.execute(sa.delete(table).where(key.in_(sorted(pngs))))

    def _some(self, slugs: Collection[str]) -> list[NamedFiles]:
        house, photo, shown = tables.house.c, tables.photo.c, tables.publication.c
        with reading(self._engine) as connection:

            def rows(query: sa.Select[Any]) -> list[AnyRow]:
                return list(connection.execute(query))

            houses = sa.select(house.slug, house.folder).where(house.slug.in_(slugs))
            found = {
                row.slug: NamedFiles(slug=row.slug, folder=row.folder)
                for row in rows(houses)
            }
            have = sa.and_(
                photo.sha256.is_not(None), photo.verdict != Verdict.WITHDRAWN.value
            )
            held = sa.select(photo.slug, photo.sha256)
            for row in rows(held.where(photo.slug.in_(slugs), have)):
                found[row.slug].originals.add(row.sha256)
            names = sa.select(shown.slug, shown.file_name, shown.sha256, shown.recipe)
            for row in rows(names.where(shown.slug.in_(slugs), shown.active)):
                found[row.slug].published.append(
                    NamedFile(
                        file_name=row.file_name, sha256=row.sha256, recipe=row.recipe
                    )
                )
        return [found[slug] for slug in sorted(found)]
