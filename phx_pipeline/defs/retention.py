"""Forgetting old runs of Dagster, and nothing that an asset's state rests on.

Dagster knows what is materialized by the events of runs alone: deleting the run of a
partition's newest materialization un-materializes it. So the runs with the newest event
of anything are found first, and only of the others some may go.

`DagsterInstance.delete_run` is not used. It deletes the run before its events, so a
kill between them leaves events nobody finds again; and it leaves the evaluations of
checks, an empty SQLite file and the logs of the run for ever.
"""

import re
import shutil
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

import dagster as dg

from phx_pipeline.catalog.retention import History
from phx_pipeline.defs.internals import (
    BULK_ACTION_TERMINAL_STATUSES,
    FINISHED_STATUSES,
    NOT_FINISHED_STATUSES,
    AssetCheckExecutionsTable,
    BulkActionsFilter,
    BulkActionStatus,
    SqlEventLogStorage,
    SqliteEventLogStorage,
    SqlRunStorage,
)
from phx_pipeline.defs.tags import DRAWN_BY_TAG, JOB_TAG, SHEET_RUN_TAG
from phx_pipeline.errors import ServiceError
from phx_pipeline.model.batches import batches
from phx_pipeline.model.moments import believed

_BACKFILL_TAG = "dagster/backfill"
_PAGE = 500  # runs looked at together
_BATCH = 20  # runs deleted in one transaction: others wait to write for so long
_RUN_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")

# A server outside UTC stores the time of a run's last change in its own zone; only the
# time of its end is exact.
_ANY_ZONE = timedelta(days=1)

_ENDED = ", ".join(f"'{status.value}'" for status in FINISHED_STATUSES)
_GOING_ON = ", ".join(f"'{status.value}'" for status in NOT_FINISHED_STATUSES)
# Of every kind: materialized, observed, and planned, for a plan later than the last
# materialization is how a failed partition is told. Kinds are not named, lest SQLite
# take the index of kinds and read every event. Two halves: PostgreSQL has an index of
# events with a partition.
_NEWEST_EVENTS = """
    SELECT max(id) FROM event_logs
    WHERE asset_key IS NOT NULL AND "partition" IS NOT NULL
    GROUP BY asset_key, dagster_event_type, "partition"
    UNION ALL
    SELECT max(id) FROM event_logs
    WHERE asset_key IS NOT NULL AND "partition" IS NULL
    GROUP BY asset_key, dagster_event_type
"""
_NEWEST_OF_ASSETS = (
    f"SELECT DISTINCT run_id FROM event_logs WHERE id IN ({_NEWEST_EVENTS})"  # noqa: S608 - constants of ours and of Dagster
)
# Beside the newest evaluation the UI shows the newest that came to an end.
_NEWEST_OF_CHECKS = """
    SELECT DISTINCT run_id FROM asset_check_executions WHERE id IN (
        SELECT max(id) FROM asset_check_executions
        GROUP BY asset_key, check_name, "partition"
        UNION ALL
        SELECT max(id) FROM asset_check_executions
        WHERE execution_status <> 'PLANNED'
        GROUP BY asset_key, check_name, "partition"
    )
"""
_CHECKS = "SELECT DISTINCT asset_key, check_name FROM asset_check_executions"
_NEWEST_OF_PARTITIONS = """
    SELECT run_id FROM run_tags WHERE id IN (
        SELECT max(id) FROM run_tags WHERE "key" = 'dagster/partition' GROUP BY "value"
    )
"""
_JOBS_TO_COME = f"""
    SELECT DISTINCT run_tags."value" FROM runs
    JOIN run_tags ON run_tags.run_id = runs.run_id
    WHERE run_tags."key" = '{JOB_TAG}' AND runs.status IN ({_GOING_ON})
"""  # noqa: S608 - as above
# Runs that point to another: started from it, or with a sheet that it drew (the second
# tag is that of older versions). Those that
# stay anyhow are told without their id, which leaves few rows.
_POINTERS = f"""
    SELECT DISTINCT
        CASE WHEN runs.status IN ({_ENDED}) AND runs.end_time < {{limit}}
             THEN run_tags.run_id END,
        run_tags."value"
    FROM run_tags JOIN runs ON runs.run_id = run_tags.run_id
    WHERE run_tags."key" IN
        ('dagster/parent_run_id', 'dagster/root_run_id', '{DRAWN_BY_TAG}',
         '{SHEET_RUN_TAG}')
"""  # noqa: S608 - as above


