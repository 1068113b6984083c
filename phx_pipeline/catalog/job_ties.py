"""What ties items of different jobs: a run that they share, or one that comes before.

Only reads; what follows from a tie is decided by who asks.
"""

from typing import Any

import sqlalchemy as sa

from phx_pipeline.catalog import tables
from phx_pipeline.catalog.job_items import ITEM

_OTHER = tables.job_item.alias("other")
_ITS_JOB = tables.job.alias("its_job")


def sharers(connection: sa.Connection, job_id: str) -> dict[str, str]:
    """Another job that waits for the same run, by property of the open items."""
    same = sa.and_(
        _OTHER.c.run_job == ITEM.run_job, _OTHER.c.run_attempt == ITEM.run_attempt
    )
    return _jobs_of(connection, _others(job_id).where(same))


def ahead_of(connection: sa.Connection, job_id: str) -> dict[str, str]:
    """The job whose run of the same property comes first, by property.

    Two runs of one property are never at work at once, nor in Dagster's queue.
    """
    another = sa.or_(
        _OTHER.c.run_job != ITEM.run_job, _OTHER.c.run_attempt != ITEM.run_attempt
    )
    waits = ITEM.dispatched_at.is_(None) & _OTHER.c.dispatched_at.is_not(None)
    return _jobs_of(connection, _others(job_id).where(another, waits))


def _others(job_id: str) -> sa.Select[Any]:
    """Open items of a job, with those of the same property in jobs that go on."""
    is_open = ITEM.state.is_(None) & _OTHER.c.state.is_(None)
    joined = tables.job_item.join(
        _OTHER, (_OTHER.c.slug == ITEM.slug) & (_OTHER.c.job_id != ITEM.job_id)
    ).join(_ITS_JOB, _ITS_JOB.c.id == _OTHER.c.job_id)
    return (
        sa.select(ITEM.slug, _OTHER.c.job_id)
        .select_from(joined)
        .where(ITEM.job_id == job_id, is_open, _ITS_JOB.c.cancelled_at.is_(None))
        .order_by(_OTHER.c.requested_at.desc(), _OTHER.c.job_id.desc())
    )


def _jobs_of(connection: sa.Connection, query: sa.Select[Any]) -> dict[str, str]:
    """The oldest of the jobs for each property: it is the last row."""
    return {row.slug: row.job_id for row in connection.execute(query)}
