"""How much somebody asked for lately; what is too much, `jobs.quota` says."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from phx_pipeline.catalog import tables
from phx_pipeline.catalog.job_items import ITEM, JOB
from phx_pipeline.model.job import is_adopted_id
from phx_pipeline.model.moments import newest_past
from phx_pipeline.model.run import Change
from phx_pipeline.model.usage import Usage


def usage_of(connection: sa.Connection, user: str, *, at: datetime) -> Usage:
    """Tell what *user* asked for in the day before *at*."""
    since = at - timedelta(days=1)
    mine = sa.and_(JOB.user == user, _within(JOB.created_at, since, at))
    query = sa.select(JOB.id, JOB.created_at).where(mine).order_by(JOB.created_at)
    asked = connection.execute(query).all()
    is_open = sa.exists().where(ITEM.job_id == JOB.id, ITEM.state.is_(None))
    count = sa.select(sa.func.count()).select_from(tables.job)
    open_jobs = connection.execute(count.where(JOB.user == user, is_open)).scalar_one()
    return Usage(
        asked_at=tuple(row.created_at for row in asked),
        launched_at=tuple(row.created_at for row in asked if is_adopted_id(row.id)),
        open_jobs=open_jobs,
        images=_images_of(connection, user, since=since, at=at),
    )


def _within(
    column: sa.ColumnElement[Any], since: datetime, at: datetime
) -> sa.ColumnElement[bool]:
    """Whether a moment is one of a span: what lies ahead counts in none."""
    return sa.and_(column > since, column <= newest_past(at))


def _images_of(
    connection: sa.Connection, user: str, *, since: datetime, at: datetime
) -> int:
    """New pictures and copies that the runs of a user's jobs found."""
    run = tables.run.c
    of_user = sa.select(JOB.id).where(JOB.user == user)
    query = sa.select(run.result).where(
        _within(run.started_at, since, at), run.job_id.in_(of_user)
    )
    found = connection.execute(query).scalars()
    return sum(map(_downloads, found))


def _downloads(result: Mapping[str, Any]) -> int:
    sources = result.get("sources", {}).values()
    return sum(
        source["counts"].get(change.value, 0)
        for source in sources
        for change in (Change.NEW, Change.DUPLICATE)
    )
