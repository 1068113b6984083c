"""The rows of one property joined to those of another that is the same house."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from phx_pipeline.catalog import tables
from phx_pipeline.catalog.door import passing, photo_rows, recount
from phx_pipeline.catalog.facts import drop_unsaid, said_of
from phx_pipeline.catalog.kept_reviews import keep_reviews
from phx_pipeline.catalog.rows import AnyRow
from phx_pipeline.catalog.withdrawn import withdrawn_values
from phx_pipeline.model.change import What
from phx_pipeline.model.outcome import ListingOutcome, Verdict
from phx_pipeline.model.photo import PhotoKey
from phx_pipeline.model.source import Source
from phx_pipeline.model.stamp import Stamp

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ALIKE = tables.lookalike
# What a photo has once it was downloaded.
_BYTES = (
    *("sha256", "asked_url", "fetched_url", "downloaded_at", "detail"),
    *("fault_days", "faulted_on"),
)
_DECIDED = (Verdict.KEPT.value, Verdict.DUPLICATE.value)


def join_rows(
    connection: sa.Connection, keep: str, other: str, *, stamp: Stamp
) -> None:
    """Give *keep* everything *other* has; what both have stays as *keep* has it.

    Joined photos are decided anew; the numbers of *other*'s files are nobody's. Of a
    photo or a source both have, the changes of *keep* go on and *other*'s are dropped:
    mixed by their times they would tell of neither.
    """
    _join_lookalikes(connection, keep, other)
    _drop_told_twice(connection, keep, other)
    _join_photos(connection, keep, other, stamp=stamp)
    _choose_listings(connection, keep, other, stamp=stamp)
    shown = tables.publication
    connection.execute(sa.delete(shown).where(shown.c.slug == other))
    said = said_of(connection, other)
    for table in tables.metadata.sorted_tables:
        if table not in {tables.house, _ALIKE} and "slug" in table.c:
            _move_missing(connection, table, keep, other)
    drop_unsaid(connection, said)
    recount(connection, keep)


def _move_missing(
    connection: sa.Connection, table: sa.Table, keep: str, other: str
) -> None:
    keys = [column for column in table.primary_key if column.name != "slug"]
    if len(keys) < len(table.primary_key):
        mine = table.alias("mine")
        same = (mine.c[column.name] == column for column in keys)
        there = sa.exists().where(mine.c.slug == keep, *same)
        connection.execute(sa.delete(table).where(table.c.slug == other, there))
    theirs = sa.update(table).where(table.c.slug == other)
    connection.execute(theirs.values(slug=keep))


def _drop_told_twice(connection: sa.Connection, keep: str, other: str) -> None:
    """Drop what is told of *other* about photos and sources that *keep* has as well."""
    told, photo, listing = tables.change, tables.photo.c, tables.listing.c
    its_photo = sa.exists().where(
        photo.slug == keep,
        photo.source == told.c.source,
        photo.photo_key == told.c.photo_key,
    )
    its_source = sa.exists().where(
        listing.slug == keep,
        listing.source == told.c.source,
        sa.or_(told.c.photo_key == "", told.c.what == What.FACT.value),
    )
    this = sa.and_(told.c.slug == other, sa.or_(its_photo, its_source))
    connection.execute(sa.delete(told).where(this))


def _join_photos(
    connection: sa.Connection, keep: str, other: str, *, stamp: Stamp
) -> None:
    """Prepare both sides for the move: what both have will be *keep*'s row."""
    mine = photo_rows(connection, keep)
    theirs = photo_rows(connection, other)
    gone = {key for key in mine.keys() & theirs.keys() if _is_gone(mine, theirs, key)}
    keep_reviews(connection, keep, known=mine, gone=gone)
    keep_reviews(connection, other, known=theirs, gone=gone)
    with passing(connection, other, stamp=stamp) as door:
        for key, row in theirs.items():
            if key not in mine and row.verdict in _DECIDED:
                values = {"verdict": Verdict.PENDING.value, "cluster_id": None}
                door.change(row, values)
    with passing(connection, keep, stamp=stamp) as door:
        for key in mine.keys() & theirs.keys():
            door.change(mine[key], _joined(mine[key], theirs[key]))


