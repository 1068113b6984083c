"""Items of jobs as rows, and the lock under which jobs change.

Who changes jobs by what is found there holds one lock from the first look to the last
write: people who ask and cancel, and however many dispatchers.
"""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from phx_pipeline.catalog import tables
from phx_pipeline.catalog.engine import writing
from phx_pipeline.catalog.rows import AnyRow
from phx_pipeline.catalog.views import want_of_jobs
from phx_pipeline.model.batches import batches
from phx_pipeline.model.isolation import IsolationMode
from phx_pipeline.model.job import (
    JobItem,
    JobProperty,
    JobState,
    Mode,
    Priority,
    run_key_of,
)
from phx_pipeline.model.run_queue import SeenRun
from phx_pipeline.model.source import Source

ITEM: Final = tables.job_item.c
JOB: Final = tables.job.c

LET_GO: Final = "the house is followed no more"
"""Why an item is cancelled that waited for the run of a removed house."""

MOST_KEYS: Final = 5_000  # in one query
_ADVISORY_LOCK: Final = 0x70_68_78_6A  # of PostgreSQL; SQLite has one writer anyway


_FOLLOWED: Final = sa.select(tables.house.c.slug).where(
    tables.house.c.slug.in_(sa.bindparam("slugs", expanding=True)),
    tables.house.c.removed_at.is_(None),
)


@contextmanager
def writing_jobs(engine: sa.Engine, *, shown: bool = True) -> Iterator[sa.Connection]:
    """One write transaction on jobs, one at a time.

    Args:
        engine: of the catalogue.
        shown: the views show what is written. Noted first, as renaming and removing a
            house do: two that wait for one another in turn would never end.
    """
    with writing(engine, by_turns=True) as connection:
        lock_jobs(connection)
        if shown:
            want_of_jobs(connection)
        yield connection


def lock_jobs(connection: sa.Connection) -> None:
    """Wait until nobody else changes jobs, to the end of the transaction."""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_ADVISORY_LOCK)))


def followed(connection: sa.Connection, slugs: Collection[str]) -> set[str]:
    """Those of *slugs* that are keys of properties which are followed."""
    found: set[str] = set()
    for some in batches(sorted(set(slugs)), MOST_KEYS):
        found.update(connection.execute(_FOLLOWED, {"slugs": some}).scalars())
    return found


def never_asked(connection: sa.Connection, slugs: Collection[str]) -> set[str]:
    """Those of *slugs* that are followed, and for which nothing was ever done."""
    left = followed(connection, slugs)
    for of in (tables.job_item, tables.run, tables.publication):
        for some in batches(sorted(left), MOST_KEYS):
            known = sa.select(of.c.slug).where(of.c.slug.in_(some)).distinct()
            left -= set(connection.execute(known).scalars())
    return left


def items_query() -> sa.Select[Any]:
    """All items with what their jobs tell."""
    of_job = (JOB.sources, JOB.mode, JOB.isolation, JOB.user, JOB.priority)
    return sa.select(tables.job_item, *of_job, JOB.cancelled_at).join(
        tables.job, JOB.id == ITEM.job_id
    )


def item_of(row: AnyRow) -> JobItem:
    """Make the item of a row of `items_query`."""
    return JobItem(
        job_id=row.job_id,
        slug=row.slug,
        attempt=row.attempt,
        run_key=run_key_of(row.run_job, row.run_attempt, row.slug),
        requested_at=row.requested_at,
        sources=tuple(Source(name) for name in row.sources),
        mode=mode_of(row.mode, attempt=row.attempt),
        isolation=IsolationMode(row.isolation) if row.isolation else None,
        user=row.user,
        priority=Priority(row.priority),
        asked_at=row.asked_at,
        dispatched_at=row.dispatched_at,
        cancelled_at=row.cancelled_at,
        run_id=row.run_id,
        state=JobState(row.state) if row.state else None,
        ended_at=row.ended_at,
        error=row.error,
    )


def mode_of(mode: str, *, attempt: int) -> Mode:
    """What an item's run asks again: another attempt only what is still open."""
    return Mode(mode) if attempt == 1 else Mode.RESUME


