"""The life of a property: added, renamed, merged, removed, taken up again, purged.

A key means one property for good: a former key stays as an alias, a removed property
keeps its row. What belongs to a property is whatever has its key in a column `slug`,
and facts and bytes to which nothing else points.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import count
from typing import Any, Final

import sqlalchemy as sa

from phx_pipeline.catalog import tables
from phx_pipeline.catalog.engine import reading, writing
from phx_pipeline.catalog.facts import drop_unsaid, said_of
from phx_pipeline.catalog.files import forget_blob
from phx_pipeline.catalog.job_items import (
    ask_at_once,
    forget_items,
    let_go,
    writing_jobs,
)
from phx_pipeline.catalog.leases import Lease, Leases
from phx_pipeline.catalog.merging import join_rows, renamed_pair
from phx_pipeline.catalog.rows import AnyRow, property_of, property_values
from phx_pipeline.catalog.rulings import record_ruling
from phx_pipeline.catalog.spellings import Meanings, all_meanings, meanings_of
from phx_pipeline.catalog.views import want
from phx_pipeline.errors import CatalogError, InputError, UnknownPropertyError
from phx_pipeline.model.address import Address
from phx_pipeline.model.batches import batches
from phx_pipeline.model.property import Property
from phx_pipeline.model.ruling import Ruling
from phx_pipeline.model.stamp import Stamp

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
    """What adding did; `revived` had been removed before.

    `known` are the addresses of houses that were there before, or came twice, each with
    its house: that may be spelled otherwise.
    """

    added: tuple[Property, ...]
    revived: tuple[Property, ...]
    known: tuple[tuple[Address, Property], ...]


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

        A house is known under any spelling of its address, a former one and one a
        person confirmed. A key or folder id that another house already has is changed
        until it is free.
        """
        with writing(self._engine) as connection:
            _lock(connection, "property")
            places = _Places.of(connection)
            added: list[Property] = []
            revived: dict[str, Property] = {}
            known: list[tuple[Address, Property]] = []
            for house in houses:
                meant = places.meant_by(house.address)
                if meant is None:
                    added.append(places.place(house))
                elif places.is_removed(meant.slug):
                    revived[meant.slug] = meant
                else:
                    known.append((house.address, meant))
            _insert(connection, added, at=at)
            for slug in revived:
                _update_house(connection, slug, {"removed_at": None})
        if revived:  # after it: a publication notes this first, and waits for our lock
            with writing(self._engine) as connection:
                want(connection)
        return Added(
            added=tuple(added), revived=tuple(revived.values()), known=tuple(known)
        )

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

    def find_address(self, address: Address) -> Known | None:
        """The property an address means, however it is spelled."""
        with reading(self._engine) as connection:
            slug = meanings_of(connection, address).slug_of(address)
        return None if slug is None else self.find(slug)

    def twins(self) -> list[tuple[Property, ...]]:
        """Properties that are one house, not removed, the first added first."""
        followed_ = _HOUSE.c.removed_at.is_(None)
        several = (
            sa.select(_HOUSE.c.match_key)
            .where(followed_)
            .group_by(_HOUSE.c.match_key)
            .having(sa.func.count() > 1)
        )
        query = sa.select(_HOUSE).where(followed_, _HOUSE.c.match_key.in_(several))
        found: dict[str, list[Property]] = {}
        with reading(self._engine) as connection:
            rows = connection.execute(query.order_by(_HOUSE.c.match_key, _HOUSE.c.twin))
            for row in rows:
                found.setdefault(row.match_key, []).append(property_of(row))
        return sorted(map(tuple, found.values()), key=lambda houses: houses[0].slug)

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

    def former_names(self, slug: str) -> set[str]:
        """The former keys of a property, and the folders houses of them had."""
        query = sa.select(_ALIAS.c.alias, _ALIAS.c.address).where(_ALIAS.c.slug == slug)
        with reading(self._engine) as connection:
            rows = connection.execute(query).all()
        folders = {Address.parse(row.address).folder_id() for row in rows}
        return {row.alias for row in rows} | folders

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
            if old.address == address:
                return old
            new = _renamed(connection, old, address)
            if new.slug == old.slug:
                _update_house(connection, slug, _values(row, new))
            else:
                _move(connection, row, new)
                ask_at_once(connection, new.slug)
                _note_alias(connection, old, new.slug, at=at)
        return new

    def merge(
        self,
        leases: Sequence[Lease],
        keep: str,
        other: str,
        *,
        stamp: Stamp,
        ruling: Ruling | None = None,
    ) -> None:
        """Give *keep* everything *other* has, whose key becomes an alias; all or none.

        The files of *other* are left: `merged_folders` names them until
        `forget_folder`.

        Args:
            leases: of both.
            keep: the key that stays, with its folder and numbers.
            other: the key that goes; it may be a removed property.
            stamp: now, and the run.
            ruling: that the address of *other* means *keep*, where it is another.

        Raises:
            InputError: one of them is not there any more.
        """
        with writing(self._engine) as connection:
            for lease in leases:
                Leases.fence(connection, lease)
            want(connection)
            _lock(connection, "lookalike", "property")
            _followed_row(connection, keep)
            this = sa.select(_HOUSE).where(_HOUSE.c.slug == other).with_for_update()
            if (gone := connection.execute(this).one_or_none()) is None:
                raise InputError(f"there is no property {other} any more")
            join_rows(connection, keep, other, stamp=stamp)
            _note_alias(connection, property_of(gone), keep, at=stamp.at)
            folder = sa.update(_ALIAS).where(_ALIAS.c.alias == other)
            connection.execute(folder.values(folder=gone.folder))
            connection.execute(sa.delete(_HOUSE).where(_HOUSE.c.slug == other))
            if ruling is not None:
                record_ruling(connection, ruling)

    def merged_folders(self, slug: str) -> list[str]:
        """The folders of properties merged into *slug* that may still have files."""
        query = sa.select(_ALIAS.c.folder).where(
            _ALIAS.c.slug == slug, _ALIAS.c.folder.is_not(None)
        )
        with reading(self._engine) as connection:
            return sorted(map(str, connection.execute(query).scalars()))

    def forget_folder(self, folder: str) -> None:
        """Note that the files of a merged property are gone."""
        with writing(self._engine) as connection:
            this = sa.update(_ALIAS).where(_ALIAS.c.folder == folder)
            connection.execute(this.values(folder=None))

    def remove(self, lease: Lease, slug: str, *, at: datetime) -> None:
        """Follow a property no more; its rows stay, and what waits for a run ends.

        Raises:
            InputError: there is no such property, or it is removed.
        """
        # Nobody asks for it meanwhile.
        with writing_jobs(self._engine, shown=False) as connection:
            Leases.fence(connection, lease)
            want(connection)
            _followed_row(connection, slug)
            _update_house(connection, slug, {"removed_at": at})
            let_go(connection, slug, at=at)

    def own_blobs(self, slug: str) -> list[OwnBlob]:
        """The downloaded bytes no other property has, by SHA-256."""
        blob, picture = tables.blob.c, tables.picture.c
        with reading(self._engine) as connection:
            own = _own_sha256s(connection, slug)
            sizes = dict[str, int]()
            recipes: dict[str, list[str]] = {sha: [] for sha in own}
            for some in batches(own, _MANY):
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
        with writing_jobs(self._engine, shown=False) as connection:
            Leases.fence(connection, lease)
            want(connection)
            _lock(connection, "lookalike", "property")
            this = sa.select(_HOUSE).where(
                _HOUSE.c.slug == slug, _HOUSE.c.removed_at.is_not(None)
            )
            if connection.execute(this.with_for_update()).first() is None:
                raise InputError(f"{slug} is not removed: nothing was deleted")
            own, said = _own_sha256s(connection, slug), said_of(connection, slug)
            connection.execute(sa.delete(_ALIKE).where(_ALIKE.c.other_slug == slug))
            forget_items(connection, slug)
            for table in reversed(_OWN):
                connection.execute(sa.delete(table).where(table.c.slug == slug))
            drop_unsaid(connection, said)
            for sha256 in own:
                forget_blob(connection, sha256)
            connection.execute(sa.delete(_HOUSE).where(_HOUSE.c.slug == slug))


