"""What a user has asked for lately. How much of it is too much is decided in `jobs`."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What a user asked for lately: when each job of the last day was asked for.

    `launched_at` are those of them that Dagster told of. `open_jobs` have not ended,
    `images` were new or copies in the last day.
    """

    asked_at: tuple[datetime, ...] = ()
    launched_at: tuple[datetime, ...] = ()
    open_jobs: int = 0
    images: int = 0
