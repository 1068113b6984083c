"""The runs of Dagster as jobs see them: `RunStates` and `RunQueue` of the model.

Every method reads a bounded part of the store: runs that have not ended, those of some
jobs, those that changed since. What is done about them is decided elsewhere.
"""

import logging
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import lru_cache, partial, wraps
from pathlib import Path
from typing import Concatenate, Final, ParamSpec, TypeVar

import dagster as dg

from phx_pipeline.catalog.complaints import explaining
from phx_pipeline.catalog.leases import Leases
from phx_pipeline.defs.cancel import end_runs, records_of
from phx_pipeline.defs.internals import (
    BULK_ACTION_TERMINAL_STATUSES,
    NOT_FINISHED_STATUSES,
    BulkActionsFilter,
    BulkActionStatus,
    PartitionBackfill,
)
from phx_pipeline.defs.lineage import Lineage, number_of
from phx_pipeline.defs.repeats import (
    PARTITION_TAG,
    REASON_TAG,
    REPEATED_BY_TAG,
    REPEATS_TAG,
    retries_of,
)
from phx_pipeline.defs.submit import (
    daemon_is_running,
    has_store,
    open_instance,
    state_of,
)
from phx_pipeline.defs.tags import (
    ATTEMPT_TAG,
    JOB_TAG,
    PRIORITY_TAG,
    RUN_KEY_TAG,
    SENSOR_TAG,
    mode_of,
    number_in,
    sources_of,
)
from phx_pipeline.errors import InputError, PhxError
from phx_pipeline.model.job import UNKNOWN, USER_TAG, JobState, Mode, Origin
from phx_pipeline.model.printable import printable
from phx_pipeline.model.run_queue import SeenBackfill, SeenRun, Stopped
from phx_pipeline.settings import Settings
from phx_pipeline.wiring.clock import utc_now

logger = logging.getLogger(__name__)

DISPATCHER: Final = "dispatch_jobs"
"""The sensor that asks for the runs of jobs."""

_T = TypeVar("_T")
_P = ParamSpec("_P")

_PAGE: Final = 500
_BEFORE_ALL: Final = datetime(1970, 1, 1, tzinfo=UTC)
_UNLIMITED: Final = 100  # slots, where `dagster.yaml` sets no limit
_UNDER_WAY: Final = [
    status for status in BulkActionStatus if status not in BULK_ACTION_TERMINAL_STATUSES
]
_MOST_BACKFILLS: Final = 100  # each is read with all its partitions
_BY_TIMERS: Final = (SENSOR_TAG, "dagster/schedule_name")
_UNREADABLE: Final = (ValueError, ArithmeticError, LookupError, TypeError, PhxError)
_MOST_TOLD: Final = 1_000

_REASONS: Final[Mapping[str, str]] = {
    "STEP_FAILURE": "one of its steps failed",
    "START_TIMEOUT": "no process took the run up in time",
    "UNEXPECTED_TERMINATION": "its process was ended from outside",
    "JOB_INITIALIZATION_FAILURE": "the run could not be prepared",
}


def _explained(
    method: Callable[Concatenate["DagsterRuns", _P], _T],
) -> Callable[Concatenate["DagsterRuns", _P], _T]:
    """Have a method tell what Dagster's store refused, as the catalogue's do."""

    @wraps(method)
    def asked(runs: "DagsterRuns", /, *given: _P.args, **named: _P.kwargs) -> _T:
        with explaining(runs.place):
            return method(runs, *given, **named)

    return asked


