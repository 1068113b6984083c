"""Job rows: written in one transaction, dispatched once."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from phx_pipeline.catalog import tables
from phx_pipeline.catalog.engine import reading, writing
from phx_pipeline.catalog.rows import AnyRow
from phx_pipeline.catalog.views import want
from phx_pipeline.model.job import JobItem, Mode, run_key_of
from phx_pipeline.model.source import Source

FOLLOW_UP: Final = "settle-"
"""How the ids of jobs begin that one property's run asked for because of another."""

_MOST_KEYS: Final = 5_000  # in one query


class JobBook:
    """The jobs of the catalogue; what became of an item, Dagster knows."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def submit(
        self,
        job_id: str,
        slugs: Sequence[str],
        *,
        sources: Sequence[Source],
        at: datetime,
        mode: Mode = Mode.FRESH,
        unless_waiting: bool = False,
    ) -> list[str]:
        """Write a job and its items, first in first out; empty *sources* means all.

        A slug given twice is one item. With *unless_waiting* those are left out that
        wait for a run of any job, and no job is written if none is left.

        Returns:
            The slugs of the items.
        """
        asked = list(dict.fromkeys(slugs))
        with writing(self._engine) as connection:
            if unless_waiting:
                there = {item.slug for item in _waiting_among(connection, asked)}
                asked = [slug for slug in asked if slug not in there]
                if not asked:
                    return []
            _write(connection, job_id, asked, sources=sources, at=at, mode=mode)
        return asked

    def join(
        self,
        job_id: str,
        slugs: Sequence[str],
        *,
        sources: Sequence[Source],
        at: datetime,
        mode: Mode,
        queued: Collection[JobItem] = (),
    ) -> dict[str, str]:
        """Ask for a run of each of *slugs*, unless one that does the same is to come.

        No job is written if all are to come.

        Args:
            job_id: of the job that is written.
            slugs: the properties, first in first out.
            sources: as in `submit`.
            at: now.
            mode: fresh or resume.
            queued: items whose runs exist and have not begun.

        Returns:
            For each slug the job whose run it gets, *job_id* or an older one.
        """
        asked = dict.fromkeys(slugs, job_id)
        with writing(self._engine) as connection:
            to_come = [*queued, *_waiting_among(connection, asked)]
            same = [it for it in to_come if it.covers(sources=sources, mode=mode)]
            asked |= {it.slug: it.job_id for it in same if it.slug in asked}
            left = [slug for slug, job in asked.items() if job == job_id]
            if left or not asked:
                _write(connection, job_id, left, sources=sources, at=at, mode=mode)
        return asked

    def called_on(self, slugs: Collection[str]) -> set[str]:
        """Those of *slugs* that wait for a run because of another property."""
        with reading(self._engine) as connection:
            return {slug for _, slug in connection.execute(_FOLLOWERS)} & set(slugs)

    def withdraw(self, slugs: Collection[str]) -> None:
        """Forget what *slugs* wait for because of others: it has been done."""
        job, item = tables.job, tables.job_item
        with writing(self._engine) as connection:
            for job_id, slug in connection.execute(_FOLLOWERS).all():
                if slug not in slugs:
                    continue
                this = sa.and_(item.c.job_id == job_id, item.c.slug == slug)
                connection.execute(sa.delete(item).where(this))
                rest = sa.exists().where(item.c.job_id == job.c.id)
                connection.execute(sa.delete(job).where(job.c.id == job_id, ~rest))
                want(connection)

    def waiting(self, *, limit: int) -> list[JobItem]:
        """The oldest items without a run, at most *limit*."""
        item, job = tables.job_item, tables.job
        query = (
            _items()
            .where(item.c.dispatched_at.is_(None))
            .order_by(job.c.created_at, job.c.id, item.c.position)
            .limit(limit)
        )
        return self._read(query)

    def items(self, job_id: str) -> list[JobItem]:
        """All items of a job, in order; empty for an unknown job."""
        item = tables.job_item
        query = _items().where(item.c.job_id == job_id).order_by(item.c.position)
        return self._read(query)

    def mark_dispatched(self, items: Collection[JobItem], *, at: datetime) -> None:
        """Note that the runs of *items* exist."""
        table = tables.job_item
        with writing(self._engine) as connection:
            for item in items:
                connection.execute(
                    sa.update(table)
                    .where(table.c.job_id == item.job_id, table.c.slug == item.slug)
                    .values(dispatched_at=at)
                )

    def _read(self, query: sa.Select[Any]) -> list[JobItem]:
        with reading(self._engine) as connection:
            return [_item_of(row) for row in connection.execute(query)]


def _items() -> sa.Select[Any]:
    item, job = tables.job_item, tables.job
    columns = (item.c.job_id, item.c.slug, item.c.attempt, item.c.dispatched_at)
    of_job = (job.c.created_at, job.c.sources, job.c.mode)
    return sa.select(*columns, *of_job).join(job, job.c.id == item.c.job_id)


def _item_of(row: AnyRow) -> JobItem:
    return JobItem(
        job_id=row.job_id,
        slug=row.slug,
        attempt=row.attempt,
        run_key=run_key_of(row.job_id, row.attempt, row.slug),
        requested_at=row.created_at,
        sources=tuple(Source(name) for name in row.sources),
        mode=Mode(row.mode),
        dispatched_at=row.dispatched_at,
    )


def _write(
    connection: sa.Connection,
    job_id: str,
    slugs: Sequence[str],
    *,
    sources: Sequence[Source],
    at: datetime,
    mode: Mode,
) -> None:
    want(connection)
    named = [source.value for source in sources]
    connection.execute(
        sa.insert(tables.job).values(
            id=job_id, created_at=at, sources=named, mode=mode.value
        )
    )
    items = [
        {"job_id": job_id, "slug": slug, "position": index, "attempt": 1}
        for index, slug in enumerate(slugs)
    ]
    if items:
        connection.execute(sa.insert(tables.job_item), items)


def _waiting_among(connection: sa.Connection, slugs: Collection[str]) -> list[JobItem]:
    """The items of *slugs* whose runs have not begun; who asks at once waits.

    A run that was launched just now may have begun, and learns nothing more.
    """
    house, item, run = tables.house, tables.job_item, tables.run
    keys = sorted(set(slugs))
    for start in range(0, len(keys), _MOST_KEYS):
        these = house.c.slug.in_(keys[start : start + _MOST_KEYS])
        query = sa.select(house.c.slug).where(these).order_by(house.c.slug)
        connection.execute(query.with_for_update(key_share=True))
    begun = sa.exists().where(run.c.job_id == item.c.job_id, run.c.slug == item.c.slug)
    waits = _items().where(item.c.dispatched_at.is_(None), ~begun)
    found = (_item_of(row) for row in connection.execute(waits))
    wanted = set(keys)
    return [each for each in found if each.slug in wanted]


# Items that wait because of another property: few at any time.
_FOLLOWERS = sa.select(tables.job_item.c.job_id, tables.job_item.c.slug).where(
    tables.job_item.c.dispatched_at.is_(None),
    tables.job_item.c.job_id.startswith(FOLLOW_UP),
)