# --- adding ---------------------------------------------------------------------------


def _lock(connection: sa.Connection, *names: str) -> None:
    # Two adders that do not see each other's rows would take the same folder or key.
    # SQLite lets only one write anyway.
    if connection.dialect.name == "postgresql":
        listed = ", ".join(names)
        lock = sa.text(f"lock table {listed} in share row exclusive mode")
        connection.execute(lock)


class _Places:
    """What addresses mean within one transaction, and which keys and folders are free.

    Houses placed here are known to those that follow.
    """

    def __init__(
        self, meanings: Meanings, *, keys: set[str], folders: set[str]
    ) -> None:
        self._meanings = meanings
        self._keys = keys
        self._folders = folders
        self._placed: dict[str, Property] = {}

    @classmethod
    def of(cls, connection: sa.Connection) -> "_Places":
        meanings = all_meanings(connection)
        aliases = connection.execute(sa.select(_ALIAS.c.alias, _ALIAS.c.folder)).all()
        rows = meanings.rows.values()
        return cls(
            meanings,
            keys=set(meanings.rows) | {row.alias for row in aliases},
            folders={row.folder for row in (*rows, *aliases) if row.folder},
        )

    def meant_by(self, address: Address) -> Property | None:
        """The house an address means."""
        slug = self._meanings.slug_of(address)
        if slug is None:
            return self._placed.get(address.match_key)
        return property_of(self._meanings.rows[slug])

    def is_removed(self, slug: str) -> bool:
        """Whether a house that was there before is followed no more."""
        row = self._meanings.rows.get(slug)
        return row is not None and row.removed_at is not None

    def place(self, house: Property) -> Property:
        """Give a new house a key and a folder nobody has."""
        folder = _free_folder(house.address, self._folders)
        placed = replace(
            house, slug=_free_key(house.address, self._keys), folder=folder
        )
        self._keys.add(placed.slug)
        self._folders.add(folder)
        self._placed[house.address.match_key] = placed
        return placed