def _is_gone(
    mine: Mapping[PhotoKey, AnyRow], theirs: Mapping[PhotoKey, AnyRow], key: PhotoKey
) -> bool:
    return Verdict.WITHDRAWN.value in {mine[key].verdict, theirs[key].verdict}


def _joined(own: AnyRow, theirs: AnyRow) -> dict[str, Any]:
    is_present = own.present or theirs.present
    values = {
        "present": is_present,
        "last_seen_on": None if is_present else own.last_seen_on,
        "first_seen_on": min(own.first_seen_on, theirs.first_seen_on),
    }
    for row in (own, theirs):
        if row.verdict == Verdict.WITHDRAWN.value:  # whatever bytes there are must go
            sha256 = own.sha256 or theirs.sha256
            return values | withdrawn_values(row.detail) | {"sha256": sha256}
    if own.sha256 is None and theirs.sha256 is not None:
        values |= {name: theirs._mapping[name] for name in _BYTES}  # noqa: SLF001 - SQLAlchemy's public name
        if own.verdict != Verdict.FOREIGN.value:
            values["verdict"] = Verdict.PENDING.value
    return values


def _choose_listings(
    connection: sa.Connection, keep: str, other: str, *, stamp: Stamp
) -> None:
    """Drop the worse of two listings of one source: the one that says less."""
    listing = tables.listing
    of_both = sa.select(listing).where(listing.c.slug.in_([keep, other]))
    rows = connection.execute(of_both).all()
    mine = {row.source: row for row in rows if row.slug == keep}
    for theirs in rows:
        own = mine.get(theirs.source)
        if theirs.slug == other and own and _worth(theirs) > _worth(own):
            this = sa.and_(listing.c.slug == keep, listing.c.source == own.source)
            connection.execute(sa.delete(listing).where(this))
            with passing(connection, keep, stamp=stamp) as door:
                source = Source(own.source)
                door.note_outcome(source, before=own.outcome, after=theirs.outcome)


def _worth(row: AnyRow) -> tuple[bool, datetime, datetime]:
    listed = row.outcome == ListingOutcome.LISTED.value
    return listed, row.gallery_seen_at or _EPOCH, row.checked_at


def _join_lookalikes(connection: sa.Connection, keep: str, other: str) -> None:
    """Pairs of the two are none any more; those with others are *keep*'s."""
    sides = (_ALIKE.c.slug, _ALIKE.c.other_slug)
    this = sa.or_(*(side == other for side in sides))
    theirs = connection.execute(sa.select(_ALIKE).where(this)).all()
    connection.execute(sa.delete(_ALIKE).where(this))
    mine = sa.select(_ALIKE).where(sa.or_(*(side == keep for side in sides)))
    known = {_pair_key(dict(row._mapping)) for row in connection.execute(mine)}  # noqa: SLF001 - as above
    moved = [renamed_pair(row, other, keep) for row in theirs]
    fresh = {
        key: pair
        for pair in moved
        if pair["slug"] != pair["other_slug"] and (key := _pair_key(pair)) not in known
    }
    if fresh:
        connection.execute(sa.insert(_ALIKE), list(fresh.values()))


def _pair_key(values: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(values[column.name] for column in _ALIKE.primary_key)


def renamed_pair(row: AnyRow, old: str, new: str) -> dict[str, Any]:
    """Return a pair with one side's key renamed; the sides stay in rising order."""
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
    values = dict(row._mapping)  # noqa: SLF001 - as above
    for side, columns in zip(sides, names, strict=True):
        values |= zip(columns, side, strict=True)
    return values
