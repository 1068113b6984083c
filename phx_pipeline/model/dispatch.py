"""Items of jobs on their way: what waits, what is launched, and what becomes of it.

Which of them comes next is decided in `jobs`.
"""

from dataclasses import dataclass
from datetime import datetime

from phx_pipeline.model.isolation import IsolationMode
from phx_pipeline.model.job import JobItem, JobState, Mode, Priority
from phx_pipeline.model.run_queue import SeenRun
from phx_pipeline.model.source import Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """The run of an item is there."""

    item: JobItem
    run_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """An item has ended.

    `is_shown`: the record of its run tells the same already, and so do the views.
    """

    item: JobItem
    state: JobState
    ended_at: datetime
    run_id: str | None = None
    error: str = ""
    is_shown: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AskAnew:
    """The run of an item is gone: it is asked for again, by everybody who shares it."""

    item: JobItem


@dataclass(frozen=True, slots=True, kw_only=True)
class Parted:
    """The run that an item shares had ended before: it gets one of its own."""

    item: JobItem


@dataclass(frozen=True, slots=True, kw_only=True)
class Reopened:
    """A run of an item is repeated after the end of the item was booked."""

    item: JobItem
    run: SeenRun


Fate = Seen | Ended | AskAnew | Parted | Reopened


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """An item that waits in the catalogue.

    `job_turn` and `user_turn` tell when its job and its user were last served, the
    greater the later; 0 is never. `is_late` is for who chooses: its turn comes because
    more urgent ones have overtaken it for long.
    """

    job_id: str
    slug: str
    run_key: str
    user: str
    priority: Priority
    created_at: datetime
    position: int
    requested_at: datetime
    job_turn: int = 0
    user_turn: int = 0
    is_late: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """An item whose run is to be launched.

    `sources`, `mode` and `isolation` are what the run does: as the one asked who wanted
    it first.
    """

    item: JobItem
    sources: tuple[Source, ...]
    mode: Mode
    isolation: IsolationMode | None
    is_late: bool = False
