"""A job: one request for several properties; and its items, one per property."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from phx_pipeline.model.source import Source


class Mode(StrEnum):
    """What a run asks again: only what is open or stale, or every source."""

    RESUME = "resume"
    FRESH = "fresh"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobItem:
    """One property of a job, launched exactly once."""

    job_id: str
    slug: str
    attempt: int
    sources: tuple[Source, ...]
    mode: Mode = Mode.FRESH
    dispatched_at: datetime | None = None

    @property
    def run_key(self) -> str:
        """The idempotency key of the item's run."""
        return f"{self.job_id}:{self.attempt}:{self.slug}"

    def covers(self, *, sources: Collection[Source], mode: Mode) -> bool:
        """Whether its run does all that one for *sources* in *mode* would do.

        No sources means all enabled ones, which more than those named may be.
        """
        wide = not self.sources or (bool(sources) and set(sources) <= set(self.sources))
        return wide and self.mode in {mode, Mode.FRESH}
