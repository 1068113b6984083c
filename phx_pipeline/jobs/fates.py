"""What became of items, told by the runs that Dagster knows and what these recorded.

Pure: what is decided here `catalog.dispatch` writes.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from phx_pipeline.model.dispatch import AskAnew, Ended, Fate, Parted, Reopened, Seen
from phx_pipeline.model.job import JobItem, JobState, backfill_of
from phx_pipeline.model.run import (
    RunOutcome,
    RunRecord,
    final_state,
    is_through,
    reason_of,
)
from phx_pipeline.model.run_queue import SeenRun

Records = Mapping[tuple[str, str], RunRecord]

AFTER_CANCEL: Final = timedelta(days=1)
"""How long after a job was called off runs of it may still come by themselves.

A dispatcher may have been asking for one, and Dagster makes those for as long if it was
broken off, as on a full disk. One that is made later is wanted by somebody.
"""

LEFT_AFTER: Final = timedelta(minutes=10)
"""How old a run is that was only created, and that nobody puts into the queue now."""

_GONE: Final = "Dagster does not know its run any more"
_NOT_MADE: Final = "its backfill ended before it made a run for this house"
_LEFT: Final = (
    "its run was created but never put into the queue, because what began it was "
    "stopped: begin it again, or ask for the house with `phx extract`"
)
_TAKEN: Final = (
    "Dagster takes another run, whose tags name the same `dagster/run_key`, for its "
    "own: ask again with `phx job ID --retry`"
)
_RECORDED: Final = {
    RunOutcome.COMPLETE: JobState.COMPLETED,
    RunOutcome.PARTIAL: JobState.PARTIAL,
    RunOutcome.NOTHING: JobState.FAILED,
}


class Runs:
    """The newest run of each item."""

    def __init__(self, runs: Iterable[SeenRun]) -> None:
        self._by_id: dict[str, SeenRun] = {}
        self._by_key: dict[str, SeenRun] = {}
        for run in runs:
            self._by_id[run.run_id] = run
            if key := run.run_key:
                newest = self._by_key.get(key)
                if newest is None or run.created_at > newest.created_at:
                    self._by_key[key] = run

    def of(self, item: JobItem) -> SeenRun | None:
        """The run of an item; of one that began elsewhere it is known by its id."""
        return self._by_key.get(item.run_key) or self._by_id.get(item.run_id or "")


def fate_of(
    item: JobItem,
    runs: Runs,
    *,
    records: Records,
    backfills: Collection[str] = (),
    at: datetime,
) -> Fate | None:
    """Tell what became of an open item; None if there is nothing new.

    Args:
        item: with a run that was asked for.
        runs: all that Dagster has of its run key.
        records: of the runs that have ended, and of those that Dagster lost.
        backfills: the ids of those under way.
        at: now.
    """
    run = runs.of(item)
    last_seen = records.get((item.run_id or "", item.slug))
    if run is None or _stays(item, run, last_seen):
        return _without_run(item, last_seen, at=at)
    if run.state is JobState.PENDING:
        return _of_created(item, run, backfills=backfills, at=at)
    if early := _before_its_end(item, run, at=at):
        return early
    if not run.state.is_final:
        is_news = item.dispatched_at is None or item.run_id != run.run_id
        return Seen(item=item, run_id=run.run_id) if is_news else None
    ended_at = run.ended_at or at
    if not item.is_own and item.requested_at > ended_at:
        return Parted(item=item)
    return _end(item, run, records.get((run.run_id, item.slug)), ended_at=ended_at)


def _stays(item: JobItem, run: SeenRun, last_seen: RunRecord | None) -> bool:
    """Whether an item came to its end though Dagster repeats the run it had."""
    is_repeated = run.state is JobState.RETRYING or run.run_id != item.run_id
    return last_seen is not None and is_repeated and is_through(item, last_seen)


def _before_its_end(item: JobItem, run: SeenRun, *, at: datetime) -> Fate | None:
    """What becomes of an item that does not wait for what repeats its run."""
    is_over = _is_over(item, run)
    if item.cancelled_at and (run.state is JobState.RETRYING or is_over):
        gone = JobState.CANCELLED
        return Ended(item=item, state=gone, ended_at=at, run_id=run.run_id)
    return AskAnew(item=item) if is_over and not item.is_adopted else None


def _is_over(item: JobItem, run: SeenRun) -> bool:
    """Whether a run failed of a property that was renamed since the run was asked for.

    Nothing is done under its former key any more: what repeats the run fails as well.
    """
    is_renamed = run.slug != item.slug
    return is_renamed and run.state in {JobState.FAILED, JobState.RETRYING}


def blocked(item: JobItem, *, at: datetime) -> Ended:
    """End an item under whose run key Dagster launches nothing any more."""
    return Ended(item=item, state=JobState.FAILED, ended_at=at, error=_TAKEN)


def _without_run(
    item: JobItem, record: RunRecord | None, *, at: datetime
) -> Fate | None:
    if item.dispatched_at is None:
        return None
    if record is not None and record.outcome in _RECORDED:
        return Ended(
            item=item,
            state=_RECORDED[record.outcome],
            ended_at=record.ended_at or at,
            run_id=record.run_id,
            error=reason_of(record, _RECORDED[record.outcome]),
            is_shown=record.ended_at is not None,
        )
    if item.is_adopted or item.cancelled_at:
        return Ended(
            item=item,
            state=JobState.CANCELLED,
            ended_at=at,
            error=_why_none(item),
        )
    return AskAnew(item=item)


def _why_none(item: JobItem) -> str:
    if not item.is_to_be_made:
        return _GONE
    return "" if item.cancelled_at else _NOT_MADE


def _of_created(
    item: JobItem, run: SeenRun, *, backfills: Collection[str], at: datetime
) -> Fate | None:
    """What becomes of an item whose run was only created.

    A run of ours is asked for again, and one that repeats another is put into the
    queue; nobody does that for one that somebody began elsewhere.
    """
    goes_on = not item.is_adopted or run.is_repetition
    if goes_on or not is_left(run, backfills=backfills, at=at):
        return None
    return Ended(
        item=item, state=JobState.FAILED, ended_at=at, run_id=run.run_id, error=_LEFT
    )


def is_left(run: SeenRun, *, backfills: Collection[str], at: datetime) -> bool:
    """Whether a run was created long ago and nobody puts it into the queue.

    A backfill under way puts those into the queue that it had created.

    Args:
        run: it.
        backfills: the ids of those under way.
        at: now.
    """
    is_old = run.created_at + LEFT_AFTER <= at
    is_made = run.backfill_id is not None and run.backfill_id in backfills
    return run.state is JobState.PENDING and is_old and not is_made


def is_to_be_made(item: JobItem, backfills: Collection[str]) -> bool:
    """Whether an open item waits for its backfill to make its run.

    Args:
        item: it.
        backfills: the ids of those under way.
    """
    waits = item.is_to_be_made and not item.cancelled_at
    return waits and backfill_of(item.run_job) in backfills


def _end(
    item: JobItem, run: SeenRun, record: RunRecord | None, *, ended_at: datetime
) -> Ended:
    state = run.state
    if record is not None:
        told = _RECORDED.get(record.outcome) if state is JobState.COMPLETED else None
        state = told or final_state(item, record) or state
    error = _why(run, record, state=state)
    recorded_at = _recorded_at(item, record, state, error=error)
    return Ended(
        item=item,
        state=state,
        ended_at=recorded_at or ended_at,
        run_id=run.run_id,
        error=error,
        is_shown=recorded_at is not None,
    )


def _recorded_at(
    item: JobItem, record: RunRecord | None, state: JobState, *, error: str
) -> datetime | None:
    """When a run ended by its record; None if that does not tell the same end."""
    if record is None or final_state(item, record) is not state:
        return None
    return record.ended_at if error == reason_of(record, state) else None


def _why(run: SeenRun, record: RunRecord | None, *, state: JobState) -> str:
    """Dagster tells a reason of a failed run alone."""
    theirs = run.error if state is run.state else ""
    return (reason_of(record, state) if record else "") or theirs


def _is_delivered(item: JobItem) -> bool:
    return item.state in {JobState.COMPLETED, JobState.PARTIAL}


def reopened(items: Sequence[JobItem], run: SeenRun) -> Reopened | None:
    """Tell whether the run of an item is repeated after the end of that was booked.

    One that came to its end stays ended, though Dagster may repeat what failed behind.

    Args:
        items: those with the key of *run*.
        run: one that has not ended.
    """
    for item in items if run.state is not JobState.PENDING else ():
        later = item.ended_at is not None and run.created_at > item.ended_at
        if (
            item.is_own
            and later
            and not _is_delivered(item)
            and not is_unwanted(items, run)
        ):
            return Reopened(item=item, run=run)
    return None


def is_unwanted(items: Sequence[JobItem], run: SeenRun) -> bool:
    """Whether everybody called off a run that has not ended.

    Args:
        items: those with the key of *run*, none where no job tells of it.
        run: it.
    """
    times = [_called_off(item) for item in items]
    known = [each for each in times if each is not None]
    if not known or len(known) < len(times):
        return False
    return run.created_at <= max(known) + AFTER_CANCEL


def _called_off(item: JobItem) -> datetime | None:
    """When an item, or the job it belongs to, was called off."""
    if item.state is None:
        return item.cancelled_at
    return item.ended_at if item.state is JobState.CANCELLED else None
