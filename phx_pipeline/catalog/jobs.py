"""Jobs as people ask for them, call them off and ask again: each one transaction.

How items come to their runs is in `catalog.dispatch`, how jobs are shown in
`catalog.job_views`.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from phx_pipeline.catalog import job_views, tables
from phx_pipeline.catalog.engine import reading
from phx_pipeline.catalog.job_intake import Intake, Order, write_new
from phx_pipeline.catalog.job_items import (
    ITEM,
    JOB,
    book_cancelled,
    book_recorded,
    followed,
    forget_empty,
    item_of,
    items_query,
    never_asked,
    writing_jobs,
)
from phx_pipeline.catalog.job_sharing import is_to_come, shared_by, waiting
from phx_pipeline.catalog.job_ties import ahead_of, sharers
from phx_pipeline.catalog.job_usage import usage_of
from phx_pipeline.catalog.views import want_of_jobs
from phx_pipeline.errors import InputError
from phx_pipeline.model.access import AuditNote
from phx_pipeline.model.job import (
    PHX,
    Job,
    JobItem,
    JobRequest,
    JobState,
    Mode,
    Origin,
    Submitted,
)
from phx_pipeline.model.usage import Usage

FOLLOW_UP: Final = "settle-"
"""How the ids of jobs begin that one property's run asked for because of another."""

_AGAIN: Final = (JobState.FAILED.value, JobState.PARTIAL.value)
_TOLD: Final = 3  # keys of unknown houses in a message


@dataclass(frozen=True, slots=True, kw_only=True)
class CalledOff:
    """A job that was called off: what is booked, and whose runs are to be ended."""

    booked: tuple[JobItem, ...] = ()
    to_end: tuple[JobItem, ...] = ()


