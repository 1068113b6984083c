"""Photos that may be of another house: who is held and why, and who is alike.

A photo is held by its verdict `rejected:foreign`, for a reason that has a row here or
because a person dropped it (`catalog.rulings`). A row nobody ruled on goes when its
reason does.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from phx_pipeline.catalog import tables
from phx_pipeline.catalog.door import passing, photo_rows
from phx_pipeline.catalog.engine import reading, writing
from phx_pipeline.catalog.leases import Lease, Leases
from phx_pipeline.catalog.properties import followed
from phx_pipeline.catalog.rows import AnyRow
from phx_pipeline.catalog.rulings import newest_of
from phx_pipeline.model.batches import batches
from phx_pipeline.model.outcome import Verdict
from phx_pipeline.model.photo import PhotoKey
from phx_pipeline.model.quarantine import (
    Held,
    Likeness,
    Lookalike,
    PhotoAt,
    Reason,
    SeenLookalike,
    Suspicion,
)
from phx_pipeline.model.ruling import About, PhotoRuling, Ruling
from phx_pipeline.model.source import Source
from phx_pipeline.model.stamp import Stamp

_HELD = tables.quarantine
_ALIKE = tables.lookalike
_PHOTO = tables.photo
_SHOWN = (Verdict.KEPT.value, Verdict.DUPLICATE.value)
_REMOVED = sa.select(tables.house.c.slug).where(tables.house.c.removed_at.is_not(None))
_MANY = 500  # values in one statement; SQLite allows 32,766


class QuarantineBook:
    """Reads and writes of `quarantine` and `lookalike`."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def held(self, slug: str | None = None) -> list[Held]:
        """All photos that are or were held or ruled on, of one property or of all.

        None of removed properties.
        """
        query = sa.select(_HELD).where(followed(_HELD.c.slug))
        if slug is not None:
            query = query.where(_HELD.c.slug == slug)
        with reading(self._engine) as connection:
            rows = connection.execute(query).all()
            slugs = None if slug is None else [slug]
            ruled = newest_of(connection, About.PHOTO, slugs)
            removed = set(connection.execute(_REMOVED).scalars())
        found = {_photo_at(row): _held_of(row) for row in rows}
        for (of, source, key), ruling in ruled.items():
            if source is None or of in removed or ruling.value == PhotoRuling.OPEN:
                continue
            photo = PhotoAt(slug=of, source=source, photo_key=key)
            held = found.get(photo) or _ruled_alone(photo, ruling)
            found[photo] = replace(held, ruling=PhotoRuling(ruling.value))
        return sorted(found.values(), key=lambda held: held.photo)

    def lookalikes(self, slug: str | None = None) -> list[SeenLookalike]:
        """All recorded pairs, of one property or of all; none with a removed one."""
        query = sa.select(_ALIKE).where(
            followed(_ALIKE.c.slug), followed(_ALIKE.c.other_slug)
        )
        if slug is not None:
            query = query.where(_involves(slug))
        found = map(_lookalike_of, self._all(query))
        return sorted(found, key=lambda seen: (seen.pair.one, seen.pair.other))

    def partners(self, slug: str) -> list[str]:
        """The properties that share any photo key with *slug*, whatever was ruled.

        Removed ones are left out, but *slug* may be removed itself.
        """
        theirs = _PHOTO.alias("theirs")
        query = _sharing(slug, theirs).with_only_columns(theirs.c.slug).distinct()
        return sorted(row.slug for row in self._all(query))

    def shared_keys(self, slug: str) -> list[tuple[PhotoKey, PhotoAt]]:
        """The photos of *slug* whose key another property has too, with each of those.

        Once a person dropped it on one side, the photo is no longer on both.
        """
        query = _sharing(slug, _PHOTO.alias("theirs"))
        with reading(self._engine) as connection:
            shared = sorted(map(_photo_at, connection.execute(query)))
            sides = {slug, *(photo.slug for photo in shared)}
            rulings = newest_of(connection, About.PHOTO, sides)
        dropped = {
            subject
            for subject, ruling in rulings.items()
            if ruling.value == PhotoRuling.DROPPED
        }
        return [
            ((photo.source, photo.photo_key), photo)
            for photo in shared
            if dropped.isdisjoint(
                (side, photo.source, photo.photo_key) for side in (slug, photo.slug)
            )
        ]

    def mls_ids(self, slug: str) -> dict[Source, str]:
        """The MLS id of each source's listing, where it stated one."""
        listing = tables.listing.c
        query = sa.select(listing.source, listing.mls_id).where(
            listing.slug == slug, listing.mls_id.is_not(None)
        )
        return {Source(row.source): row.mls_id for row in self._all(query)}

    def shown_with(self, sha256s: Collection[str]) -> list[tuple[str, PhotoAt]]:
        """The kept and duplicate photos that have some of these bytes, with them."""
        found: list[tuple[str, PhotoAt]] = []
        wanted = sorted(sha256s)
        for some in batches(wanted, _MANY):
            query = sa.select(
                _PHOTO.c.sha256, _PHOTO.c.slug, _PHOTO.c.source, _PHOTO.c.photo_key
            ).where(
                _PHOTO.c.sha256.in_(some),
                _PHOTO.c.verdict.in_(_SHOWN),
                followed(_PHOTO.c.slug),
            )
            found += [(row.sha256, _photo_at(row)) for row in self._all(query)]
        return sorted(found)

    def hold(
        self,
        lease: Lease,
        slug: str,
        suspects: Mapping[PhotoKey, Suspicion],
        *,
        stamp: Stamp,
    ) -> bool:
        """Make exactly *suspects* and what a person dropped the held photos of *slug*.

        Released photos are never held. Where a held photo had been decided, all names
        of the property are forgotten with it, so that they come out as if it had never
        been there: whichever property was looked at first.

        Returns:
            Whether a verdict changed.
        """
        with writing(self._engine) as connection:
            Leases.fence(connection, lease)
            rulings = _rulings_of(connection, slug)
            known = _held_rows(connection, slug)
            _update_reasons(
                connection, slug, suspects, known=known, rulings=rulings, at=stamp.at
            )
            foreign = _foreign(suspects, rulings)
            photos = photo_rows(connection, slug)
            held = {
                key
                for key, row in photos.items()
                if key in foreign and row.verdict != Verdict.WITHDRAWN.value
            }
            caught = [key for key in held if not _is_foreign(photos[key])]
            freed = [
                key
                for key in sorted({*known, *rulings} - held)
                if _is_foreign(photos.get(key))
            ]
            clusters = {photos[key].cluster_id for key in caught} - {None}
            with passing(connection, slug, stamp=stamp) as door:
                for key in caught:
                    door.change(photos[key], _marked(Verdict.FOREIGN))
                for key in freed:
                    door.change(photos[key], _marked(Verdict.PENDING))
                for key, row in photos.items():
                    if key not in held and row.cluster_id in clusters:
                        door.change(row, _UNDECIDED)
            if clusters:
                _forget_names(connection, slug)
        return bool(caught or freed)

    def record_lookalikes(
        self, lease: Lease, slug: str, found: Iterable[Lookalike], *, at: datetime
    ) -> None:
        """Make *found* the pairs of *slug*; those known keep when they were seen."""
        wanted = {(pair.one, pair.other): pair for pair in found}
        with writing(self._engine) as connection:
            Leases.fence(connection, lease)
            rows = connection.execute(sa.select(_ALIKE).where(_involves(slug))).all()
            known = {
                (seen.pair.one, seen.pair.other): seen.pair
                for seen in map(_lookalike_of, rows)
            }
            for sides, pair in known.items():
                if sides not in wanted:
                    connection.execute(sa.delete(_ALIKE).where(_this_pair(pair)))
            for sides, pair in wanted.items():
                if known.get(sides) != pair:
                    _upsert_pair(connection, pair, at=at)

    def _all(self, query: sa.Select[Any]) -> Sequence[AnyRow]:
        with reading(self._engine) as connection:
            return connection.execute(query).all()


