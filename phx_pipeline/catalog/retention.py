"""Forgetting history: rows that no longer explain anything.

What is current never goes: of a photo its last attempt, of a property its last run.
Nor do changes and rulings (`change`, `ruling`): histories are told from them.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from phx_pipeline.catalog import tables
from phx_pipeline.catalog.engine import reading, writing
from phx_pipeline.catalog.views import want
from phx_pipeline.model.identity import run_lease
from phx_pipeline.model.message import ALERTS_SINCE, DeliveryState

# SQLite has one writer at a time: others should not wait long for theirs.
BATCH = 5_000

_AUDIT_KEPT = timedelta(days=365)  # longer than the rest: deeds are asked for late
_TOLD_AT_ONCE = timedelta(days=3)  # longer than what is new is told at once


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgotten:
    """Rows of one table that went in one transaction, or could go."""

    table: str
    rows: int


class History:
    """The rows of finished work, and how they are forgotten.

    No write here carries a lease: nothing that a stage reads is touched.
    """

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def open_jobs(self) -> frozenset[str]:
        """The ids of jobs with an item that has not ended."""
        item = tables.job_item
        query = sa.select(item.c.job_id).where(item.c.state.is_(None))
        with reading(self._engine) as connection:
            return frozenset(connection.execute(query.distinct()).scalars())

    def newest_moment(self, *, by: datetime) -> datetime | None:
        """When work was last noted, as rows tell that were written last.

        A run that was noted after *by* does not count. None where nothing was noted.
        """
        run = tables.run.c.started_at
        started = sa.select(sa.func.max(run)).where(run <= by)
        rows = (tables.attempt.c, tables.change.c)
        written = [sa.select(it.at).order_by(sa.desc(it.id)).limit(1) for it in rows]
        with reading(self._engine) as connection:
            found = [connection.execute(it).scalar() for it in (started, *written)]
        return max((at for at in found if at is not None), default=None)

    def old(self, *, before: datetime, open_jobs: Collection[str]) -> list[Forgotten]:
        """Count per table what `forget` would delete, in its order."""
        with reading(self._engine) as connection:
            return [
                Forgotten(
                    table=table.name,
                    rows=connection.execute(
                        sa.select(sa.func.count()).select_from(query.subquery())
                    ).scalar_one(),
                )
                for table, query in self._doomed(before=before, open_jobs=open_jobs)
            ]

    def forget(
        self, *, before: datetime, open_jobs: Collection[str]
    ) -> Iterator[Forgotten]:
        """Delete what is older than *before*, telling of each transaction.

        Leaving off in the middle is harmless: the next call goes on.

        Args:
            before: Only rows older than this go.
            open_jobs: Ids of jobs that still have runs to come; they and their rows
                stay, as do those with an item that has not ended.
        """
        for table, query in self._doomed(before=before, open_jobs=open_jobs):
            yield from self._delete(table, query)

    def _doomed(
        self, *, before: datetime, open_jobs: Collection[str]
    ) -> list[tuple[sa.Table, sa.Select[Any]]]:
        jobs = _old_jobs(before=before, kept=open_jobs)
        return [
            (tables.attempt, _old_attempts(before=before)),
            (tables.run, _old_runs(before=before, jobs=jobs)),
            (tables.job_item, _items_of(jobs)),
            (tables.job, jobs),
            (tables.lease, _old_run_leases(before=before)),
            (tables.field_count, _old_field_counts(before=before)),
            (tables.search_turn, _old_turns(before=before)),
            (tables.session, _old_sessions(before=before)),
            (tables.delivery, _old_deliveries(before=before)),
            (tables.audit, _old_deeds(before=before - _AUDIT_KEPT)),
        ]

    def _delete(self, table: sa.Table, query: sa.Select[Any]) -> Iterator[Forgotten]:
        """Delete the rows whose keys *query* selects, in order of their keys."""
        key = sa.tuple_(*table.primary_key)
        ordered = query.order_by(*table.primary_key).limit(BATCH)
        page = ordered
        while keys := self._keys(page):
            with writing(self._engine) as connection:
                gone = connection.execute(sa.delete(table).where(key.in_(keys)))
                want(connection)
            yield Forgotten(table=table.name, rows=gone.rowcount)
            page = ordered.where(key > keys[-1])

    def _keys(self, query: sa.Select[Any]) -> Sequence[tuple[Any, ...]]:
        # Apart from the delete: a long look must not hold the write lock.
        with reading(self._engine) as connection:
            return [tuple(row) for row in connection.execute(query)]


def _old_attempts(*, before: datetime) -> sa.Select[Any]:
    one = tables.attempt
    later = one.alias("later")
    # Ids rise with time, so whatever stands before the first young row is old: without
    # this bound each look would read the young rows too, and they are the many.
    first_young = (
        sa.select(later.c.id)
        .where(later.c.at >= before)
        .order_by(later.c.id)
        .limit(1)
        .scalar_subquery()
    )
    replaced = sa.exists().where(
        later.c.slug == one.c.slug,
        later.c.source == one.c.source,
        later.c.photo_key == one.c.photo_key,
        later.c.id > one.c.id,
    )
    return sa.select(one.c.id).where(
        one.c.id < sa.func.coalesce(first_young, sa.literal(2**62)),
        one.c.at < before,
        replaced,
    )


def _old_runs(*, before: datetime, jobs: sa.Select[Any]) -> sa.Select[Any]:
    one, job = tables.run, tables.job
    later = one.alias("later")
    replaced = sa.exists().where(
        later.c.slug == one.c.slug,
        sa.tuple_(later.c.started_at, later.c.run_id)
        > sa.tuple_(one.c.started_at, one.c.run_id),
    )
    of_a_kept_job = sa.exists().where(job.c.id == one.c.job_id, job.c.id.not_in(jobs))
    return sa.select(one.c.run_id, one.c.slug).where(
        one.c.started_at < before, replaced, ~of_a_kept_job
    )


def _old_jobs(*, before: datetime, kept: Collection[str]) -> sa.Select[Any]:
    one, item = tables.job, tables.job_item
    alive = sa.exists().where(
        item.c.job_id == one.c.id,
        item.c.state.is_(None) | (item.c.ended_at >= before),
    )
    return sa.select(one.c.id).where(
        one.c.created_at < before, ~alive, one.c.id.not_in(sorted(kept))
    )


def _items_of(jobs: sa.Select[Any]) -> sa.Select[Any]:
    item = tables.job_item
    return sa.select(item.c.job_id, item.c.slug).where(item.c.job_id.in_(jobs))


def _old_run_leases(*, before: datetime) -> sa.Select[Any]:
    # Only those of runs: the epoch of a property's lease guards its writes for ever.
    lease = tables.lease
    return sa.select(lease.c.name).where(
        lease.c.name.startswith(run_lease(""), autoescape=True),
        lease.c.heartbeat_at < before.timestamp(),
        lease.c.expires_at < before.timestamp(),
    )


def _old_field_counts(*, before: datetime) -> sa.Select[Any]:
    """The counts of days before; a day in Phoenix ends later than in UTC."""
    one = tables.field_count
    return sa.select(*one.primary_key).where(one.c.seen_on < before.date())


def _old_turns(*, before: datetime) -> sa.Select[Any]:
    """What searches found on days before; the proposals themselves stay."""
    one = tables.search_turn
    return sa.select(*one.primary_key).where(one.c.on < before.date())


def _old_sessions(*, before: datetime) -> sa.Select[Any]:
    one = tables.session
    return sa.select(*one.primary_key).where(one.c.expires_at < before)


def _old_deeds(*, before: datetime) -> sa.Select[Any]:
    one = tables.audit
    return sa.select(*one.primary_key).where(one.c.at < before)


def _old_deliveries(*, before: datetime) -> sa.Select[Any]:
    # The newest digest of a channel tells where the next one begins.
    # Of those that were not told the next one looks at all since then.
    one = tables.delivery
    untold = one.alias("untold")
    told = (DeliveryState.SENT.value, DeliveryState.PASSED_ON.value)
    begins = sa.select(sa.func.min(untold.c.from_at)).where(
        untold.c.channel == one.c.channel,
        untold.c.from_at.is_not(None),
        untold.c.state.not_in(told),
    )
    later = one.alias("later")
    replaced = sa.exists().where(
        later.c.channel == one.c.channel,
        later.c.from_at.is_not(None),
        later.c.booked_at > one.c.booked_at,
    )
    is_alert = sa.and_(
        one.c.from_at.is_(None), one.c.state == DeliveryState.GIVEN_UP.value
    )
    over = sa.or_(one.c.state.in_(told), is_alert)
    # From when on there are alerts is known for ever.
    passing = one.c.key != ALERTS_SINCE
    limit = before - _TOLD_AT_ONCE
    first = begins.scalar_subquery()
    # One that was ahead of a clock ends where it began, and told of what is later.
    ends = sa.or_(one.c.from_at.is_(None), one.c.from_at < one.c.booked_at)
    is_before = sa.or_(first.is_(None), sa.and_(one.c.booked_at < first, ends))
    old = sa.and_(one.c.booked_at < limit, is_before)
    return sa.select(*one.primary_key).where(old, over, replaced, passing)
