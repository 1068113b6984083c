"""Which items may share a run: those that wait for one which does all that is asked."""

from collections.abc import Collection, Iterable
from typing import Final

import sqlalchemy as sa

from phx_pipeline.catalog import tables
from phx_pipeline.catalog.job_items import ITEM, JOB, MOST_KEYS, item_of, items_query
from phx_pipeline.model.batches import batches
from phx_pipeline.model.job import JobItem, JobRequest

_RUN: Final = tables.run.c
_OF_RUN: Final = sa.or_(
    _RUN.run_id == ITEM.run_id,
    sa.and_(_RUN.job_id == ITEM.run_job, _RUN.started_at >= ITEM.requested_at),
)
_WAITING: Final = (
    items_query()
    .where(
        ITEM.slug.in_(sa.bindparam("slugs", expanding=True)),
        ITEM.state.is_(None),
        JOB.cancelled_at.is_(None),
        ~sa.exists().where(_RUN.slug == ITEM.slug, _OF_RUN),
    )
    .order_by(ITEM.requested_at, ITEM.job_id)
)


def waiting(connection: sa.Connection, slugs: Collection[str]) -> list[JobItem]:
    """The items of *slugs* whose runs have not begun and are not called off."""
    found: list[JobItem] = []
    for some in batches(sorted(set(slugs)), MOST_KEYS):
        found += map(item_of, connection.execute(_WAITING, {"slugs": some}))
    return found


def is_to_come(item: JobItem) -> bool:
    """Whether no run was launched; one that was may have begun, and learns no more."""
    return item.dispatched_at is None


def shared_by(connection: sa.Connection, request: JobRequest) -> dict[str, JobItem]:
    """By property the item that asked first for a run that does all that is asked."""
    return covering(waiting(connection, request.slugs), request)


def covering(items: Iterable[JobItem], request: JobRequest) -> dict[str, JobItem]:
    """By property the first of *items* whose run does all that is asked.

    A run goes by the most urgent who waits for it, in the catalogue and in Dagster's
    queue. Those of a backfill are shared by nobody: they are behind all jobs.
    """
    found: dict[str, JobItem] = {}
    for item in items:
        covers = item.covers(sources=request.sources, mode=request.mode)
        if covers and not item.is_adopted:
            found.setdefault(item.slug, item)
    return found
