"""How far a job is at one moment, and how fast its photos come."""

import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from phx_pipeline.model.job import Job, JobState

REPEATED: Final = "a run that failed to be repeated"
"""What a job waits for of which a run was lost, and nothing else is at work."""

_WINDOW_S: Final = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Photos:
    """Photos of one property: listed by its sources, and those with a verdict."""

    listed: int
    decided: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """A job at one moment, for whoever watches it.

    Attributes:
        job: as it is.
        photos: by the key of a property those of its sources; without any it has none.
        photos_per_s: how many got a verdict, over the last half minute; None at first.
        waits_for: why nothing of it is at work, for people; empty if something is.
    """

    job: Job
    photos: Mapping[str, Photos] = field(default_factory=dict)
    photos_per_s: float | None = None
    waits_for: str = ""

    @property
    def decided(self) -> int:
        """Photos of all its properties that have a verdict."""
        return sum(photos.decided for photos in self.photos.values())

    @property
    def remaining_s(self) -> float | None:
        """Seconds until its end, at as many runs at once as now; None if unknown."""
        at_work = self.job.counts[JobState.IN_PROGRESS]
        return self.job.remaining_s(slots=at_work) if at_work else None


class Pace:
    """Tells how many photos a second got a verdict, from what it was shown."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seen: deque[tuple[float, int]] = deque()

    def rated(self, progress: Progress) -> Progress:
        """Return *progress* with the rate of the last half minute."""
        now = self._clock()
        self._seen.append((now, progress.decided))
        while len(self._seen) > 2 and now - self._seen[1][0] >= _WINDOW_S:  # noqa: PLR2004
            self._seen.popleft()
        since, before = self._seen[0]
        if now <= since:
            return progress
        rate = max(0, progress.decided - before) / (now - since)
        return replace(progress, photos_per_s=rate)
