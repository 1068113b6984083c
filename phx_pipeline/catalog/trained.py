"""What reviews taught: a row for each training, and the pictures it may learn from.

What is in a body, and which training is accepted, is decided elsewhere.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from phx_pipeline.catalog import tables
from phx_pipeline.catalog.engine import reading, writing
from phx_pipeline.catalog.locking import insert_missing
from phx_pipeline.catalog.rows import AnyRow
from phx_pipeline.model.taxonomy import Subject

_TABLE = tables.trained_model


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainedRow:
    """One training: the model's bytes and id, and what was found of it.

    A refused one is not `accepted`; one that was taken out of use has the time in
    `retired`.
    """

    id: str
    at: datetime
    who: str
    body: bytes
    report: Mapping[str, Any]
    accepted: bool
    retired: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SurelyNamed:
    """A kept picture whose name is surer than was asked for."""

    sha256: str
    slug: str
    subject: Subject


class TrainedBook:
    """Reads and writes of `trained_model`."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def all(self) -> list[TrainedRow]:
        """Every training, the newest first."""
        query = sa.select(_TABLE).order_by(_TABLE.c.at.desc(), _TABLE.c.id)
        with reading(self._engine) as connection:
            return [_row_of(row) for row in connection.execute(query)]

    def in_use(self) -> list[TrainedRow]:
        """The accepted trainings that are not retired; the first one counts."""
        return [row for row in self.all() if row.accepted and row.retired is None]

    def add(self, row: TrainedRow) -> None:
        """Add a training; one that is accepted counts from now on.

        The same model that was refused or retired before takes its old row's place; one
        that is in use stays as it is.
        """
        with writing(self._engine) as connection:
            stale = sa.or_(_TABLE.c.accepted.is_(False), _TABLE.c.retired.is_not(None))
            if row.accepted:
                same = sa.and_(_TABLE.c.id == row.id, stale)
                connection.execute(sa.delete(_TABLE).where(same))
            insert_missing(connection, _TABLE, _values(row))

    def retire(self, model: str, *, at: datetime) -> None:
        """Take a training out of use; the one before it counts again."""
        this = sa.and_(_TABLE.c.id == model, _TABLE.c.retired.is_(None))
        with writing(self._engine) as connection:
            connection.execute(sa.update(_TABLE).where(this).values(retired=at))

    def surely_named(
        self, *, least: int, per_subject: int, without: Collection[str] = ()
    ) -> list[SurelyNamed]:
        """Return pictures named with a confidence of *least* or more.

        At most *per_subject* of each, by chance but always the same; none of *without*,
        by SHA-256.
        """
        photo, category = tables.photo.c, tables.category.c
        same = sa.and_(
            photo.slug == category.slug,
            photo.source == category.source,
            photo.photo_key == category.photo_key,
        )
        place = sa.func.row_number().over(
            partition_by=category.subject, order_by=(photo.sha256, photo.slug)
        )
        ranked = (
            sa.select(photo.sha256, category.slug, category.subject, place.label("at"))
            .select_from(tables.category.join(tables.photo, same))
            .where(category.confidence >= least, photo.sha256.is_not(None))
            .subquery()
        )
        wanted = sa.select(ranked).where(ranked.c.at <= per_subject + len(without))
        counts: dict[str, int] = {}
        found: dict[str, SurelyNamed] = {}
        with reading(self._engine) as connection:
            for row in connection.execute(wanted.order_by(ranked.c.at)):
                is_new = row.sha256 not in found and row.sha256 not in without
                if is_new and counts.get(row.subject, 0) < per_subject:
                    counts[row.subject] = counts.get(row.subject, 0) + 1
                    found[row.sha256] = SurelyNamed(
                        sha256=row.sha256, slug=row.slug, subject=Subject(row.subject)
                    )
        return list(found.values())


def _values(row: TrainedRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "at": row.at,
        "who": row.who,
        "body": row.body,
        "report": dict(row.report),
        "accepted": row.accepted,
        "retired": row.retired,
    }


def _row_of(row: AnyRow) -> TrainedRow:
    return TrainedRow(
        id=row.id,
        at=row.at,
        who=row.who,
        body=bytes(row.body),
        report=row.report,
        accepted=row.accepted,
        retired=row.retired,
    )
