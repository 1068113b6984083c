"""Jobs that stand for what began elsewhere: runs that nobody's job made, and backfills.

Which runs these are is told by `catalog.dispatch`.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from phx_pipeline.catalog import tables
from phx_pipeline.catalog.job_items import (
    ITEM,
    JOB,
    followed,
    item_of,
    items_query,
    reopen,
    this_item,
    update,
)
from phx_pipeline.model.job import UNKNOWN, JobItem, Origin, adopted_id
from phx_pipeline.model.run_queue import SeenBackfill, SeenRun

_MOST_OF_NAME: Final = 200  # anybody may write a tag, and the column holds no more


def adopt_runs(
    connection: sa.Connection, runs: Sequence[SeenRun], *, at: datetime
) -> None:
    """Write jobs and items for runs that began elsewhere, the oldest first."""
    by_job: dict[str, list[SeenRun]] = {}
    known = followed(connection, {run.slug for run in runs})
    for run in runs:
        if run.slug in known:
            job_id = adopted_id(
                root_run_id=run.root_run_id, backfill_id=run.backfill_id
            )
            by_job.setdefault(job_id, []).append(run)
    for job_id, of_job in by_job.items():
        _adopt_job(connection, job_id, of_job[0], origin=_origin_of(of_job[0]))
        newest = {run.slug: run for run in of_job}
        _adopt_items(connection, job_id, newest, at=at)


def missing_of(connection: sa.Connection, backfill: SeenBackfill) -> list[str]:
    """The followed properties of a backfill that its job does not have."""
    query = sa.select(ITEM.slug).where(ITEM.job_id == _job_of(backfill))
    there = set(connection.execute(query).scalars())
    missing = [slug for slug in dict.fromkeys(backfill.slugs) if slug not in there]
    known = followed(connection, missing)
    return [slug for slug in missing if slug in known]


def adopt_backfill(
    connection: sa.Connection, backfill: SeenBackfill, *, at: datetime
) -> None:
    """Write the job of a backfill with all its properties; runs come one by one."""
    job_id = _job_of(backfill)
    slugs = missing_of(connection, backfill)
    _adopt_job(connection, job_id, backfill, origin=Origin.BACKFILL)
    rows = [
        _adopted_values(job_id, slug, requested_at=backfill.created_at)
        for slug in slugs
    ]
    _append(connection, job_id, rows, at=at)


def _job_of(backfill: SeenBackfill) -> str:
    return adopted_id(root_run_id="", backfill_id=backfill.backfill_id)


def _origin_of(run: SeenRun) -> Origin:
    if run.backfill_id:
        return Origin.BACKFILL
    return Origin.LAUNCH if run.job_id else run.origin


def _adopt_job(
    connection: sa.Connection,
    job_id: str,
    run: SeenRun | SeenBackfill,
    *,
    origin: Origin,
) -> None:
    if connection.execute(sa.select(JOB.id).where(JOB.id == job_id)).first():
        return
    values = {
        "id": job_id,
        "created_at": run.created_at,
        "sources": [source.value for source in run.sources],
        "mode": run.mode.value,
        "user": (run.user or UNKNOWN)[:_MOST_OF_NAME],
        "origin": origin.value,
    }
    connection.execute(sa.insert(tables.job).values(values))


def _adopt_items(
    connection: sa.Connection, job_id: str, newest: dict[str, SeenRun], *, at: datetime
) -> None:
    of_job = ITEM.job_id == job_id
    there = items_query().where(of_job, ITEM.slug.in_(newest))
    for item in map(item_of, connection.execute(there).all()):
        _take_up(connection, item, newest.pop(item.slug))
    rows = [
        _adopted_values(
            job_id, run.slug, requested_at=run.created_at, run_id=run.run_id
        )
        for run in newest.values()
    ]
    _append(connection, job_id, rows, at=at)


def _append(
    connection: sa.Connection,
    job_id: str,
    rows: Sequence[Mapping[str, Any]],
    *,
    at: datetime,
) -> None:
    """Write items behind those that a job has."""
    last = sa.select(sa.func.max(ITEM.position)).where(ITEM.job_id == job_id)
    before = connection.execute(last).scalar_one()
    first = 0 if before is None else before + 1
    values = [
        {**row, "position": position, "dispatched_at": at}
        for position, row in enumerate(rows, start=first)
    ]
    if values:
        connection.execute(sa.insert(tables.job_item), values)


def _take_up(connection: sa.Connection, item: JobItem, run: SeenRun) -> None:
    """Note a later run of an item; one that has ended is open again."""
    since = item.ended_at if item.state and item.run_id else item.requested_at
    if since and run.created_at < since:
        return  # of an attempt before this one, or it had ended before that was booked
    if item.state is None:
        update(connection, this_item(item), run_id=run.run_id)
    else:
        reopen(connection, item, run)


def _adopted_values(
    job_id: str, slug: str, *, requested_at: datetime, run_id: str | None = None
) -> dict[str, Any]:
    return {
        "job_id": job_id,
        "slug": slug,
        "attempt": 1,
        "requested_at": requested_at,
        "run_job": job_id,
        "run_attempt": 1,
        "run_id": run_id,
    }
