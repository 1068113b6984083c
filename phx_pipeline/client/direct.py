"""Jobs straight on the catalogue of this machine.

Rows tell where a job is. Dagster is opened where it has to be: its import takes longer
than all else that these calls do.
"""

from collections.abc import Callable, Collection, Iterator
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Final, Self
from uuid import uuid4

from phx_pipeline.client.base import Client, refuse_no_limit
from phx_pipeline.client.deferred import DeferredRuns
from phx_pipeline.client.order import Order
from phx_pipeline.client.progress import REPEATED, Photos, Progress
from phx_pipeline.errors import UnknownJobError
from phx_pipeline.jobs.desk import Desk
from phx_pipeline.model.counted import counted
from phx_pipeline.model.job import Job, JobRequest, JobState, Origin, Submitted
from phx_pipeline.model.nearest import did_you_mean
from phx_pipeline.model.outcome import VerdictKind
from phx_pipeline.model.tally import PropertyTally
from phx_pipeline.reads.base import Reads
from phx_pipeline.reads.tallies import tallies
from phx_pipeline.settings import Settings
from phx_pipeline.supervise.lock import last_end_s
from phx_pipeline.supervise.state import state
from phx_pipeline.wiring.reads import build_reads

if TYPE_CHECKING:
    from phx_pipeline.catalog.store import Catalog
    from phx_pipeline.stages.context import StageContext

_DAEMON: Final = "daemon"
_PAGE: Final = 50
_MOST_LIKE: Final = 200  # of the newest jobs one may be meant by an id that is none
_BEGINS: Final = "Dagster, which begins runs within seconds"
_UNSERVED: Final = "a Dagster daemon, and none is running: `phx up` starts one"


