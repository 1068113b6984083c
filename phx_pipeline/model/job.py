"""A job: one request for several properties; and its items, one per property.

Here are the only words for where a job or one of its properties is. How a run ended is
told by `model.run`; what Dagster says of runs comes in through `model.run_queue`.
"""

import re
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from hashlib import sha256
from typing import Final

from phx_pipeline.model.isolation import IsolationMode
from phx_pipeline.model.source import Source

UNKNOWN: Final = "unknown"
"""The user of what was begun elsewhere by nobody knows whom."""
PHX: Final = "phx"
"""The user of what no person asked for."""
USER_TAG: Final = "phx/user"
"""On runs and backfills: who asked for them, where somebody is known."""
JOB_TAG: Final = "phx/job"
"""On runs that a job asked for: which job."""
ATTEMPT_TAG: Final = "phx/attempt"
"""Which attempt of its job's item a run is; without it the first."""
LAUNCH_TAG: Final = ".dagster/phx_launch"
"""On runs and backfills that our web server launched: another text for each launch.

A run that is executed again has all tags of the one before; this one tells whether
`phx/user` was copied, too. Pages show no such tags.
"""


class JobState(StrEnum):
    """Where a job, or one property of it, is.

    A job as a whole is only ever `PENDING`, `IN_PROGRESS` or in a final state. A
    property that is `PENDING` waits in the catalogue, a `QUEUED` one in Dagster's
    queue; one that is `RETRYING` failed, and nobody knows yet that it is for good.
    """

    PENDING = "pending"
    QUEUED = "queued"
    IN_PROGRESS = "in_progress"
    RETRYING = "retrying"
    COMPLETED = "completed"
    PARTIAL = "partial"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        """Whether nothing more will happen by itself."""
        return self in _FINAL

    @property
    def is_waiting(self) -> bool:
        """Whether no run has begun yet."""
        return self in _WAITING


OF_JOBS: Final = tuple(
    it for it in JobState if it not in {JobState.QUEUED, JobState.RETRYING}
)
"""The states of jobs as a whole; the others are those of one property."""

_WAITING = frozenset({JobState.PENDING, JobState.QUEUED})
_DELIVERED = frozenset({JobState.COMPLETED, JobState.PARTIAL})
_FINAL = _DELIVERED | {JobState.FAILED, JobState.CANCELLED}
_QUICKLY_READ: Final = 1_000  # properties


class Mode(StrEnum):
    """What a run asks again: only what is open or stale, or every source."""

    RESUME = "resume"
    FRESH = "fresh"


class Origin(StrEnum):
    """Who asked for a job, or how runs began that no job asked for."""

    CLI = "cli"
    API = "api"
    UI = "ui"
    BACKFILL = "backfill"
    LAUNCH = "launch"  # `dagster job launch`
    SENSOR = "sensor"
    SEARCH = "search"  # a saved search found the house, and it was accepted
    FOLLOW_UP = "follow_up"  # another property's run