class DagsterRuns:
    """`RunStates` and `RunQueue` over an instance.

    Every method may raise `CatalogDownError` or `CatalogUnusableError` of its store.
    """

    def __init__(self, instance: dg.DagsterInstance, leases: Leases) -> None:
        self._instance = instance
        self._leases = leases

    @property
    def place(self) -> Path:
        """The folder of the instance, by which its store is told of."""
        return Path(self._instance.root_directory)

    # --- RunStates --------------------------------------------------------------------

    @_explained
    def open_runs(self) -> Sequence[SeenRun]:
        """Every run of a property that has not ended, the newest first."""
        return self._seen(self._records(dg.RunsFilter(statuses=NOT_FINISHED_STATUSES)))

    @_explained
    def of_jobs(
        self, job_ids: Collection[str], *, slugs: Collection[str] = ()
    ) -> Sequence[SeenRun]:
        """All runs of jobs, or those of some properties, the newest first."""
        if not job_ids:
            return []
        tags = {JOB_TAG: list(job_ids)}
        if slugs:
            tags[PARTITION_TAG] = list(slugs)
        return self._seen(self._records(dg.RunsFilter(tags=tags)))

    @_explained
    def by_id(self, run_ids: Collection[str]) -> Sequence[SeenRun]:
        """Those of *run_ids* that Dagster still has."""
        return self._seen(records_of(self._instance, run_ids))

    @_explained
    def since(self, cursor: str) -> tuple[Sequence[SeenRun], str]:
        """The runs that were made since, the oldest first.

        The cursor names a run and its time, by which to go on if it was deleted.
        """
        if not cursor:
            newest = self._instance.get_run_records(limit=1)
            return [], _cursor_at(newest)
        run_id, _, made = cursor.partition(" ")
        is_there = self._instance.has_run(run_id)
        records = self._instance.get_run_records(
            None if is_there else dg.RunsFilter(created_after=_after(made)),
            cursor=run_id if is_there else None,
            limit=_PAGE,
            ascending=True,
        )
        return self._seen(records), _cursor_at(records[-1:]) if records else cursor

    @_explained
    def backfills(self) -> Sequence[SeenBackfill]:
        """The newest backfills that are under way."""
        filters = BulkActionsFilter(statuses=_UNDER_WAY)
        found = self._instance.get_backfills(filters=filters, limit=_MOST_BACKFILLS)
        return [seen_backfill(one) for one in found]

    @_explained
    def taken(self, run_keys: Collection[str]) -> set[str]:
        """Those of *run_keys* for which Dagster takes another run as launched."""
        found = set()
        for key in run_keys:
            records = self._records(dg.RunsFilter(tags={RUN_KEY_TAG: key}))
            right = {it.run_id for it in self._seen(records) if it.run_key == key}
            of_sensor = [it.dagster_run for it in records if _is_dispatched(it)]
            if any(run.run_id not in right for run in of_sensor):
                found.add(key)
        return found

    def _records(self, filters: dg.RunsFilter) -> Sequence[dg.RunRecord]:
        records = self._instance.get_run_records(filters)
        return sorted(records, key=lambda record: record.storage_id, reverse=True)

    def _seen(self, records: Sequence[dg.RunRecord]) -> list[SeenRun]:
        ours = [it for it in records if PARTITION_TAG in it.dagster_run.tags]
        retries, there = retries_of(self._instance), self._repetitions(ours)
        lineage = Lineage.of(self._instance, [it.dagster_run for it in ours])
        read = partial(seen, retries=retries, lineage=lineage, there=there)
        return readable(ours, read)

    def _repetitions(self, records: Sequence[dg.RunRecord]) -> set[str]:
        """Of the runs that repeat some of these, those that nobody has deleted."""
        there = {record.dagster_run.run_id for record in records}
        tags = [record.dagster_run.tags for record in records]
        told = {one[REPEATED_BY_TAG] for one in tags if REPEATED_BY_TAG in one}
        others = records_of(self._instance, told - there)
        return there | {record.dagster_run.run_id for record in others}

    # --- RunQueue ---------------------------------------------------------------------

    @property
    def slots(self) -> int:
        """How many runs work at once."""
        config = self._instance.get_concurrency_config().run_queue_config
        limit = config.max_concurrent_runs if config else -1
        return limit if limit >= 0 else _UNLIMITED

    @_explained
    def cancel(self, run_ids: Collection[str], *, wait_s: float) -> Stopped:
        """Cancel queued runs, ask running ones to end, write off those without worker.

        One that does not end is killed before *wait_s* is over, where it is a process
        of this host.
        """
        return end_runs(self._instance, run_ids, leases=self._leases, wait_s=wait_s)

    @_explained
    def cancel_backfill(self, backfill_id: str) -> None:
        """Keep a backfill from making more runs."""
        backfill = self._instance.get_backfill(backfill_id)
        if backfill and backfill.status not in BULK_ACTION_TERMINAL_STATUSES:
            canceling = BulkActionStatus.CANCELING
            changed = backfill.with_status(canceling)  # type: ignore[no-untyped-call]  # Dagster's
            self._instance.update_backfill(changed)

    @_explained
    def is_served(self, *, since_s: float = 0.0) -> bool:
        """Whether a daemon that launches runs gave a sign of life lately."""
        return daemon_is_running(self._instance, since_s=since_s)

    # --- besides ---------------------------------------

    @_explained
    def put(self, run_ids: Collection[str]) -> None:
        """Put runs into the queue that were created, and that nobody put there."""
        for run in (it.dagster_run for it in records_of(self._instance, run_ids)):
            if run.status is dg.DagsterRunStatus.NOT_STARTED:
                queued = dg.DagsterEvent.job_enqueue(run)
                self._instance.report_dagster_event(queued, run_id=run.run_id)

    @_explained
    def hasten(self, run_ids: Collection[str], *, priority: int) -> None:
        """Give runs another priority, by which Dagster takes them from its queue."""
        for run_id in run_ids:
            self._instance.add_run_tags(run_id, {PRIORITY_TAG: str(priority)})

    @_explained
    def users_of(self, ids: Collection[str]) -> set[str]:
        """Who asked for the runs and backfills with these ids, `unknown` too."""
        runs = self.by_id(ids)
        users = {run.user for run in runs}
        others = set(ids) - {run.run_id for run in runs}
        backfills = [self._instance.get_backfill(each) for each in others]
        users |= {(one.tags or {}).get(USER_TAG) for one in backfills if one}
        return {user or UNKNOWN for user in users}