@dataclass(frozen=True, slots=True, kw_only=True)
class EndedRun:
    """What decides about a run; `ended_at` in seconds since 1970."""

    run_id: str
    ended_at: float
    backfill_id: str | None = None
    job_id: str | None = None

    @classmethod
    def of(cls, record: dg.RunRecord) -> Self:
        """Read it from Dagster's record."""
        run = record.dagster_run
        return cls(
            run_id=run.run_id,
            ended_at=record.end_time or record.update_timestamp.timestamp(),
            backfill_id=run.tags.get(_BACKFILL_TAG),
            job_id=run.tags.get(JOB_TAG),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What must stay: single runs, and all runs of a backfill or a job."""

    runs: frozenset[str] = frozenset()
    backfills: frozenset[str] = frozenset()
    jobs: frozenset[str] = frozenset()


def may_go(run: EndedRun, *, before: float, kept: Kept) -> bool:
    """Whether nothing rests on *run*, and it ended before *before*."""
    return (
        run.ended_at < before
        and run.run_id not in kept.runs
        and run.backfill_id not in kept.backfills
        and run.job_id not in kept.jobs
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """What one step removed, or could: a number of runs, rows or leftovers.

    `after` is the run to go on behind, should this be the last step for now.
    """

    what: str
    count: int
    after: str


class RunHistory:
    """The runs of one Dagster instance, and how they are forgotten.

    Args:
        instance: Its stores must be SQL ones, as all of Dagster's own are.
        folder: Where the folders with the logs of its runs lie.

    Raises:
        ServiceError: the stores are others.
    """

    def __init__(self, instance: dg.DagsterInstance, *, folder: Path) -> None:
        runs, events = instance.run_storage, instance.event_log_storage
        if not (
            isinstance(runs, SqlRunStorage) and isinstance(events, SqlEventLogStorage)
        ):
            raise ServiceError("runs can only be forgotten from Dagster's SQL stores")
        self._instance = instance
        self._folder = folder
        self._runs = runs
        self._events = events

    def jobs_to_come(self) -> frozenset[str]:
        """The jobs of `phx extract` with a run that has not ended."""
        return frozenset(self._of_runs(_JOBS_TO_COME))

    def kept(self, *, before: datetime, open_jobs: Collection[str]) -> Kept:
        """Find what must stay; as large as the state, however long the history."""
        newest = {
            *self._of_events(_NEWEST_OF_ASSETS),
            *self._of_events(_NEWEST_OF_CHECKS),
            *self._of_runs(_NEWEST_OF_PARTITIONS),
        }
        with self._runs.connect() as connection:
            query = _POINTERS.format(limit=before.timestamp())
            pointers = connection.exec_driver_sql(query).all()
        pointed = {other for run, other in pointers if run is None or run in newest}
        return Kept(
            runs=frozenset(newest | pointed),
            backfills=frozenset(self._open_backfills()),
            jobs=frozenset(open_jobs),
        )

    def forget(
        self, *, before: datetime, kept: Kept, after: str = "", dry_run: bool = False
    ) -> Iterator[Removed]:
        """Delete the runs that may go, oldest first, telling of each transaction.

        Leaving off in the middle is harmless: a run goes last of all it left, so what
        was half done is found again.
        """
        limit = before.timestamp()
        while page := self._page(before=before, after=after):
            going = [run for run in page if may_go(run, before=limit, kept=kept)]
            for batch in batches(going, _BATCH):
                if not dry_run:
                    self._delete([run.run_id for run in batch])
                yield Removed(what="run", count=len(batch), after=after)
            # Only a run that is still there can be gone on behind.
            staying = page if dry_run else [run for run in page if run not in going]
            after = staying[-1].run_id if staying else after
            yield Removed(what="run", count=0, after=after)

    def sweep(
        self, *, before: datetime, kept: Kept, after: str = "", dry_run: bool = False
    ) -> Iterator[Removed]:
        """Remove what is left of runs that no longer exist: deleted in the UI, say."""
        for batch in batches(self._left(before.timestamp()), _PAGE):
            known = self._runs.get_run_ids(dg.RunsFilter(run_ids=batch))
            lost = sorted(set(batch) - set(known) - kept.runs)
            if not dry_run:
                for some in batches(lost, _BATCH):
                    self._delete(some)
            yield Removed(what="leftover", count=len(lost), after=after)

    def _page(self, *, before: datetime, after: str) -> list[EndedRun]:
        records = self._instance.get_run_records(
            dg.RunsFilter(
                statuses=FINISHED_STATUSES, updated_before=before + _ANY_ZONE
            ),
            limit=_PAGE,
            cursor=after or None,
            ascending=True,
        )
        return [EndedRun.of(record) for record in records]

    def _delete(self, run_ids: Sequence[str]) -> None:
        checks = self._pairs(_CHECKS)
        with self._events.index_transaction() as connection:
            for run_id in run_ids:
                self._events.delete_events_for_run(connection, run_id)
            rows = AssetCheckExecutionsTable.c
            for asset, check in checks:
                # Asset and check named: only so is there an index for it.
                connection.execute(
                    AssetCheckExecutionsTable.delete().where(
                        rows.asset_key == asset,
                        rows.check_name == check,
                        rows.run_id.in_(run_ids),
                    )
                )
        for run_id in run_ids:
            self._delete_files(run_id)
            self._runs.delete_run(run_id)

    def _delete_files(self, run_id: str) -> None:
        self._instance.compute_log_manager.delete_logs(prefix=[run_id])
        shutil.rmtree(self._folder / run_id, ignore_errors=True)
        if isinstance(self._events, SqliteEventLogStorage):
            shard = Path(self._events.path_for_shard(run_id))
            for ending in ("", "-wal", "-shm"):
                shard.with_name(shard.name + ending).unlink(missing_ok=True)

    def _left(self, limit: float) -> Iterator[str]:
        """The ids of runs that have left files which nobody touched since *limit*."""
        found = [path for path in self._folder.glob("*-*-*-*-*") if path.is_dir()]
        if isinstance(self._events, SqliteEventLogStorage):
            found += Path(self._events.path_for_shard("index")).parent.glob("*.db")
        old = {
            path.stem
            for path in found
            if _RUN_ID.fullmatch(path.stem) and _changed_at(path) < limit
        }
        yield from sorted(old)

    def _open_backfills(self) -> list[str]:
        open_ones = [s for s in BulkActionStatus if s not in _BACKFILL_ENDS]
        found = self._instance.get_backfills(BulkActionsFilter(statuses=open_ones))
        return [backfill.backfill_id for backfill in found]

    def _of_events(self, query: str) -> list[str]:
        with self._events.index_connection() as connection:
            return list(connection.exec_driver_sql(query).scalars())

    def _of_runs(self, query: str) -> list[str]:
        with self._runs.connect() as connection:
            return list(connection.exec_driver_sql(query).scalars())

    def _pairs(self, query: str) -> list[Any]:
        with self._events.index_connection() as connection:
            return list(connection.exec_driver_sql(query))


_BACKFILL_ENDS = frozenset(BULK_ACTION_TERMINAL_STATUSES)


def prune(
    runs: RunHistory,
    rows: History,
    *,
    before: datetime,
    after: str = "",
    dry_run: bool = False,
) -> Iterator[Removed]:
    """Forget all that is older than *before* and explains nothing that is there now.

    Steps are small; leaving off after any of them is harmless.
    """
    open_jobs = rows.open_jobs() | runs.jobs_to_come()
    kept = runs.kept(before=before, open_jobs=open_jobs)
    for step in runs.forget(before=before, kept=kept, after=after, dry_run=dry_run):
        after = step.after
        yield step
    yield from runs.sweep(before=before, kept=kept, after=after, dry_run=dry_run)
    if dry_run:
        told: Iterable[Any] = rows.old(before=before, open_jobs=open_jobs)
    else:
        told = rows.forget(before=before, open_jobs=open_jobs)
    for one in told:
        yield Removed(what=f"row of {one.table}", count=one.rows, after=after)


def oldest_kept(rows: History, *, now: datetime, days: int) -> datetime:
    """The moment *days* before *now*, in UTC.

    A clock that is far ahead of all work that was ever noted is not believed: what is
    lost by it does not come back.
    """
    known = believed(now, newest=rows.newest_moment(by=now))
    return known.astimezone(UTC) - timedelta(days=days)


def _changed_at(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:  # somebody else forgot it just now
        return float("inf")
