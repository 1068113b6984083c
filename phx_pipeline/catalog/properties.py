"""The life of a property: added, renamed, removed, taken up again, purged.

A key means one property for good: a former key stays as an alias, a removed property
keeps its row. What belongs to a property is whatever has its key in a column `slug`.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from phx_pipeline.catalog import tables
from phx_pipeline.catalog.engine import reading, writing
from phx_pipeline.catalog.leases import Lease, Leases
from phx_pipeline.catalog.rows import AnyRow, property_of, property_values
from phx_pipeline.catalog.views import want
from phx_pipeline.errors import CatalogError, InputError
from phx_pipeline.model.address import Address
from phx_pipeline.model.property import Property

_FOLDER_TRIES = 16
_NO_FOLDER: Final = "renaming"  # held by the old row while the new one takes the folder
_MANY = 500  # values in one statement; SQLite allows 32,766

_HOUSE = tables.house
_ALIAS = tables.alias
_ALIKE = tables.lookalike
_PHOTO = tables.photo
_OWN = tuple(
    table
    for table in tables.metadata.sorted_tables
    if table is not _HOUSE and "slug" in table.c
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """What adding did; `revived` had been removed before."""

    added: tuple[Property, ...]
    revived: tuple[Property, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """The property a key, former key or folder means, removed or not."""

    house: Property
    removed_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnBlob:
    """Downloaded bytes that one property alone has, and the recipes of their PNGs.

    `size_bytes` counts the original and its PNGs.
    """

    sha256: str
    size_bytes: int
    recipes: tuple[str, ...]


class PropertyBook:
    """Writes of `property` and `alias`, and reads that know removed ones."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def add(self, houses: Sequence[Property], *, at: datetime) -> Added:
        """Add the houses not known yet and take up removed ones again, all or none.

        A former key is known. A folder id that another house already has is salted
        until it is free.
        """
        with writing(self._engine) as connection:
            _lock(connection, "property")
            rows = {row.slug: row for row in connection.execute(sa.select(_HOUSE))}
            means = {slug: slug for slug in rows} | _aliases(connection)
            taken = {row.folder for row in rows.values()}
            added, revived = [], {}
            for house in houses:
                if house.slug not in means:
                    placed = replace(house, folder=_free_folder(house, taken))
                    means[placed.slug] = placed.slug
                    taken.add(placed.folder)
                    added.append(placed)
                elif row := _removed_row(rows, means[house.slug]):
                    revived[row.slug] = property_of(row)
            _insert(connection, added, at=at)
            for slug in revived:
                _update_house(connection, slug, {"removed_at": None})
        if revived:  # after it: a publication notes this first, and waits for our lock
            with writing(self._engine) as connection:
                want(connection)
        return Added(added=tuple(added), revived=tuple(revived.values()))

    def find(self, key: str) -> Known | None:
        """The property that has or had this key, or has this folder."""
        meant = sa.select(_ALIAS.c.slug).where(_ALIAS.c.alias == key).scalar_subquery()
        this = sa.or_(
            _HOUSE.c.slug == key, _HOUSE.c.slug == meant, _HOUSE.c.folder == key
        )
        with reading(self._engine) as connection:
            rows = connection.execute(sa.select(_HOUSE).where(this)).all()
        if not rows:
            return None
        row = min(rows, key=lambda row: row.slug != key)
        return Known(house=property_of(row), removed_at=row.removed_at)

    def removed(self) -> list[Known]:
        """The removed properties, by key."""
        query = sa.select(_HOUSE).where(_HOUSE.c.removed_at.is_not(None))
        with reading(self._engine) as connection:
            rows = connection.execute(query).all()
        found = [Known(house=property_of(r), removed_at=r.removed_at) for r in rows]
        return sorted(found, key=lambda known: known.house.slug)

    def aliases(self, slug: str) -> list[str]:
        """The former keys of a property."""
        query = sa.select(_ALIAS.c.alias).where(_ALIAS.c.slug == slug)
        with reading(self._engine) as connection:
            return sorted(connection.execute(query).scalars())

    def rename(
        self, lease: Lease, slug: str, address: Address, *, at: datetime
    ) -> Property:
        """Give a property another address, and with it another key, all or nothing.

        Everything it has moves to the new key, its folder stays, the old key becomes an
        alias. An address with the same key only replaces the spelling.

        Raises:
            InputError: there is no such property, or the address means another one.
        """
        with writing(self._engine) as connection:
            Leases.fence(connection, lease)
            want(connection)
            _lock(connection, "lookalike", "property")
            row = _followed_row(connection, slug)
            old = property_of(row)
            new = replace(old, slug=address.slug, address=address)
            if new == old:
                return old
            if new.slug == old.slug:
                _update_house(connection, slug, property_values(new))
            else:
                _refuse_taken(connection, address, slug=slug)
                _move(connection, row, new)
                _note_alias(connection, old, new, at=at)
        return new

    def remove(self, lease: Lease, slug: str, *, at: datetime) -> None:
        """Follow a property no more; its rows stay, but for what waits for a run.

        Raises:
            InputError: there is no such property, or it is removed.
        """
        item = tables.job_item
        with writing(self._engine) as connection:
            Leases.fence(connection, lease)
            want(connection)
            _followed_row(connection, slug)
            _update_house(connection, slug, {"removed_at": at})
            waits = sa.and_(item.c.slug == slug, item.c.dispatched_at.is_(None))
            connection.execute(sa.delete(item).where(waits))

    def own_blobs(self, slug: str) -> list[OwnBlob]:
        """The downloaded bytes no other property has, by SHA-256."""
        blob, picture = tables.blob.c, tables.picture.c
        with reading(self._engine) as connection:
            own = _own_sha256s(connection, slug)
            sizes = dict[str, int]()
            recipes: dict[str, list[str]] = {sha: [] for sha in own}
            for some in _batches(own):
                query = sa.select(blob.sha256, blob.size_bytes)
                for row in connection.execute(query.where(blob.sha256.in_(some))):
                    sizes[row.sha256] = row.size_bytes
                made = sa.select(picture.sha256, picture.recipe, picture.size_bytes)
                for png in connection.execute(made.where(picture.sha256.in_(some))):
                    recipes[png.sha256].append(png.recipe)
                    sizes[png.sha256] += png.size_bytes
        return [
            OwnBlob(sha256=sha, size_bytes=sizes[sha], recipes=tuple(recipes[sha]))
            for sha in sorted(sizes)
        ]

    def is_elsewhere(self, sha256: str, *, slug: str) -> bool:
        """Whether a photo of another property than *slug* has these bytes."""
        other = sa.and_(_PHOTO.c.sha256 == sha256, _PHOTO.c.slug != slug)
        with reading(self._engine) as connection:
            query = sa.select(_PHOTO.c.slug).where(other).limit(1)
            return connection.execute(query).first() is not None

    def purge(self, lease: Lease, slug: str) -> None:
        """Delete every row of a removed property, all or nothing.

        Its lease stays: who slept through all this must find its epoch superseded.

        Raises:
            InputError: the property is not removed.
        """
        with writing(self._engine) as connection:
            Leases.fence(connection, lease)
            want(connection)
            _lock(connection, "lookalike", "property")
            this = sa.select(_HOUSE).where(
                _HOUSE.c.slug == slug, _HOUSE.c.removed_at.is_not(None)
            )
            if connection.execute(this.with_for_update()).first() is None:
                raise InputError(f"{slug} is not removed: nothing was deleted")
            own = _own_sha256s(connection, slug)
            connection.execute(sa.delete(_ALIKE).where(_ALIKE.c.other_slug == slug))
            for table in reversed(_OWN):
                connection.execute(sa.delete(table).where(table.c.slug == slug))
            for sha256 in own:
                _forget_blob(connection, sha256)
            connection.execute(sa.delete(_HOUSE).where(_HOUSE.c.slug == slug))