class NoRuns:
    """`RunStates` and `RunQueue` where Dagster was never used."""

    slots: int = 0

    def open_runs(self) -> Sequence[SeenRun]:
        """None."""
        return []

    def of_jobs(
        self, job_ids: Collection[str], *, slugs: Collection[str] = ()
    ) -> Sequence[SeenRun]:
        """None of any job."""
        del job_ids, slugs
        return []

    def by_id(self, run_ids: Collection[str]) -> Sequence[SeenRun]:
        """None of any id."""
        del run_ids
        return []

    def since(self, cursor: str) -> tuple[Sequence[SeenRun], str]:
        """None; the cursor stays."""
        return [], cursor

    def backfills(self) -> Sequence[SeenBackfill]:
        """None."""
        return []

    def taken(self, run_keys: Collection[str]) -> set[str]:
        """None."""
        del run_keys
        return set()

    def cancel(self, run_ids: Collection[str], *, wait_s: float) -> Stopped:
        """Tell all as ended: they are not there."""
        del wait_s
        return Stopped(ended=tuple(run_ids))

    def cancel_backfill(self, backfill_id: str) -> None:
        """There is none."""

    def is_served(self, *, since_s: float = 0.0) -> bool:
        """No."""
        del since_s
        return False


@contextmanager
def opened_runs(settings: Settings, leases: Leases) -> Iterator[DagsterRuns | NoRuns]:
    """Open Dagster's store for as long as the body lasts, if there is one."""
    if not has_store(settings):
        yield NoRuns()
        return
    with open_instance(settings) as instance:
        yield DagsterRuns(instance, leases)


# --- where `since` goes on --------------------------------------------------------


def _cursor_at(newest: Sequence[dg.RunRecord]) -> str:
    if not newest:
        return f"- {_BEFORE_ALL.isoformat()}"
    (record,) = newest
    return f"{record.dagster_run.run_id} {record.create_timestamp.isoformat()}"


def _after(text: str) -> datetime:
    return known_time(text, now=utc_now()) or _BEFORE_ALL


def known_time(text: str, *, now: datetime) -> datetime | None:
    """The time in a cursor; None for what is none, or is still to come.

    An admin may write any cursor, and another version wrote others: the next look is
    to go on all the same.
    """
    try:
        told = datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return told if told <= now else None


# --- reading a run --------------------------------------------------------------------


def readable(
    records: Sequence[dg.RunRecord], read: Callable[[dg.RunRecord], SeenRun]
) -> list[SeenRun]:
    """Read each run by *read*; one that cannot be read keeps no other back."""
    found = []
    for record in records:
        try:
            found.append(read(record))
        except _UNREADABLE as error:
            _tell_once(record.dagster_run.run_id, repr(error))
    return found


