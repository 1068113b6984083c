"""What a user may do in Dagster's pages, by what he and others run already.

He launches no more than he may ask for as jobs, and stops his own runs alone. What was
launched within the last seconds may not be counted yet: the dispatcher notes it as a
job at its next look.
"""

from collections.abc import Callable, Collection
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime

from phx_pipeline.errors import QuotaError
from phx_pipeline.jobs.quota import Limits, refuse_too_much
from phx_pipeline.model.access import Principal
from phx_pipeline.service.trail import OpenCatalog

UsersOf = Callable[[Collection[str]], Collection[str]]


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

    def why_not(self, who: Principal) -> str:
        """Why *who* may launch nothing now; empty if he may. It takes its time."""
        if who.is_local:
            return ""
        at = self.clock()
        with closing(self.open_catalog()) as catalog:
            usage = catalog.jobs.usage(who.user, at=at)
        try:
            refuse_too_much(self.limits, usage, at=at)
        except QuotaError as refused:
            return str(refused)
        return ""