def _free_key(address: Address, taken: Collection[str]) -> str:
    """The key of an address; a number follows where another house has that one.

    "47-32 Davis Rd" and "47 32 Davis Rd" are two houses with one key.
    """
    keys = (f"{address.slug}-{n}" if n > 1 else address.slug for n in count(1))
    return next(key for key in keys if key not in taken)


def _free_folder(address: Address, taken: Collection[str]) -> str:
    for salt in range(_FOLDER_TRIES):
        folder = address.folder_id(salt)
        if folder not in taken:
            return folder
    raise CatalogError(f"no free folder id for {address.slug} in {_FOLDER_TRIES} tries")


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
        raise UnknownPropertyError(
            f"there is no property {slug} any more", "see `phx properties list`"
        )
    return row


def _renamed(connection: sa.Connection, old: Property, address: Address) -> Property:
    """Return a property with another address, and with the key that follows from it."""
    meanings = all_meanings(connection)
    meant = _other_meant(meanings, old, address)
    if meant not in {old.slug, None}:
        raise InputError(_why_taken(meanings, address, str(meant), slug=old.slug))
    aliases = connection.execute(sa.select(_ALIAS.c.alias, _ALIAS.c.slug)).all()
    taken = {*meanings.rows, *(row.alias for row in aliases if row.slug != old.slug)}
    return replace(old, slug=_free_key(address, taken - {old.slug}), address=address)


def _other_meant(meanings: Meanings, old: Property, address: Address) -> str | None:
    """The key of the property an address means; a twin counts only as it is spelled."""
    meant = meanings.slug_of(address)
    if meant != old.slug and address.match_key == old.address.match_key:
        return meant if meant == address.slug else old.slug
    return meant


def _why_taken(meanings: Meanings, address: Address, meant: str, *, slug: str) -> str:
    row = meanings.rows[meant]
    if row.match_key != address.match_key:
        return f"{address} is another address of {meant}: rename that one back first"
    if row.removed_at is not None:
        return (
            f"{address} is a removed property: `phx properties remove {meant} --purge` "
            "deletes it for good, then rename"
        )
    return (
        f"{address} is a property of its own: if both are the same house, "
        f"`phx properties merge {meant} {slug}` makes them one"
    )


def _values(row: AnyRow, new: Property) -> dict[str, Any]:
    """The columns of a renamed property; it is a twin no more of what it was."""
    values = property_values(new)
    return values | {"twin": row.twin if values["match_key"] == row.match_key else 0}


def _move(connection: sa.Connection, row: AnyRow, new: Property) -> None:
    """Move all rows of a property to its new key.

    Neither database lets a key change under the rows that point to it, so the new
    row comes first and the old one goes last.
    """
    meanwhile = {"folder": _NO_FOLDER, "match_key": f"{_NO_FOLDER} {row.slug}"}
    _update_house(connection, row.slug, meanwhile)
    # No lease of the new key was ever the one of a finished publication.
    values = {**row._mapping, **_values(row, new), "published_epoch": 0}  # noqa: SLF001 - SQLAlchemy's public name
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
    moved = [renamed_pair(row, old, new) for row in rows]
    if moved:
        connection.execute(sa.insert(_ALIKE), moved)


def _note_alias(
    connection: sa.Connection, old: Property, slug: str, *, at: datetime
) -> None:
    connection.execute(sa.delete(_ALIAS).where(_ALIAS.c.alias == slug))
    values = {"alias": old.slug, "slug": slug, "address": str(old.address)}
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
    for some in batches(found, _MANY):
        for table in (_PHOTO, shown):
            others = sa.select(table.c.sha256).where(
                table.c.sha256.in_(some), table.c.slug != slug
            )
            shared |= set(connection.execute(others).scalars())
    return [sha for sha in found if sha not in shared]


def followed(column: sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
    """The condition that a key is one of a property that is not removed.

    Asked of each row found: a set of all properties would be where SQLite begins.
    """
    gone = _HOUSE.alias("gone")
    return ~sa.exists().where(gone.c.slug == column, gone.c.removed_at.is_not(None))
