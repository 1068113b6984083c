"""Job rows: written in one transaction, dispatched once."""

from collections.abc import Collection, Sequence
from datetime import datetime

import sqlalchemy as sa

from phx_pipeline.catalog import tables
from phx_pipeline.catalog.engine import reading, writing
from phx_pipeline.catalog.views import want
from phx_pipeline.model.job import JobItem, Mode
from phx_pipeline.model.source import Source


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
    ) -> None:
        """Write a job and its items, first in first out; empty *sources* means all.

        A slug given twice is one item.
        """
        with writing(self._engine) as connection:
            want(connection)
            connection.execute(
                sa.insert(tables.job).values(
                    id=job_id,
                    created_at=at,
                    sources=[s.value for s in sources],
                    mode=mode.value,
                )
            )
            items = [
                {"job_id": job_id, "slug": slug, "position": index, "attempt": 1}
                for index, slug in enumerate(dict.fromkeys(slugs))
            ]
            if items:
                connection.execute(sa.insert(tables.job_item), items)

    def waiting(self, *, limit: int) -> list[JobItem]:
        """The oldest items without a run, at most *limit*."""
        item, job = tables.job_item, tables.job
        query = (
            self._items()
            .where(item.c.dispatched_at.is_(None))
            .order_by(job.c.created_at, job.c.id, item.c.position)
            .limit(limit)
        )
        return self._read(query)

    def items(self, job_id: str) -> list[JobItem]:
        """All items of a job, in order; empty for an unknown job."""
        item = tables.job_item
        query = self._items().where(item.c.job_id == job_id).order_by(item.c.position)
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

    @staticmethod
    def _items() -> sa.Select[tuple[object, ...]]:
        item, job = tables.job_item, tables.job
        columns = (item.c.job_id, item.c.slug, item.c.attempt, item.c.dispatched_at)
        return sa.select(*columns, job.c.sources, job.c.mode).join(
            job, job.c.id == item.c.job_id
        )

    def _read(self, query: sa.Select[tuple[object, ...]]) -> list[JobItem]:
        with reading(self._engine) as connection:
            return [
                JobItem(
                    job_id=row.job_id,
                    slug=row.slug,
                    attempt=row.attempt,
                    sources=tuple(Source(name) for name in row.sources),
                    mode=Mode(row.mode),
                    dispatched_at=row.dispatched_at,
                )
                for row in connection.execute(query)
            ]
