"""Where jobs are asked for, called off, asked for again and looked at."""

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Final
from uuid import uuid4

from phx_pipeline.catalog.job_items import LET_GO
from phx_pipeline.errors import InputError, UnknownJobError
from phx_pipeline.jobs.quota import Limits, refuse_too_much
from phx_pipeline.jobs.tick import settle, unwanted
from phx_pipeline.model.access import AuditNote
from phx_pipeline.model.counted import counted
from phx_pipeline.model.job import (
    Job,
    JobItem,
    JobRequest,
    JobState,
    Submitted,
    backfill_of,
)
from phx_pipeline.model.run_queue import RunQueue, RunStates

if TYPE_CHECKING:
    from phx_pipeline.catalog.dispatch import DispatchBook
    from phx_pipeline.catalog.jobs import JobBook

_ID_LENGTH: Final = 12
_WAIT_S: Final = 5.0
# A run that Dagster was asked for comes within some tenths of a second, or not at all.
_COMES_WITHIN_S: Final = 3.0
_LOOK_S: Final = 0.2
_MOST_OF_KEY: Final = 200
_OPEN: Final = frozenset({JobState.FAILED, JobState.PARTIAL})
_TOLD: Final = 3  # keys of houses in a message


class Desk:
    """What the command line, the service and Python programs do with jobs.

    Each call does one thing whole: what a killed one leaves, the next look of the
    dispatcher takes up.
    """

    def __init__(
        self,
        jobs: "JobBook",
        dispatch: "DispatchBook",
        *,
        states: RunStates,
        queue: RunQueue,
        clock: Callable[[], datetime],
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._jobs = jobs
        self._dispatch = dispatch
        self._states = states
        self._queue = queue
        self._clock = clock
        self._pause = pause

    def submit(
        self, request: JobRequest, *, limits: Limits | None = None, address: str = ""
    ) -> Submitted:
        """Ask for a job; its rows are written when this returns, and its audit note.

        Args:
            request: what is asked for.
            limits: of the user; none for the local one.
            address: where the request came from; empty for commands.

        Raises:
            InputError: no property is named, or one is not followed, or the
                idempotency key is none.
            IdempotencyError: the key was used for another request.
            QuotaError: the user asked for too much.
        """
        if not request.slugs:
            raise InputError("a job needs at least one house: name one or more")
        _refuse_unwritable(request.idempotency_key)
        at, job_id = self._now(), uuid4().hex[:_ID_LENGTH]
        note = AuditNote(
            at=at,
            user=request.user,
            action="job.submit",
            target=job_id,
            detail=counted(len(set(request.slugs)), "property"),
            address=address,
        )
        check = partial(refuse_too_much, limits, at=at) if limits else None
        return self._jobs.submit(job_id, request, at=at, check=check, note=note)

    def job(self, job_id: str) -> Job:
        """A job as its rows tell it.

        Raises:
            UnknownJobError: there is none of that id.
        """
        found = self._jobs.job(job_id)
        if found is None:
            raise UnknownJobError(
                f"no job {job_id!r}: `phx jobs` lists those that are kept"
            )
        return found

    def has_ended(self, job: Job) -> bool:
        """Whether there is nothing to call off: nor does a backfill go on for it."""
        if not job.state.is_final:
            return False
        backfill_id = backfill_of(job.job_id)
        going_on = self._states.backfills() if backfill_id else ()
        return backfill_id not in {it.backfill_id for it in going_on}

    def cancel(self, job_id: str, *, wait_s: float = _WAIT_S) -> Job:
        """Call a job off and end its runs, but for those that other jobs wait for.

        Photos that came are kept. A job that ended stays as it is.

        Args:
            job_id: the job.
            wait_s: how long runs at work may take to end; what goes on ends later.

        Raises:
            UnknownJobError: there is none of that id.
        """
        if backfill_id := backfill_of(job_id):
            self.job(job_id)
            # First: if this is killed, nothing makes more runs for the job.
            self._queue.cancel_backfill(backfill_id)
        called_off = self._jobs.cancel(job_id, at=self._now())
        if called_off is None:
            return self.job(job_id)
        ended = self._end_unwanted(wait_s=wait_s)
        if ended or called_off.to_end:
            self.settle()
        if self._came(called_off.booked) or ended:
            self._end_unwanted(wait_s=wait_s)  # one may have been begun meanwhile
        return self.job(job_id)

    def _end_unwanted(self, *, wait_s: float) -> list[str]:
        to_end = unwanted(self._dispatch, self._states.open_runs())
        if to_end:
            self._queue.cancel(to_end, wait_s=wait_s)
        return to_end

    def _came(self, items: Sequence[JobItem]) -> bool:
        """Whether runs came that Dagster was making when *items* were called off.

        Until then they are asked for: their ends were booked, for no run was there.
        """
        since = self._now() - timedelta(seconds=_COMES_WITHIN_S)
        coming = [it for it in items if it.asked_at and it.asked_at >= since]
        jobs = {it.run_job for it in coming}
        keys = {it.run_key for it in coming}
        left_s = _COMES_WITHIN_S
        while keys and left_s > 0:
            self._pause(_LOOK_S)
            left_s -= _LOOK_S
            keys -= {run.run_key for run in self._states.of_jobs(jobs)}
        return bool(coming)

    def retry(self, job_id: str) -> Job:
        """Ask again, in the same job, for its properties that failed or are partial.

        Only what is open or missing is fetched.

        Raises:
            UnknownJobError: there is none of that id.
            InputError: there is nothing to ask again, or it is being cancelled.
        """
        if not self.job(job_id).state.is_final:
            self.settle()  # runs may have ended since the dispatcher looked
        if not self._jobs.retry(job_id, at=self._now()):
            raise InputError(_why_not_again(self.job(job_id)))
        return self.job(job_id)

    def settle(self) -> None:
        """Book what became of items, as the dispatcher does where it runs."""
        backfills = {it.backfill_id for it in self._states.backfills()}
        runs = self._states.open_runs()
        settle(
            self._dispatch,
            self._states,
            runs=runs,
            backfills=backfills,
            at=self._now(),
        )

    def _now(self) -> datetime:
        return self._clock().astimezone(UTC)


def _why_not_again(job: Job) -> str:
    gone = [it.slug for it in job.items if it.state in _OPEN or it.error == LET_GO]
    if gone:  # what is followed would be asked again
        more = f" and {len(gone) - _TOLD} more" if len(gone) > _TOLD else ""
        return (
            f"job {job.job_id} has nothing to retry, for {', '.join(gone[:_TOLD])}"
            f"{more} {'is' if len(gone) == 1 else 'are'} followed no more: "
            "`phx properties add` follows a house again"
        )
    onward = (
        "; `phx extract` goes on with what was cancelled"
        if job.counts[JobState.CANCELLED]
        else ""
    )
    return (
        f"job {job.job_id} is {job.state.value}, and no house of it failed or is "
        f"partial: there is nothing to retry{onward}"
    )


def _refuse_unwritable(key: str) -> None:
    if len(key) > _MOST_OF_KEY or not key.isprintable():
        raise InputError(
            f"the idempotency key {key[:_MOST_OF_KEY]!r} has {len(key)} characters: "
            f"take one of at most {_MOST_OF_KEY}, all of them printable"
        )
