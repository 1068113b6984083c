"""What a user may do in Dagster's pages, by what he and others run already.

He launches no more than he may ask for as jobs, and stops his own runs alone. What was
launched within the last seconds is no job yet, for the dispatcher notes it at its next
look: until then it is counted here.
"""

from collections.abc import Callable, Collection
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from threading import Lock
from typing import Final

from phx_pipeline.catalog.job_usage import Usage
from phx_pipeline.errors import QuotaError
from phx_pipeline.jobs.quota import Limits, refuse_too_much
from phx_pipeline.model.access import Principal
from phx_pipeline.service.trail import OpenCatalog

_NOTED_WITHIN: Final = timedelta(seconds=30)  # by the dispatcher, or it was no launch

UsersOf = Callable[[Collection[str]], Collection[str]]


class _Passed:
    """Launches that were passed on within the last seconds, by user."""

    def __init__(self) -> None:
        self.lock = Lock()
        self._times: dict[str, list[datetime]] = {}

    def added(self, usage: Usage, *, user: str, at: datetime) -> Usage:
        """Return *usage* with those that are no jobs yet."""
        times = [it for it in self._times.pop(user, []) if it + _NOTED_WITHIN > at]
        if not times:
            return usage
        self._times[user] = times
        since = times[0].replace(microsecond=0)  # SQLite knows whole seconds of a run
        noted = sum(each >= since for each in usage.launched_at)
        unseen = times[noted:]
        return replace(
            usage,
            asked_at=(*usage.asked_at, *unseen),
            open_jobs=usage.open_jobs + len(unseen),
        )

    def note(self, user: str, launches: int, *, at: datetime) -> None:
        """Count so many as passed on."""
        self._times.setdefault(user, []).extend([at] * launches)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """The limits of users who come with a key.

    Attributes:
        limits: Of each of them.
        users_of: Tells whose runs and backfills are, by their ids; those of nobody who
            is known, too, but none that are not there. It may take its time.
        open_catalog: Opens the catalogue for one look.
        clock: The wall clock.
    """

    limits: Limits
    users_of: UsersOf
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