class CatalogClient(Client):
    """A `Client` on stores that are open; who opened them closes them."""

    poll_s = 1.0

    def __init__(
        self, settings: Settings, reads: Reads, *, build: Callable[[], "StageContext"]
    ) -> None:
        self._settings = settings
        self._reads = reads
        self._build = build
        catalog = reads.catalog
        self._runs = DeferredRuns(settings, catalog.leases)
        self._desk = Desk(
            catalog.jobs,
            catalog.dispatch,
            states=self._runs,
            queue=self._runs,
            clock=reads.clock,
        )

    @classmethod
    def on(cls, settings: Settings) -> Self:
        """Open the stores of *settings*; `close` closes them."""
        reads = build_reads(settings)
        return cls(settings, reads, build=lambda: _context_of(settings, reads.catalog))

    @classmethod
    def of(cls, context: "StageContext", settings: Settings) -> Self:
        """Return a client of stores that are open; who opened them closes them."""
        from phx_pipeline.wiring.runs import reads_of  # noqa: PLC0415 - only to hand in

        return cls(settings, reads_of(context), build=lambda: context)

    @cached_property
    def context(self) -> "StageContext":
        """What stages are given, on these stores; put together when it is asked for."""
        return self._build()

    def close(self) -> None:
        """Close the catalogue, and Dagster's store if it was opened."""
        self._runs.close()
        self._reads.catalog.close()

    def enqueue(self, order: Order) -> Submitted:
        """Write the rows of a job."""
        request = JobRequest(
            slugs=self._slugs(order),
            user=self._settings.user,
            sources=order.sources,
            mode=order.mode,
            isolation=order.isolation,
            priority=order.priority,
            origin=Origin.CLI,
            idempotency_key=order.idempotency_key,
            everything=order.everything,
        )
        return self._desk.submit(request)

    def _note(self, action: str, job_id: str, *, detail: str = "") -> None:
        """Note a deed in the audit trail."""
        self._reads.catalog.audit.note(
            user=self._settings.user,
            action=action,
            target=job_id,
            detail=detail,
            at=self._reads.now(),
        )

    def _slugs(self, order: Order) -> tuple[str, ...]:
        if order.everything:
            return tuple(self._reads.catalog.slugs())
        from phx_pipeline.workflows.intake import (  # noqa: PLC0415 - only to hand in
            find_property,
        )

        found = (find_property(self.context, text).slug for text in order.houses)
        return tuple(dict.fromkeys(found))

    def progress(self, job_id: str) -> Progress:
        """Return a job and the photos of its properties, from rows."""
        job = self.job(job_id)
        return Progress(
            job=job, photos=self._photos(job), waits_for=self._waits_for(job)
        )

    def _photos(self, job: Job) -> dict[str, Photos]:
        """Those at work as the catalogue counts them, others as their runs did."""
        totals = {it.slug: it.counts.total for it in job.items if it.counts.total}
        found = {slug: Photos(listed=n, decided=n) for slug, n in totals.items()}
        moving = [
            it.slug for it in job.items if it.started_at and not it.state.is_final
        ]
        for tally in self._tallies(job, moving):
            named = job.sources or tuple(it.source for it in tally.sources)
            asked = [it for it in tally.sources if it.source in named]
            pending = sum(it.count(VerdictKind.PENDING) for it in asked)
            if listed := sum(it.discovered for it in asked):
                found[tally.slug] = Photos(listed=listed, decided=listed - pending)
        return found

    def _tallies(self, job: Job, slugs: Collection[str]) -> Collection[PropertyTally]:
        return tallies(self._reads, job.sources, slugs=slugs) if slugs else ()

    def _waits_for(self, job: Job) -> str:
        if job.state.is_final or job.counts[JobState.IN_PROGRESS]:
            return ""
        if not self.is_served():
            return _UNSERVED
        if job.counts[JobState.RETRYING]:
            return REPEATED
        if ahead := self._reads.catalog.jobs.ahead_of(job.job_id):
            slug, other = next(iter(ahead.items()))
            more = f", and {len(ahead) - 1} more such" if len(ahead) > 1 else ""
            return f"the run of {slug} for job {other} to end{more}"
        others = self._reads.catalog.statistics.open_jobs(besides=job.job_id)
        if others.under_way:
            houses = counted(others.under_way, "property")
            return f"its turn, {houses} of other jobs under way"
        return _BEGINS

    def job(self, job_id: str) -> Job:
        """Return a job, as its rows tell it.

        Where no dispatcher runs, it is looked up first what became of its runs.
        """
        try:
            found = self._desk.job(job_id)
        except UnknownJobError as error:
            raise UnknownJobError(f"{error}{self._near(job_id)}") from error
        under_way = len(found.items) - found.done - found.counts[JobState.PENDING]
        if under_way and not self._has_daemon():
            self._desk.settle()
            return self._desk.job(job_id)
        return found

    def _near(self, job_id: str) -> str:
        newest = islice(self._newest(None), _MOST_LIKE)
        return did_you_mean(job_id, (job.job_id for job in newest))

    def cancel(self, job_id: str) -> Job:
        """Call a job off, and give its runs some seconds to end."""
        job = self.job(job_id)
        if self._desk.has_ended(job):
            return job
        cancelled = self._desk.cancel(job_id)
        if not job.cancelled_at:  # else it was called off before, and is ending still
            self._note("job.cancel", job_id)
        return cancelled

    def retry(self, job_id: str) -> Job:
        """Ask again for what failed or is partial."""
        self.job(job_id)
        again = self._desk.retry(job_id)
        self._note("job.retry", job_id)
        return again

    def jobs(
        self,
        *,
        user: str | None = None,
        states: Collection[JobState] = (),
        limit: int = 50,
    ) -> list[Job]:
        """Return the newest jobs of the catalogue, those of all users."""
        refuse_no_limit(limit)
        found = (job for job in self._newest(user) if not states or job.state in states)
        return list(islice(found, limit))

    def _newest(self, user: str | None) -> Iterator[Job]:
        book, before = self._reads.catalog.jobs, None
        while page := book.newest(limit=_PAGE, user=user, before=before):
            yield from page
            before = (page[-1].created_at, page[-1].job_id)

    def is_served(self) -> bool:
        """Whether a daemon lives: one of `phx up`, else whatever Dagster has heard."""
        if self._has_daemon():
            return True
        return self._runs.is_served(since_s=last_end_s(self._settings))

    def _has_daemon(self) -> bool:
        found = state(self._settings)
        return found is not None and bool(found.answers.get(_DAEMON))


def _context_of(settings: Settings, catalog: "Catalog") -> "StageContext":
    from phx_pipeline.wiring.runs import build_context  # noqa: PLC0415 - only to hand in

    run_id = f"client-{uuid4().hex[:12]}"
    return build_context(settings, run_id=run_id, catalog=catalog)