def this_item(item: JobItem) -> sa.ColumnElement[bool]:
    """The row of an item as long as it is open and at the same attempt."""
    return sa.and_(
        ITEM.job_id == item.job_id,
        ITEM.slug == item.slug,
        ITEM.attempt == item.attempt,
        ITEM.state.is_(None),
    )


def same_run(item: JobItem) -> sa.ColumnElement[bool]:
    """The open items that get the run of this one."""
    return sa.and_(
        ITEM.run_job == item.run_job,
        ITEM.run_attempt == item.run_attempt,
        ITEM.slug == item.slug,
        ITEM.state.is_(None),
    )


def book_cancelled(
    connection: sa.Connection,
    job_id: str,
    *,
    besides: Collection[str],
    shared: Mapping[str, str],
    at: datetime,
) -> None:
    """Write that the open items of a job were called off, all at once.

    Args:
        connection: of a transaction on jobs.
        job_id: the job.
        besides: properties whose runs are ended first.
        shared: by property another job that waits for the same run.
        at: now.
    """
    rest = (ITEM.job_id == job_id, ITEM.state.is_(None), ITEM.slug.not_in(besides))
    values = {"state": JobState.CANCELLED.value, "ended_at": at}
    for slug, other in shared.items():
        why = f"its run stays for job {other}, which waits for it too"
        this = sa.and_(*rest, ITEM.slug == slug)
        update(connection, this, **values, error=why)
    update(connection, sa.and_(*rest), **values)


def book_recorded(connection: sa.Connection, item: JobItem, end: JobProperty) -> None:
    """Write of an open item the end that its run has recorded."""
    begun = item.dispatched_at or item.asked_at or end.started_at
    this = sa.update(tables.job_item).where(this_item(item))
    connection.execute(
        this.values(
            state=end.state.value,
            ended_at=end.ended_at,
            error=end.error,
            run_id=end.run_id,
            dispatched_at=begun,
        )
    )


def forget_items(connection: sa.Connection, slug: str) -> None:
    """Delete the items of a house, and jobs that have no other."""
    ids = sa.select(ITEM.job_id).where(ITEM.slug == slug).distinct()
    jobs = connection.execute(ids).scalars().all()
    connection.execute(sa.delete(tables.job_item).where(ITEM.slug == slug))
    forget_empty(connection, jobs)


def forget_empty(connection: sa.Connection, job_ids: Collection[str]) -> None:
    """Delete those of some jobs that have no item left."""
    rest = sa.exists().where(ITEM.job_id == JOB.id)
    for some in batches(sorted(job_ids), MOST_KEYS):
        connection.execute(sa.delete(tables.job).where(JOB.id.in_(some), ~rest))


def ask_at_once(connection: sa.Connection, slug: str) -> None:
    """Ask for the runs of a renamed house without waiting for those of its former key.

    One that comes still fails at its first stage.
    """
    coming = (ITEM.slug == slug, ITEM.state.is_(None), ITEM.dispatched_at.is_(None))
    update(connection, sa.and_(*coming), asked_at=None)


def let_go(connection: sa.Connection, slug: str, *, at: datetime) -> None:
    """End the items that wait for a run of a house which is followed no more."""
    waits = (ITEM.slug == slug, ITEM.state.is_(None), ITEM.dispatched_at.is_(None))
    values = {"state": JobState.CANCELLED.value, "ended_at": at, "error": LET_GO}
    connection.execute(sa.update(tables.job_item).where(*waits).values(values))


def update(
    connection: sa.Connection, where: sa.ColumnElement[bool], **values: Any
) -> None:
    """Write values of items."""
    connection.execute(sa.update(tables.job_item).where(where).values(values))


def reopen(connection: sa.Connection, item: JobItem, run: SeenRun) -> None:
    """Open an item again that has ended, for a later run of it."""
    as_it_was = sa.and_(
        ITEM.job_id == item.job_id,
        ITEM.slug == item.slug,
        ITEM.attempt == item.attempt,
        ITEM.ended_at == item.ended_at,
    )
    values = {"state": None, "ended_at": None, "error": "", "run_id": run.run_id}
    update(connection, as_it_was, requested_at=run.created_at, **values)