@lru_cache(_MOST_TOLD)
def _tell_once(run_id: str, why: str) -> None:
    told = printable(why)
    logger.warning("run %s cannot be read, and is passed over: %s", run_id, told)


def _is_dispatched(record: dg.RunRecord) -> bool:
    return record.dagster_run.tags.get(SENSOR_TAG) == DISPATCHER


def seen(
    record: dg.RunRecord,
    *,
    retries: int,
    lineage: Lineage,
    there: Collection[str] = (),
) -> SeenRun:
    """Tell what Dagster has stored of a run.

    Args:
        record: of a run with a partition.
        retries: as of `repeats.retries_of`.
        lineage: of this run, among others.
        there: ids of runs; a failed run is over if the one that repeats it is not one.
    """
    run = record.dagster_run
    repeated_by = run.tags.get(REPEATED_BY_TAG)
    is_over = repeated_by is not None and repeated_by not in there
    state = state_of(run, retries=0 if is_over else retries)
    ended, job_id = record.end_time, lineage.job_of(run)
    return SeenRun(
        run_id=run.run_id,
        slug=run.tags[PARTITION_TAG],
        job_id=job_id,
        attempt=_number(run.tags.get(ATTEMPT_TAG), otherwise=1),
        state=state,
        priority=number_of(run, is_of_job=job_id is not None),
        created_at=record.create_timestamp,
        ended_at=datetime.fromtimestamp(ended, UTC) if ended else None,
        root_run_id=lineage.root_of(run),
        backfill_id=lineage.backfill_of(run),
        user=lineage.user_of(run),
        origin=origin_of(run, lineage),
        sources=_readable(sources_of, run.tags, otherwise=()),
        mode=_readable(mode_of, run.tags, otherwise=Mode.FRESH),
        error=_error_of(run) if state is JobState.FAILED else "",
    )


def seen_backfill(backfill: PartitionBackfill) -> SeenBackfill:
    """Tell what Dagster has stored of a backfill, whose runs get its tags."""
    tags = backfill.tags or {}
    return SeenBackfill(
        backfill_id=backfill.backfill_id,
        slugs=tuple(_partitions_of(backfill)),
        # SQLite knows whole seconds of a run: none is to be older than its backfill.
        created_at=datetime.fromtimestamp(int(backfill.backfill_timestamp), UTC),
        user=tags.get(USER_TAG),
        sources=_readable(sources_of, tags, otherwise=()),
        mode=_readable(mode_of, tags, otherwise=Mode.FRESH),
    )


def _partitions_of(backfill: PartitionBackfill) -> Sequence[str]:
    """All partitions of a backfill of a job, or of one of assets alike in that."""
    if backfill.asset_backfill_data:
        return sorted(backfill.asset_backfill_data.get_partition_names() or ())
    return backfill.partition_names or ()


def origin_of(run: dg.DagsterRun, lineage: Lineage) -> Origin:
    """How a run began; of one with a job only the job knows.

    Dagster does not tell a launch in the UI from one by `dagster job launch`; our web
    server names who did it. Runs are executed again in the UI alone.
    """
    if lineage.job_of(run):
        return Origin.CLI
    if lineage.backfill_of(run):
        return Origin.BACKFILL
    if lineage.is_by_hand(run):
        return Origin.UI
    if REPEATS_TAG not in run.tags and any(name in run.tags for name in _BY_TIMERS):
        return Origin.SENSOR
    return Origin.UI if USER_TAG in run.tags else Origin.LAUNCH


def _error_of(run: dg.DagsterRun) -> str:
    reason = run.tags.get(REASON_TAG, "")
    return _REASONS.get(reason, "the run failed")


def _number(text: str | None, *, otherwise: int) -> int:
    """Read a number: as for Dagster, what is none counts as not given."""
    number = number_in(text or "")
    return otherwise if number is None else number


def _readable(
    read: Callable[[Mapping[str, str]], _T | None],
    tags: Mapping[str, str],
    *,
    otherwise: _T,
) -> _T:
    """What tags say; the run itself fails by those that nobody can read."""
    try:
        return read(tags) or otherwise
    except InputError:
        return otherwise