def _sharing(slug: str, theirs: sa.FromClause) -> sa.Select[Any]:
    """Photos of other properties, not removed, that have a key of *slug*."""
    mine = _PHOTO.alias("mine")
    same = sa.and_(
        theirs.c.source == mine.c.source, theirs.c.photo_key == mine.c.photo_key
    )
    return (
        sa.select(theirs.c.slug, theirs.c.source, theirs.c.photo_key)
        .select_from(mine.join(theirs, same))
        .where(mine.c.slug == slug, theirs.c.slug != slug, followed(theirs.c.slug))
    )


def _held_rows(connection: sa.Connection, slug: str) -> dict[PhotoKey, AnyRow]:
    rows = connection.execute(sa.select(_HELD).where(_HELD.c.slug == slug))
    return {(Source(row.source), row.photo_key): row for row in rows}


def _rulings_of(connection: sa.Connection, slug: str) -> dict[PhotoKey, PhotoRuling]:
    return {
        (source, key): PhotoRuling(ruling.value)
        for (_, source, key), ruling in newest_of(
            connection, About.PHOTO, [slug]
        ).items()
        if source is not None
    }


def _ruled_alone(photo: PhotoAt, ruling: Ruling) -> Held:
    return Held(
        photo=photo,
        suspicion=Suspicion(reason=Reason.PERSON, detail=ruling.why),
        ruling=PhotoRuling(ruling.value),
        first_seen_at=ruling.at,
    )