# --- adding ---------------------------------------------------------------------------


def _lock(connection: sa.Connection, *names: str) -> None:
    # Two adders that do not see each other's rows would take the same folder or key.
    # SQLite lets only one write anyway.
    if connection.dialect.name == "postgresql":
        listed = ", ".join(names)
        lock = sa.text(f"lock table {listed} in share row exclusive mode")
        connection.execute(lock)


def _aliases(connection: sa.Connection) -> dict[str, str]:
    rows = connection.execute(sa.select(_ALIAS.c.alias, _ALIAS.c.slug))
    return {row.alias: row.slug for row in rows}


def _free_folder(house: Property, taken: Collection[str]) -> str:
    for salt in range(_FOLDER_TRIES):
        folder = house.address.folder_id(salt)
        if folder not in taken:
            return folder
    raise CatalogError(f"no free folder id for {house.slug} in {_FOLDER_TRIES} tries")


def _removed_row(rows: dict[str, AnyRow], slug: str) -> AnyRow | None:
    row = rows.get(slug)  # none yet for a house that was added just before
    return row if row is not None and row.removed_at is not None else None


def _insert(
    connection: sa.Connection, added: Sequence[Property], *, at: datetime
) -> None:
    if added:
        values = [{**property_values(house), "added_at": at} for house in added]
        connection.execute(sa.insert(_HOUSE), values)


def _update_house(connection: sa.Connection, slug: str, values: dict[str, Any]) -> None:
    connection.execute(sa.update(_HOUSE).where(_HOUSE.c.slug == slug).values(values))


# --- renaming -------------------------------------------------------------------------


