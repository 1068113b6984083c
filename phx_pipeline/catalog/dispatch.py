"""How items of jobs come to their runs, and what becomes of these.

What is to be written is decided in `jobs.tick`. Every write holds only as long as the
item is as it was when that was decided, so two dispatchers, or one that was killed in
between, write the same.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa

from phx_pipeline.catalog import tables
from phx_pipeline.catalog.engine import reading
from phx_pipeline.catalog.job_adoption import adopt_backfill, adopt_runs, missing_of
from phx_pipeline.catalog.job_items import (
    ITEM,
    JOB,
    LET_GO,
    item_of,
    items_query,
    mode_of,
    reopen,
    same_run,
    this_item,
    update,
    writing_jobs,
)
from phx_pipeline.catalog.rows import AnyRow
from phx_pipeline.catalog.runs import record_of, records_query
from phx_pipeline.model.batches import batches
from phx_pipeline.model.dispatch import (
    AskAnew,
    Candidate,
    Claimed,
    Ended,
    Fate,
    Parted,
    Reopened,
    Seen,
)
from phx_pipeline.model.isolation import IsolationMode
from phx_pipeline.model.job import (
    JobItem,
    JobState,
    Priority,
    run_key_of,
)
from phx_pipeline.model.run import RunRecord
from phx_pipeline.model.run_queue import SeenBackfill, SeenRun
from phx_pipeline.model.source import Source

CLAIM: Final = timedelta(seconds=60)
"""How long nobody else asks for a run that one dispatcher asks for."""

_MOST_KEYS: Final = 5_000  # in one query
_BATCH: Final = 200  # runs adopted in one transaction: others wait for it
_BEFORE_ALL: Final = datetime.min.replace(tzinfo=UTC)


class DispatchBook:
    """What the dispatcher reads and writes."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def under_way(self) -> list[JobItem]:
        """The open items whose runs were asked for or seen, and those called off."""
        query = items_query().where(
            ITEM.state.is_(None),
            sa.or_(
                ITEM.dispatched_at.is_not(None),
                ITEM.asked_at.is_not(None),
                JOB.cancelled_at.is_not(None),
            ),
        )
        return self._items(query)

    def of_runs(self, runs: Sequence[SeenRun]) -> list[JobItem]:
        """The items, ended ones too, that got these runs of our jobs."""
        jobs = sorted({run.job_id for run in runs if run.job_id})
        found = self._items_with(runs, ITEM.run_job.in_(jobs))
        keys = {run.run_key for run in runs if run.job_id}
        return [item for item in found if item.run_key in keys]

    def strangers(self, runs: Sequence[SeenRun]) -> list[SeenRun]:
        """Those of *runs* that began elsewhere: no job of ours asked for them.

        Tags may name a job all the same: one that was forgotten or made up, or that
        has asked again before somebody had the run of an earlier attempt repeated.
        """
        jobs = sorted({run.job_id for run in runs if run.job_id})
        named = ITEM.run_job.in_(jobs) | ITEM.job_id.in_(jobs)
        items = self._items_with(runs, named)
        keys = {item.run_key for item in items}
        asked_at = {(item.job_id, item.slug): item.requested_at for item in items}
        return [
            run
            for run in runs
            if run.job_id is None
            or (
                run.run_key not in keys
                and run.created_at > asked_at.get((run.job_id, run.slug), _BEFORE_ALL)
            )
        ]

    def records(self, run_ids: Collection[str]) -> dict[tuple[str, str], RunRecord]:
        """What runs themselves recorded, by run and property."""
        run, ids = tables.run.c, sorted(run_ids)
        found: dict[tuple[str, str], RunRecord] = {}
        with reading(self._engine) as connection:
            for batch in batches(ids, _MOST_KEYS):
                some = run.run_id.in_(batch)
                for row in connection.execute(records_query().where(some)):
                    found[row.run_id, row.slug] = record_of(row)
        return found

    def book(self, fates: Sequence[Fate], *, at: datetime) -> None:
        """Write what became of items; nothing where they changed since."""
        if not fates:
            return
        news = [it for it in fates if not (isinstance(it, Ended) and it.is_shown)]
        with writing_jobs(self._engine, shown=bool(news)) as connection:
            for fate in fates:
                _book(connection, fate, at=at)

    def users_of(self, run_ids: Collection[str]) -> set[str]:
        """Whose items wait for these runs."""
        found: set[str] = set()
        ids = sorted(run_ids)
        for batch in batches(ids, _MOST_KEYS):
            some = ITEM.run_id.in_(batch)
            items = self._items(items_query().where(some, ITEM.state.is_(None)))
            found |= {item.user for item in items}
        return found

    def adopt(self, runs: Sequence[SeenRun], *, at: datetime) -> None:
        """Write jobs and items for runs that no job tells of; known ones are updated.

        Runs of properties that are not followed are passed over.
        """
        news = sorted(self._news(runs), key=lambda run: run.created_at)
        for some in batches(news, _BATCH):
            with writing_jobs(self._engine) as connection:
                adopt_runs(connection, some, at=at)

    def adopt_backfills(
        self, backfills: Sequence[SeenBackfill], *, at: datetime
    ) -> None:
        """Write jobs with all properties of backfills, whose runs come one by one."""
        for backfill in backfills:
            with reading(self._engine) as connection:
                if not missing_of(connection, backfill):
                    continue
            with writing_jobs(self._engine) as connection:
                adopt_backfill(connection, backfill, at=at)

    def newest_job(self) -> str | None:
        """The id of the job that was asked for last; None before the first."""
        query = sa.select(JOB.id).order_by(JOB.created_at.desc()).limit(1)
        with reading(self._engine) as connection:
            return connection.execute(query).scalar()

    def has_waiting(self) -> bool:
        """Whether an item waits for a run that nobody asked for yet, or long ago."""
        query = sa.select(sa.literal(1)).select_from(
            tables.job_item.join(tables.job, JOB.id == ITEM.job_id)
        )
        with reading(self._engine) as connection:
            found = connection.execute(query.where(_WAITS).limit(1)).first()
        return found is not None

    def claim(
        self,
        choose: Callable[[Sequence[Candidate], Sequence[Candidate]], list[Candidate]],
        *,
        most: int,
        at: datetime,
    ) -> list[Claimed]:
        """Choose items to launch, and keep others from launching them for a while.

        Args:
            choose: gets the first waiting items of each job, and those that somebody
                asks for at present; returns those whose turn it is, in order.
            most: how many items of a job are looked at.
            at: now.
        """
        with writing_jobs(self._engine, shown=False) as connection:
            turns = _turns_of_users(connection)
            chosen = choose(*_candidates(connection, turns, most=most, at=at))
            if not chosen:
                return []
            claimed = _claimed(connection, chosen)
            _serve(connection, claimed, after=max(turns.values()), at=at)
        return claimed

    def _items(self, query: sa.Select[Any]) -> list[JobItem]:
        with reading(self._engine) as connection:
            return [item_of(row) for row in connection.execute(query)]

    def _items_with(
        self, runs: Sequence[SeenRun], which: sa.ColumnElement[bool]
    ) -> list[JobItem]:
        """Items of the properties of runs that name a job."""
        slugs = sorted({run.slug for run in runs if run.job_id})
        found: list[JobItem] = []
        for batch in batches(slugs, _MOST_KEYS):
            some = ITEM.slug.in_(batch)
            found += self._items(items_query().where(which, some))
        return found

    def _news(self, runs: Sequence[SeenRun]) -> list[SeenRun]:
        """Those of *runs* that no item tells of yet."""
        known: set[tuple[str, str]] = set()
        slugs = sorted({run.slug for run in runs})
        with reading(self._engine) as connection:
            for batch in batches(slugs, _MOST_KEYS):
                some = ITEM.slug.in_(batch)
                query = sa.select(ITEM.run_id, ITEM.slug).where(some)
                known.update(
                    (row.run_id, row.slug) for row in connection.execute(query)
                )
        return [run for run in runs if (run.run_id, run.slug) not in known]


