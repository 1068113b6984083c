"""Jobs as they are shown: what their rows, and those of runs, tell of each property.

Nothing here asks Dagster: how an item ended is booked (`catalog.dispatch`).
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import sqlalchemy as sa

from phx_pipeline.catalog import tables
from phx_pipeline.catalog.job_items import ITEM, JOB, item_of, items_query
from phx_pipeline.catalog.rows import AnyRow
from phx_pipeline.catalog.runs import record_of, records_query
from phx_pipeline.model.isolation import IsolationMode
from phx_pipeline.model.job import Job, JobProperty, Mode, Origin, Priority
from phx_pipeline.model.run import RunRecord, job_property
from phx_pipeline.model.source import Source

# A job may have all properties: no view of 1,000 of them is to take more memory than
# this many rows.
_MOST_ROWS: Final = 20_000

Records = Mapping[tuple[str, str], Sequence[RunRecord]]

# Made once: to put a statement together takes longer than the database does for a job.
_OF_JOBS: Final = ITEM.job_id.in_(sa.bindparam("ids", expanding=True))
_ITEMS: Final = (
    items_query()
    .add_columns(tables.house.c.address, tables.house.c.folder)
    .join(tables.house, tables.house.c.slug == ITEM.slug)
    .where(_OF_JOBS)
    .order_by(ITEM.position)
)
_RUN: Final = tables.run.c
_RECORDS: Final = (
    records_query()
    .add_columns(ITEM.job_id.label("for_job"))
    .join(tables.job_item, ITEM.slug == _RUN.slug)
    .where(
        _OF_JOBS,
        sa.or_(
            _RUN.run_id == ITEM.run_id,
            _RUN.job_id == ITEM.job_id,
            sa.and_(_RUN.job_id == ITEM.run_job, _RUN.started_at >= ITEM.requested_at),
        ),
    )
    .order_by(_RUN.started_at, _RUN.run_id)
)


def newest_rows(
    connection: sa.Connection, query: sa.Select[Any], *, limit: int
) -> list[AnyRow]:
    """The newest jobs of *query*, fewer where they have very many properties."""
    size = sa.select(sa.func.count()).where(ITEM.job_id == JOB.id).scalar_subquery()
    ordered = (
        query.add_columns(size.label("size"))
        .order_by(sa.desc(JOB.created_at), sa.desc(JOB.id))
        .limit(limit)
    )
    found: list[AnyRow] = []
    left = _MOST_ROWS
    for row in connection.execute(ordered):
        if found and row.size > left:
            break
        found.append(row)
        left -= row.size
    return found


def jobs_of(connection: sa.Connection, rows: Sequence[AnyRow]) -> list[Job]:
    """Make the jobs of rows of `job`, in the given order."""
    of_job = _properties_of(connection, [row.id for row in rows])
    return [_job_of(row, of_job.get(row.id, [])) for row in rows]


def _properties_of(
    connection: sa.Connection, ids: Sequence[str], *which: sa.ColumnElement[bool]
) -> dict[str, list[JobProperty]]:
    """The properties of jobs, by job and in order; with *which* only those items."""
    query = _ITEMS.where(*which) if which else _ITEMS
    records = _records_of(connection, ids)
    of_job: dict[str, list[JobProperty]] = {}
    for item in connection.execute(query, {"ids": ids}):
        of_job.setdefault(item.job_id, []).append(_property_of(item, records))
    return of_job


def recorded_ends(connection: sa.Connection, job_id: str) -> dict[str, JobProperty]:
    """The open items of a job whose runs have recorded how they ended, by property.

    A job is shown as ended by that. What is done to it then must not tell otherwise
    because nobody has booked it yet.
    """
    was_asked = ITEM.asked_at.is_not(None) | ITEM.dispatched_at.is_not(None)
    found = _properties_of(connection, [job_id], ITEM.state.is_(None), was_asked)
    items = found.get(job_id, [])
    return {item.slug: item for item in items if item.state.is_final}


def _records_of(
    connection: sa.Connection, ids: Sequence[str]
) -> dict[tuple[str, str], list[RunRecord]]:
    """By job and property the runs that were made for it, the oldest first.

    An item that shares a run has those of its owner from the time it was asked for.
    """
    found: dict[tuple[str, str], list[RunRecord]] = {}
    for row in connection.execute(_RECORDS, {"ids": ids}):
        found.setdefault((row.for_job, row.slug), []).append(record_of(row))
    return found


def _property_of(row: AnyRow, records: Records) -> JobProperty:
    return job_property(
        item_of(row),
        address=row.address,
        folder=row.folder,
        records=records.get((row.job_id, row.slug), ()),
    )


def _job_of(row: AnyRow, items: Sequence[JobProperty]) -> Job:
    return Job(
        job_id=row.id,
        user=row.user,
        origin=Origin(row.origin),
        priority=Priority(row.priority),
        mode=Mode(row.mode),
        sources=tuple(Source(name) for name in row.sources),
        isolation=IsolationMode(row.isolation) if row.isolation else None,
        created_at=row.created_at,
        cancelled_at=row.cancelled_at,
        items=tuple(items),
    )
