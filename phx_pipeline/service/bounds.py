"""What a user may do in Dagster's pages, by what he and others run already.

He launches no more than he may ask for as jobs, and stops his own runs alone. What was
launched is counted here for a day, as far as it is no job: the dispatcher notes that at
its next look, and never for a run of no house. A web server that begins anew does not
know what was launched before.
"""

from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Collection, Iterable
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from threading import Lock
from typing import Final

from phx_pipeline.errors import QuotaError
from phx_pipeline.jobs.quota import Limits, refuse_too_much
from phx_pipeline.model.access import Principal
from phx_pipeline.model.moments import newest_past
from phx_pipeline.model.printable import printable
from phx_pipeline.model.usage import Usage
from phx_pipeline.service.trail import OpenCatalog

_NOTED_WITHIN: Final = timedelta(seconds=30)  # by the dispatcher, if it becomes a job
_COUNTED: Final = timedelta(days=1)
_MOST_KEPT: Final = 10_000  # of each user, who may have no limit

UsersOf = Callable[[Collection[str]], Collection[str]]
MissingRuns = Callable[[Collection[str]], Collection[str]]


class _Passed:
    """Launches that were passed on within the last day, by user."""

    def __init__(self) -> None:
        self.lock = Lock()
        self._times: dict[str, deque[datetime]] = {}

    def added(self, usage: Usage, *, user: str, at: datetime) -> Usage:
        """Return *usage* with those that are no jobs.

        Of these only what may become a job still counts as open.
        """
        since, until = at - _COUNTED, newest_past(at)
        times = [it for it in self._times.pop(user, ()) if since < it <= until]
        if not times:
            return usage
        self._times[user] = deque(times, _MOST_KEPT)
        unseen = _unmatched(times, usage.launched_at)
        coming = sum(it + _NOTED_WITHIN > at for it in unseen)
        return replace(
            usage,
            asked_at=(*usage.asked_at, *unseen),
            open_jobs=usage.open_jobs + coming,
        )

    def note(self, user: str, launches: int, *, at: datetime) -> None:
        """Count so many as passed on."""
        times = self._times.setdefault(user, deque(maxlen=_MOST_KEPT))
        times.extend([at] * launches)

    def forget(self, user: str, launches: int) -> None:
        """Leave the last ones out: they began nothing."""
        times = self._times.get(user, deque())
        for _ in range(min(launches, len(times))):
            times.pop()


def _unmatched(times: Iterable[datetime], noted: Iterable[datetime]) -> list[datetime]:
    """Return those of *times* after which nothing was noted that began then.

    SQLite knows whole seconds of a run, so what began may seem to be earlier.
    """
    left = sorted(times)
    for each in sorted(noted):
        before = bisect_right(left, each, key=lambda it: it.replace(microsecond=0))
        if before:
            del left[before - 1]
    return left


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """The limits of users who come with a key.

    Attributes:
        limits: Of each of them.
        users_of: Tells whose runs and backfills are, by their ids; those of nobody who
            is known, too, but none that are not there. It may take its time.
        missing_runs: Tells which of some ids are those of no run; the same.
        open_catalog: Opens the catalogue for one look.
        clock: The wall clock.
    """

    limits: Limits
    users_of: UsersOf
    missing_runs: MissingRuns
    open_catalog: OpenCatalog
    clock: Callable[[], datetime]

    _passed: _Passed = field(default_factory=_Passed, init=False)

    def why_not(self, who: Principal, *, launches: int) -> str:
        """Why *who* may not launch so many now; empty if he may. It takes its time.

        They count as launched from then on: of requests that come together, only those
        within the limits are passed on.
        """
        if who.is_local:
            return ""
        with self._passed.lock:
            at = self.clock()
            with closing(self.open_catalog()) as catalog:
                usage = catalog.jobs.usage(who.user, at=at)
            usage = self._passed.added(usage, user=who.user, at=at)
            try:
                refuse_too_much(self.limits, usage, at=at, more=launches)
            except QuotaError as refused:
                return str(refused)
            self._passed.note(who.user, launches, at=at)
        return ""

    def not_launched(self, who: Principal, *, launches: int) -> None:
        """Leave out so many of those that were just passed on: Dagster refused them."""
        if not who.is_local:
            with self._passed.lock:
                self._passed.forget(who.user, launches)

    def why_not_after(self, parents: Collection[str]) -> str:
        """Why nothing may be launched that repeats these runs; empty if it may.

        Whose a repetition is, is told by the run before it.
        """
        missing = sorted(self.missing_runs(parents)) if parents else ()
        if not missing:
            return ""
        return (
            f"there is no run {printable(missing[0])!r} that could be executed again: "
            "leave `parentRunId` and `rootRunId` out"
        )