class Priority(StrEnum):
    """Which jobs come first."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"

    @property
    def rank(self) -> int:
        """The greater comes first."""
        return list(Priority).index(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRequest:
    """What somebody asks for; no sources means all that are enabled.

    `everything` tells that *slugs* are all that were followed at this moment. With the
    same `idempotency_key` the same user gets the same job again.
    """

    slugs: tuple[str, ...]
    user: str
    sources: tuple[Source, ...] = ()
    mode: Mode = Mode.FRESH
    isolation: IsolationMode | None = None
    priority: Priority = Priority.NORMAL
    origin: Origin = Origin.CLI
    idempotency_key: str = ""
    everything: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Submitted:
    """The answer to a request.

    `is_new` is false where the job was there already, by its idempotency key; `state`
    is where it is then. `joined` are the properties that share a run which was asked
    for before, with its job.
    """

    job_id: str
    created_at: datetime
    state: JobState = JobState.PENDING
    is_new: bool = True
    joined: Mapping[str, str] = field(default_factory=dict)


_BACKFILL = "backfill-"
_SINGLE = "run-"
_ADOPTED = (_BACKFILL, _SINGLE)
_ID_LENGTH = 8
_PLAIN_ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z_-]{0,26}")  # a job's has 36 at most


def adopted_id(*, root_run_id: str, backfill_id: str | None) -> str:
    """The id of the job that stands for a backfill, or for a run nobody's job made.

    Both ids come from tags, in which anybody may write anything; the id of a job is
    part of paths. One that Dagster would not make stands there as its digest.
    """
    if backfill_id:
        return f"{_BACKFILL}{_plain(backfill_id)}"
    return f"{_SINGLE}{_plain(root_run_id[:_ID_LENGTH])}"


def _plain(text: str) -> str:
    if _PLAIN_ID.fullmatch(text):
        return text
    return sha256(text.encode(errors="replace")).hexdigest()[:_ID_LENGTH]


def is_adopted_id(job_id: str) -> bool:
    """Whether a job stands for what began elsewhere."""
    return job_id.startswith(_ADOPTED)


def backfill_of(job_id: str) -> str | None:
    """The backfill that a job stands for."""
    return job_id.removeprefix(_BACKFILL) if job_id.startswith(_BACKFILL) else None


def run_key_of(job_id: str, attempt: int, slug: str) -> str:
    """The idempotency key of the run that is launched for an item."""
    return f"{job_id}:{attempt}:{slug}"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobItem:
    """One property of a job, as its rows tell it.

    `run_key` names the run it gets; an item that shares a run has the key of another
    job's item. `asked_at` is when Dagster was last asked for that run, `dispatched_at`
    when the run was seen, `run_id` the newest that was seen. `state` is how the item
    ended, None until that is known for good. `cancelled_at` is its job's.
    """

    job_id: str
    slug: str
    attempt: int
    run_key: str
    requested_at: datetime
    sources: tuple[Source, ...]
    mode: Mode = Mode.FRESH
    isolation: IsolationMode | None = None
    user: str = ""
    priority: Priority = Priority.NORMAL
    asked_at: datetime | None = None
    dispatched_at: datetime | None = None
    cancelled_at: datetime | None = None
    run_id: str | None = None
    state: JobState | None = None
    ended_at: datetime | None = None
    error: str = ""

    @property
    def run_job(self) -> str:
        """The job whose item its run was asked for."""
        return self.run_key.rsplit(":", 2)[0]  # the id of a backfill may hold any

    @property
    def run_attempt(self) -> int:
        """The attempt of that item."""
        return int(self.run_key.rsplit(":", 2)[1])

    @property
    def is_own(self) -> bool:
        """Whether its run was asked for by this very item."""
        return self.run_key == run_key_of(self.job_id, self.attempt, self.slug)

    @property
    def is_adopted(self) -> bool:
        """Whether its run began elsewhere: no dispatcher of ours launched it."""
        return self.run_attempt == 1 and is_adopted_id(self.run_job)

    @property
    def is_to_be_made(self) -> bool:
        """Whether its run is made by a backfill, which has not come to it yet."""
        return self.is_adopted and not self.run_id

    def covers(self, *, sources: Collection[Source], mode: Mode) -> bool:
        """Whether its run does all that one for *sources* in *mode* would do.

        No sources means all enabled ones, which more than those named may be.
        """
        wide = not self.sources or (bool(sources) and set(sources) <= set(self.sources))
        return wide and self.mode in {mode, Mode.FRESH}


@dataclass(frozen=True, slots=True, kw_only=True)
class JobCounts:
    """Photos of one property, or of a whole job.

    `total` is of each source the most that one run saw or worked on; new pictures and
    copies are summed over all runs, as a second run after a crash finds those of the
    first as known.
    """

    total: int = 0
    new: int = 0
    duplicate: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class JobProperty:
    """One property of a job as it is shown.

    `run_id` is its newest run. `started_at` is when its first run for this job began,
    `ended_at` when its newest ended, `updated_at` the last news of either. `took_s` are
    the seconds that the newest was at work: what was between runs is none.
    """

    slug: str
    address: str
    folder: str
    state: JobState = JobState.PENDING
    run_id: str | None = None
    error: str = ""
    counts: JobCounts = JobCounts()
    started_at: datetime | None = None
    ended_at: datetime | None = None
    updated_at: datetime | None = None
    took_s: float | None = None


@dataclass(frozen=True, kw_only=True)
class Job:
    """A job as it is shown: its properties in order, and what follows from them.

    `cancelled_at` is when somebody called it off; its last runs may end later.
    """

    job_id: str
    user: str = ""
    origin: Origin = Origin.CLI
    priority: Priority = Priority.NORMAL
    mode: Mode
    sources: tuple[Source, ...] = ()
    isolation: IsolationMode | None = None
    created_at: datetime
    cancelled_at: datetime | None = None
    items: tuple[JobProperty, ...]

    @cached_property
    def counts(self) -> Mapping[JobState, int]:
        """How many properties are in each state."""
        found = Counter(item.state for item in self.items)
        return {state: found[state] for state in JobState}

    @property
    def done(self) -> int:
        """Properties in a final state."""
        return sum(self.counts[state] for state in _FINAL)

    @property
    def state(self) -> JobState:
        """Where the job as a whole is; one without properties is completed."""
        counts = self.counts
        if self.done < len(self.items):
            waiting = sum(counts[state] for state in _WAITING)
            whole = waiting == len(self.items)
            return JobState.PENDING if whole else JobState.IN_PROGRESS
        if counts[JobState.COMPLETED] == len(self.items):
            return JobState.COMPLETED
        gone = counts[JobState.CANCELLED]
        if gone and (self.cancelled_at or gone == len(self.items)):
            return JobState.CANCELLED
        delivered = any(counts[state] for state in _DELIVERED)
        return JobState.PARTIAL if delivered else JobState.FAILED

    @property
    def started_at(self) -> datetime | None:
        """When the first of its runs began."""
        return min((it.started_at for it in self.items if it.started_at), default=None)

    @property
    def completed_at(self) -> datetime | None:
        """When its last property ended; None while one has not."""
        if self.done < len(self.items):
            return None
        ends = (item.ended_at for item in self.items if item.ended_at)
        return max(ends, default=self.created_at)

    @property
    def progress_updated_at(self) -> datetime:
        """The last time one of its runs began or ended."""
        times = (item.updated_at for item in self.items if item.updated_at)
        return max(times, default=self.created_at)

    @property
    def progress_percent(self) -> int:
        """Rounded down: 100 only when all is done."""
        return 100 * self.done // len(self.items) if self.items else 100

    @property
    def look_rarer(self) -> float:
        """How many times rarer than a small job whoever follows it looks at it.

        To read 10,000 properties takes some tenths of a second.
        """
        return max(1.0, len(self.items) / _QUICKLY_READ)

    @property
    def total_images(self) -> int:
        """Photos its runs saw or worked on."""
        return sum(item.counts.total for item in self.items)

    @property
    def new_images(self) -> int:
        """Pictures that were not known before."""
        return sum(item.counts.new for item in self.items)

    @property
    def duplicate_images(self) -> int:
        """Photos that are copies of others."""
        return sum(item.counts.duplicate for item in self.items)

    @property
    def failed_properties_list(self) -> list[str]:
        """The addresses of the properties that failed."""
        failed = JobState.FAILED
        return [item.address for item in self.items if item.state is failed]

    @property
    def error_message(self) -> str | None:
        """Why properties failed, each with its address; None if none did."""
        failed = (item for item in self.items if item.state is JobState.FAILED)
        told = [f"{item.address}: {item.error}" for item in failed if item.error]
        return "; ".join(told) or None

    def remaining_s(self, *, slots: int) -> float | None:
        """Seconds until the job ends, estimated from those of its properties that did.

        Args:
            slots: how many runs work at once; the job is taken to have them alone.

        Returns:
            None until the first run of one of its properties has ended.
        """
        left = len(self.items) - self.done
        spans = [item.took_s for item in self.items if item.took_s is not None]
        if not left:
            return 0.0
        if not spans:
            return None
        return sum(spans) / len(spans) * left / max(1, min(slots, left))