# --- what became of items -------------------------------------------------------------


def _book(connection: sa.Connection, fate: Fate, *, at: datetime) -> None:
    match fate:
        case Seen(item=item, run_id=run_id):
            first = sa.func.coalesce(ITEM.dispatched_at, at)
            update(connection, same_run(item), dispatched_at=first, run_id=run_id)
        case Ended(item=item):
            update(
                connection,
                this_item(item),
                state=fate.state.value,
                ended_at=fate.ended_at,
                error=fate.error,
                dispatched_at=sa.func.coalesce(ITEM.dispatched_at, at),
                run_id=fate.run_id or item.run_id,
            )
        case AskAnew(item=item):
            _ask_anew(connection, same_run(item), at=at)
        case Parted(item=item):
            own = {"run_job": item.job_id, "run_attempt": item.attempt}
            as_it_was = this_item(item) & (ITEM.run_job == item.run_job)
            _ask_anew(connection, as_it_was, at=at, **own)
        case Reopened(item=item, run=run):
            reopen(connection, item, run)


def _ask_anew(
    connection: sa.Connection,
    these: sa.ColumnElement[bool],
    *,
    at: datetime,
    **values: Any,
) -> None:
    house = tables.house.c
    followed = sa.exists().where(house.slug == ITEM.slug, house.removed_at.is_(None))
    gone = {"state": JobState.CANCELLED.value, "ended_at": at}
    gone["error"] = LET_GO
    update(connection, sa.and_(these, ~followed), **gone)
    waits = {"dispatched_at": None, "asked_at": None, "run_id": None}
    update(connection, sa.and_(these, followed), **waits, **values)