class JobBook:
    """The jobs of the catalogue."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._intake = Intake(engine)

    # --- asking ---

    def submit(
        self,
        job_id: str,
        request: JobRequest,
        *,
        at: datetime,
        check: Callable[[Usage], None] | None = None,
        note: AuditNote | None = None,
    ) -> Submitted:
        """Write a job and its items; those that wait for the same share one run.

        Threads that ask at the same time share a transaction.

        Args:
            job_id: of the new job.
            request: a property named twice is one item, the first stands first.
            at: now.
            check: raises if the user may not ask for more at present.
            note: stands in the audit trail from the same moment on as a new job.

        Raises:
            IdempotencyError: the user used the key for another request.
            InputError: a property is not followed.
        """
        order = Order(job_id=job_id, request=request, at=at, check=check, note=note)
        return self._intake.submit(order)

    def call_on(
        self,
        job_id: str,
        slugs: Sequence[str],
        *,
        at: datetime,
        origin: Origin = Origin.FOLLOW_UP,
    ) -> list[str]:
        """Ask for a run of each of *slugs* that waits for none; nobody did so himself.

        No job is written if all wait.

        Returns:
            Those asked for.
        """
        with writing_jobs(self._engine, shown=False) as connection:
            there = {it.slug for it in waiting(connection, slugs) if is_to_come(it)}
            asked = [slug for slug in dict.fromkeys(slugs) if slug not in there]
            if not asked:
                return []
            want_of_jobs(connection)
            request = JobRequest(
                slugs=tuple(asked),
                user=PHX,
                mode=Mode.RESUME,
                origin=origin,
            )
            write_new(connection, Order(job_id=job_id, request=request, at=at))
        return asked

    def called_on(self, slugs: Collection[str]) -> set[str]:
        """Those of *slugs* that wait for a run because of another property."""
        with reading(self._engine) as connection:
            return {slug for _, slug in connection.execute(_FOLLOWERS)} & set(slugs)

    def withdraw(self, slugs: Collection[str]) -> None:
        """Forget what *slugs* wait for because of others: it has been done.

        A run that somebody else waits for, too, is still to come.
        """
        other = tables.job_item.alias("other")
        shared = sa.exists().where(
            other.c.run_job == ITEM.job_id,
            other.c.slug == ITEM.slug,
            other.c.job_id != ITEM.job_id,
            other.c.state.is_(None),
        )
        with writing_jobs(self._engine) as connection:
            for job_id, slug in connection.execute(_FOLLOWERS).all():
                if slug in slugs:
                    this = sa.and_(ITEM.job_id == job_id, ITEM.slug == slug, ~shared)
                    connection.execute(sa.delete(tables.job_item).where(this))
                    forget_empty(connection, [job_id])

    # --- calling off, asking again ---

    def cancel(self, job_id: str, *, at: datetime) -> CalledOff | None:
        """Call a job off: items whose runs are not needed by others end with these.

        The others are booked at once. An item whose run recorded its end stays as it
        is shown, and so does a job that ended.

        Returns:
            None if there is no such job.
        """
        with writing_jobs(self._engine) as connection:
            if not _exists(connection, job_id):
                return None
            mine = items_query().where(ITEM.job_id == job_id, ITEM.state.is_(None))
            items = [item_of(row) for row in connection.execute(mine)]
            ended = job_views.recorded_ends(connection, job_id)
            for item in items:
                if end := ended.get(item.slug):
                    book_recorded(connection, item, end)
            items = [item for item in items if item.slug not in ended]
            if not items:
                return CalledOff()
            this = sa.update(tables.job).where(JOB.id == job_id)
            connection.execute(this.values(cancelled_at=at))
            shared = sharers(connection, job_id)
            to_end = [it for it in items if it.slug not in shared and _is_made(it)]
            stays = {item.slug for item in to_end}
            booked = [item for item in items if item.slug not in stays]
            book_cancelled(connection, job_id, besides=stays, shared=shared, at=at)
        return CalledOff(booked=tuple(booked), to_end=tuple(to_end))

    def retry(self, job_id: str, *, at: datetime) -> list[str]:
        """Ask again for the properties of a job that failed or are partial.

        Returns:
            Their keys; none if there is nothing to ask again.

        Raises:
            InputError: runs of the job are being cancelled.
        """
        with writing_jobs(self._engine) as connection:
            query = items_query().where(ITEM.job_id == job_id).order_by(ITEM.position)
            items = [item_of(row) for row in connection.execute(query)]
            ended = job_views.recorded_ends(connection, job_id)
            going_on = [it for it in items if not it.state and it.slug not in ended]
            if any(item.cancelled_at for item in going_on):
                raise InputError(
                    f"job {job_id} is being cancelled: retry it once all its runs ended"
                )
            states = {slug: end.state for slug, end in ended.items()}
            again = [it for it in items if states.get(it.slug, it.state) in _AGAIN]
            slugs = followed(connection, [item.slug for item in again])
            again = [item for item in again if item.slug in slugs]
            if again:
                shared = shared_by(connection, _again(again))
                for item in again:
                    _ask_again(connection, item, shared.get(item.slug), at=at)
                this = sa.update(tables.job).where(JOB.id == job_id)
                connection.execute(this.values(cancelled_at=None))
        return [item.slug for item in again]

    # --- reading ---

    def followed(self, slugs: Collection[str]) -> set[str]:
        """Those of *slugs* that a job may be asked for."""
        with reading(self._engine) as connection:
            return followed(connection, slugs)

    def never_asked(self, slugs: Collection[str]) -> set[str]:
        """Those that are followed and have had no run, and no job that asks for one."""
        with reading(self._engine) as connection:
            return never_asked(connection, slugs)

    def waiting(self, *, limit: int) -> list[JobItem]:
        """The oldest items without a run, at most *limit*."""
        query = (
            items_query()
            .where(ITEM.dispatched_at.is_(None), ITEM.state.is_(None))
            .order_by(JOB.created_at, JOB.id, ITEM.position)
            .limit(limit)
        )
        return self._read(query)

    def items(self, job_id: str) -> list[JobItem]:
        """All items of a job, in order; empty for an unknown job."""
        query = items_query().where(ITEM.job_id == job_id).order_by(ITEM.position)
        return self._read(query)

    def job(self, job_id: str) -> Job | None:
        """One job as it is shown; None for an unknown one."""
        return self.several([job_id]).get(job_id)

    def several(self, job_ids: Collection[str]) -> dict[str, Job]:
        """Those jobs of *job_ids* that there are, as one read sees them."""
        # PostgreSQL does not take every text.
        ids = [job_id for job_id in job_ids if job_id.isprintable()]
        with reading(self._engine) as connection:
            rows = connection.execute(_OF_IDS, {"ids": ids}).all()
            found = job_views.jobs_of(connection, rows) if rows else []
        return {job.job_id: job for job in found}

    def newest(
        self,
        *,
        limit: int,
        user: str | None = None,
        before: tuple[datetime, str] | None = None,
    ) -> list[Job]:
        """The newest jobs, the newest first, each with its properties and their states.

        Args:
            limit: at most so many, and fewer when they have very many properties.
            user: only those of this user.
            before: `created_at` and id of the last one of the page before.
        """
        query = sa.select(tables.job)
        if user is not None:
            query = query.where(JOB.user == user)
        if before is not None:
            query = query.where(sa.tuple_(JOB.created_at, JOB.id) < _tuple(before))
        with reading(self._engine) as connection:
            rows = job_views.newest_rows(connection, query, limit=limit)
            return job_views.jobs_of(connection, rows)

    def ahead_of(self, job_id: str) -> dict[str, str]:
        """The jobs whose runs come before those of a job, by property."""
        with reading(self._engine) as connection:
            return ahead_of(connection, job_id)

    def usage(self, user: str, *, at: datetime) -> Usage:
        """What a user asked for lately."""
        with reading(self._engine) as connection:
            return usage_of(connection, user, at=at)

    def _read(self, query: sa.Select[Any]) -> list[JobItem]:
        with reading(self._engine) as connection:
            return [item_of(row) for row in connection.execute(query)]


def _tuple(values: tuple[datetime, str]) -> sa.Tuple:
    at, job_id = values
    return sa.tuple_(sa.literal(at, JOB.created_at.type), sa.literal(job_id))


_OF_IDS: Final = sa.select(tables.job).where(
    JOB.id.in_(sa.bindparam("ids", expanding=True))
)


# --- calling off, asking again --------------------------------------------------------


def _is_made(item: JobItem) -> bool:
    """Whether there is a run of an item, which can be ended."""
    return item.dispatched_at is not None and not item.is_to_be_made


def _again(items: Sequence[JobItem]) -> JobRequest:
    """What one job asks once more."""
    first = items[0]
    return JobRequest(
        slugs=tuple(item.slug for item in items),
        user=first.user,
        sources=first.sources,
        mode=Mode.RESUME,
        priority=first.priority,
    )


def _ask_again(
    connection: sa.Connection, item: JobItem, shared: JobItem | None, *, at: datetime
) -> None:
    attempt = item.attempt + 1
    values = {
        "run_job": shared.run_job if shared else item.job_id,
        "run_attempt": shared.run_attempt if shared else attempt,
        "asked_at": shared.asked_at if shared else None,
        "dispatched_at": shared.dispatched_at if shared else None,
        "run_id": shared.run_id if shared else None,
    }
    values |= {"attempt": attempt, "requested_at": at}
    values |= {"state": None, "ended_at": None, "error": ""}
    this = sa.and_(ITEM.job_id == item.job_id, ITEM.slug == item.slug)
    connection.execute(sa.update(tables.job_item).where(this).values(values))


def _exists(connection: sa.Connection, job_id: str) -> bool:
    query = sa.select(JOB.id).where(JOB.id == job_id)
    return connection.execute(query).first() is not None


# Items that wait because of another property: few at any time.
_FOLLOWERS = sa.select(ITEM.job_id, ITEM.slug).where(
    ITEM.dispatched_at.is_(None),
    ITEM.state.is_(None),
    ITEM.job_id.startswith(FOLLOW_UP),
)