def _foreign(
    suspects: Mapping[PhotoKey, Suspicion], rulings: Mapping[PhotoKey, PhotoRuling]
) -> set[PhotoKey]:
    released = {key for key, it in rulings.items() if it is PhotoRuling.RELEASED}
    dropped = {key for key, it in rulings.items() if it is PhotoRuling.DROPPED}
    return (set(suspects) - released) | dropped


def _is_foreign(row: AnyRow | None) -> bool:
    return row is not None and row.verdict == Verdict.FOREIGN.value


def _update_reasons(
    connection: sa.Connection,
    slug: str,
    suspects: Mapping[PhotoKey, Suspicion],
    *,
    known: Mapping[PhotoKey, AnyRow],
    rulings: Mapping[PhotoKey, PhotoRuling],
    at: datetime,
) -> None:
    for key in known:
        is_open = rulings.get(key, PhotoRuling.OPEN) is PhotoRuling.OPEN
        if key not in suspects and is_open:
            connection.execute(sa.delete(_HELD).where(_this(_HELD, _at(slug, key))))
    for key, suspicion in suspects.items():
        told = {"reason": suspicion.reason.value, "detail": suspicion.detail}
        if key not in known:
            own = {"slug": slug, "source": key[0].value, "photo_key": key[1]}
            fresh = own | told | {"first_seen_at": at}
            connection.execute(sa.insert(_HELD).values(fresh))
        elif (known[key].reason, known[key].detail) != tuple(told.values()):
            this = _this(_HELD, _at(slug, key))
            connection.execute(sa.update(_HELD).where(this).values(told))


_UNDECIDED: Mapping[str, object] = {
    "verdict": Verdict.PENDING.value,
    "cluster_id": None,
}


def _marked(verdict: Verdict) -> Mapping[str, object]:
    return {"verdict": verdict.value, "cluster_id": None, "detail": ""}


def _forget_names(connection: sa.Connection, slug: str) -> None:
    for table in (tables.category, tables.publication):
        connection.execute(sa.delete(table).where(table.c.slug == slug))


def _upsert_pair(connection: sa.Connection, pair: Lookalike, *, at: datetime) -> None:
    values = {
        "likeness": pair.likeness.value,
        "phash_distance": pair.phash_distance,
        "dhash_distance": pair.dhash_distance,
    }
    update = sa.update(_ALIKE).where(_this_pair(pair)).values(values)
    if connection.execute(update).rowcount:
        return
    try:
        with connection.begin_nested():
            own = _pair_key(pair) | {"first_seen_at": at}
            connection.execute(sa.insert(_ALIKE).values(own | values))
    except sa.exc.IntegrityError:  # the other property's run was first
        connection.execute(update)


def _pair_key(pair: Lookalike) -> dict[str, object]:
    return {
        "slug": pair.one.slug,
        "source": pair.one.source.value,
        "photo_key": pair.one.photo_key,
        "other_slug": pair.other.slug,
        "other_source": pair.other.source.value,
        "other_key": pair.other.photo_key,
    }


def _this_pair(pair: Lookalike) -> sa.ColumnElement[bool]:
    return sa.and_(*(_ALIKE.c[name] == v for name, v in _pair_key(pair).items()))


def _involves(slug: str) -> sa.ColumnElement[bool]:
    return sa.or_(_ALIKE.c.slug == slug, _ALIKE.c.other_slug == slug)


def _this(table: sa.Table, photo: PhotoAt) -> sa.ColumnElement[bool]:
    return sa.and_(
        table.c.slug == photo.slug,
        table.c.source == photo.source.value,
        table.c.photo_key == photo.photo_key,
    )


def _at(slug: str, key: PhotoKey) -> PhotoAt:
    return PhotoAt(slug=slug, source=key[0], photo_key=key[1])


def _photo_at(row: AnyRow) -> PhotoAt:
    return PhotoAt(slug=row.slug, source=Source(row.source), photo_key=row.photo_key)


def _held_of(row: AnyRow) -> Held:
    return Held(
        photo=_photo_at(row),
        suspicion=Suspicion(reason=Reason(row.reason), detail=row.detail),
        ruling=PhotoRuling.OPEN,
        first_seen_at=row.first_seen_at,
    )


def _lookalike_of(row: AnyRow) -> SeenLookalike:
    other = PhotoAt(
        slug=row.other_slug, source=Source(row.other_source), photo_key=row.other_key
    )
    pair = Lookalike(
        one=_photo_at(row),
        other=other,
        likeness=Likeness(row.likeness),
        phash_distance=row.phash_distance,
        dhash_distance=row.dhash_distance,
    )
    return SeenLookalike(pair=pair, first_seen_at=row.first_seen_at)