def _followed_row(connection: sa.Connection, slug: str) -> AnyRow:
    """Return the row, locked: who adds rows of this key meanwhile waits or is seen."""
    this = sa.and_(_HOUSE.c.slug == slug, _HOUSE.c.removed_at.is_(None))
    query = sa.select(_HOUSE).where(this).with_for_update()
    if (row := connection.execute(query).one_or_none()) is None:
        raise InputError(
            f"there is no property {slug} any more: see `phx properties list`"
        )
    return row


def _refuse_taken(connection: sa.Connection, address: Address, *, slug: str) -> None:
    this = _HOUSE.c.slug == address.slug
    row = connection.execute(sa.select(_HOUSE).where(this)).one_or_none()
    if row is not None and row.removed_at is not None:
        raise InputError(
            f"{address} is a removed property: `phx properties remove {address.slug} "
            "--purge` deletes it for good, then rename"
        )
    if row is not None:
        raise InputError(
            f"{address} is a property of its own: if both are the same house, keep one "
            f"and `phx properties remove` the other ({slug} or {address.slug})"
        )
    meant = _aliases(connection).get(address.slug, slug)
    if meant != slug:
        raise InputError(
            f"{address} is a former address of {meant}: rename that one back first"
        )


def _move(connection: sa.Connection, row: AnyRow, new: Property) -> None:
    """Move all rows of a property to its new key.

    Neither database lets a key change under the rows that point to it, so the new
    row comes first and the old one goes last.
    """
    _update_house(connection, row.slug, {"folder": _NO_FOLDER})
    # No lease of the new key was ever the one of a finished publication.
    values = {**row._mapping, **property_values(new), "published_epoch": 0}  # noqa: SLF001 - SQLAlchemy's public name
    connection.execute(sa.insert(_HOUSE).values(values))
    _move_lookalikes(connection, row.slug, new.slug)
    for table in _OWN:
        this = table.c.slug == row.slug
        connection.execute(sa.update(table).where(this).values(slug=new.slug))
    connection.execute(sa.delete(_HOUSE).where(_HOUSE.c.slug == row.slug))


def _move_lookalikes(connection: sa.Connection, old: str, new: str) -> None:
    """Rename both sides of the pairs; the sides stay in rising order."""
    this = sa.or_(_ALIKE.c.slug == old, _ALIKE.c.other_slug == old)
    rows = connection.execute(sa.select(_ALIKE).where(this)).all()
    connection.execute(sa.delete(_ALIKE).where(this))
    moved = [_renamed_pair(row, old, new) for row in rows]
    if moved:
        connection.execute(sa.insert(_ALIKE), moved)


def _renamed_pair(row: AnyRow, old: str, new: str) -> dict[str, Any]:
    sides = sorted(
        (new if slug == old else slug, source, key)
        for slug, source, key in (
            (row.slug, row.source, row.photo_key),
            (row.other_slug, row.other_source, row.other_key),
        )
    )
    names = (
        ("slug", "source", "photo_key"),
        ("other_slug", "other_source", "other_key"),
    )
    values = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public name
    for side, columns in zip(sides, names, strict=True):
        values |= zip(columns, side, strict=True)
    return values


def _note_alias(
    connection: sa.Connection, old: Property, new: Property, *, at: datetime
) -> None:
    connection.execute(sa.delete(_ALIAS).where(_ALIAS.c.alias == new.slug))
    values = {"alias": old.slug, "slug": new.slug, "address": str(old.address)}
    connection.execute(sa.insert(_ALIAS).values(**values, at=at))


# --- purging --------------------------------------------------------------------------


def _own_sha256s(connection: sa.Connection, slug: str) -> list[str]:
    """The bytes photos or files of *slug* have, and no photo or file of another."""
    shown = tables.publication
    mine = sa.union(
        sa.select(_PHOTO.c.sha256).where(_PHOTO.c.slug == slug),
        sa.select(shown.c.sha256).where(shown.c.slug == slug),
    )
    found = sorted(set(connection.execute(mine).scalars()) - {None})
    shared: set[str] = set()
    for some in _batches(found):
        for table in (_PHOTO, shown):
            others = sa.select(table.c.sha256).where(
                table.c.sha256.in_(some), table.c.slug != slug
            )
            shared |= set(connection.execute(others).scalars())
    return [sha for sha in found if sha not in shared]


def _forget_blob(connection: sa.Connection, sha256: str) -> None:
    try:
        with connection.begin_nested():
            for table in (tables.picture, tables.appearance, tables.blob):
                connection.execute(sa.delete(table).where(table.c.sha256 == sha256))
    except sa.exc.IntegrityError:
        pass  # another property stored the same bytes a moment ago


def _batches(values: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(values), _MANY):
        yield values[start : start + _MANY]


def followed(column: sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
    """The condition that a key is one of a property that is not removed.

    Asked of each row found: a set of all properties would be where SQLite begins.
    """
    gone = _HOUSE.alias("gone")
    return ~sa.exists().where(gone.c.slug == column, gone.c.removed_at.is_not(None))