# --- whose turn it is -----------------------------------------------------------------

_WAITS: Final = sa.and_(
    ITEM.state.is_(None), ITEM.dispatched_at.is_(None), JOB.cancelled_at.is_(None)
)


def _candidates(
    connection: sa.Connection, turns: Mapping[str, int], *, most: int, at: datetime
) -> tuple[list[Candidate], list[Candidate]]:
    """The first waiting items of each job, and those that somebody asks for now."""
    is_asked = sa.func.coalesce(_is_claimed(at), sa.false())
    place = sa.func.row_number().over(
        partition_by=(ITEM.job_id, is_asked), order_by=ITEM.position
    )
    labels = (is_asked.label("is_asked"), place.label("place"))
    waits = _waiting().add_columns(*labels).subquery()
    some = sa.select(waits).where(waits.c.is_asked | (waits.c.place <= most))
    found: tuple[list[Candidate], list[Candidate]] = ([], [])
    for row in connection.execute(some):
        found[row.is_asked].append(_candidate_of(row, turns))
    return found


def _waiting() -> sa.Select[Any]:
    house = tables.house.c
    of_run = (ITEM.run_job, ITEM.run_attempt, ITEM.requested_at)
    of_item = (ITEM.job_id, ITEM.slug, ITEM.position, *of_run)
    return (
        sa.select(*of_item, JOB.user, JOB.priority, JOB.created_at, JOB.turn)
        .join(tables.job, JOB.id == ITEM.job_id)
        .join(tables.house, house.slug == ITEM.slug)
        .where(_WAITS, house.removed_at.is_(None))
    )


def _is_claimed(at: datetime) -> sa.ColumnElement[bool]:
    return sa.and_(ITEM.asked_at > at - CLAIM, ITEM.asked_at < at + CLAIM)


def _turns_of_users(connection: sa.Connection) -> Mapping[str, int]:
    query = sa.select(JOB.user, sa.func.max(JOB.turn).label("turn")).group_by(JOB.user)
    return {row.user: row.turn for row in connection.execute(query)}


def _candidate_of(row: AnyRow, turns: Mapping[str, int]) -> Candidate:
    return Candidate(
        job_id=row.job_id,
        slug=row.slug,
        run_key=run_key_of(row.run_job, row.run_attempt, row.slug),
        user=row.user,
        priority=Priority(row.priority),
        created_at=row.created_at,
        position=row.position,
        requested_at=row.requested_at,
        job_turn=row.turn,
        user_turn=turns[row.user],
    )


def _claimed(connection: sa.Connection, chosen: Sequence[Candidate]) -> list[Claimed]:
    these = [sa.and_(ITEM.job_id == it.job_id, ITEM.slug == it.slug) for it in chosen]
    rows = connection.execute(items_query().where(sa.or_(*these)))
    items = {(item.job_id, item.slug): item for item in map(item_of, rows)}
    owners = {item.run_job for item in items.values()}
    query = sa.select(tables.job).where(JOB.id.in_(sorted(owners)))
    jobs = {row.id: row for row in connection.execute(query)}
    return [_claim_of(it, items[it.job_id, it.slug], jobs) for it in chosen]


def _claim_of(
    candidate: Candidate, item: JobItem, jobs: Mapping[str, AnyRow]
) -> Claimed:
    """What the run of an item does: as the one of *jobs* asked that was first."""
    owner = jobs.get(item.run_job)
    if owner is None:  # forgotten: the run does what the item itself asks
        sources, mode, isolation = item.sources, item.mode, item.isolation
    else:
        sources = tuple(Source(name) for name in owner.sources)
        mode = mode_of(owner.mode, attempt=item.run_attempt)
        isolation = IsolationMode(owner.isolation) if owner.isolation else None
    return Claimed(
        item=item,
        sources=sources,
        mode=mode,
        isolation=isolation,
        is_late=candidate.is_late,
    )


def _serve(
    connection: sa.Connection, claimed: Sequence[Claimed], *, after: int, at: datetime
) -> None:
    """Write that items are asked for, and that their jobs were served in this order."""
    runs = sa.or_(*(same_run(each.item) for each in claimed))
    update(connection, runs, asked_at=at)
    turns = {it.item.job_id: turn for turn, it in enumerate(claimed, start=after + 1)}
    these = sa.update(tables.job).where(JOB.id.in_(sorted(turns)))
    connection.execute(these.values(turn=sa.case(turns, value=JOB.id)))
