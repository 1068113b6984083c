"""A job: one request for several properties; and its items, one per property."""

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
