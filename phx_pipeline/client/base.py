"""What can be done with jobs, whichever way the calls go; and waiting for one."""

import time
from collections.abc import Callable, Collection, Iterable
from typing import Protocol, Self

from phx_pipeline.client.order import Order, order_of
from phx_pipeline.client.patience import Patience
from phx_pipeline.client.progress import Pace, Progress
from phx_pipeline.errors import InputError
from phx_pipeline.model.isolation import IsolationMode
from phx_pipeline.model.job import Job, JobState, Mode, Priority, Submitted


def refuse_no_limit(limit: int) -> None:
    """Refuse to list fewer jobs than one.

    Raises:
        InputError: *limit* is less than 1.
    """
    if limit < 1:
        raise InputError(f"limit {limit} lists no job: choose one of at least 1")


class Client(Protocol):
    """Jobs of a pipeline: `connect` returns one.

    Every method raises what the pipeline itself would: `InputError` for a wrong value
    or an unknown job, `QuotaError`, `CatalogDownError`; by HTTP also `ServiceError`
    where the service cannot be reached.
    """

    poll_s: float

    def enqueue(self, order: Order) -> Submitted:
        """Hand a job in, and return at once; `submit` takes the same as arguments."""
        ...

    def progress(self, job_id: str) -> Progress:
        """Return a job and how far it is; rates are told by `wait` alone."""
        ...

    def job(self, job_id: str) -> Job:
        """Return a job with its properties, as it is now.

        >>> client.job("5f0c2b7a91de").counts[JobState.COMPLETED]
        31
        """
        ...

    def jobs(
        self,
        *,
        user: str | None = None,
        states: Collection[JobState] = (),
        limit: int = 50,
    ) -> list[Job]:
        """Return the newest jobs, the newest first.

        By HTTP those of others are seen by an admin alone.

        Args:
            user: only this user's.
            states: only those in one of these states.
            limit: how many at most.

        Raises:
            InputError: *limit* is less than 1.
        """
        ...

    def cancel(self, job_id: str) -> Job:
        """Call a job off; what waits never runs, what runs is asked to end.

        Photos that came are kept. A run that another job shares goes on. To cancel a
        job that has ended changes nothing.
        """
        ...

    def retry(self, job_id: str) -> Job:
        """Ask again for the properties of a job that failed or are partial.

        Raises:
            InputError: there are none.
        """
        ...

    def is_served(self) -> bool:
        """Whether something runs that will take up jobs."""
        ...

    def close(self) -> None:
        """Let go of connections and files."""
        ...

    def submit(
        self,
        houses: str | Iterable[str],
        *,
        sources: Iterable[str] = (),
        mode: Mode = Mode.RESUME,
        priority: Priority = Priority.NORMAL,
        isolation: IsolationMode | None = None,
        idempotency_key: str = "",
    ) -> str:
        """Hand a job in and return its id at once.

        >>> job_id = client.submit("4732 W Davis Rd, Glendale, AZ 85306")
        >>> job_id = client.submit(["686067a4", "ef7cd95f"], sources=["redfin"])
        >>> job_id = client.submit("all", priority=Priority.LOW)

        Args:
            houses: the key, folder, address or listing's URL of each; or "all".
            sources: ask only these; all that are enabled by default.
            mode: RESUME asks what is open or stale, FRESH every source again.
            priority: which jobs come first.
            isolation: where the browser's window is, by default as the settings of
                the side that works say.
            idempotency_key: of your choice; with the same one you get the same job
                again, however often you hand it in.

        Raises:
            InputError: a house or source is unknown, or none is named.
            QuotaError: you have had as much as you may for now.
        """
        return self.enqueue(
            order_of(
                houses,
                sources=sources,
                mode=mode,
                priority=priority,
                isolation=isolation,
                idempotency_key=idempotency_key,
            )
        ).job_id

    def wait(
        self,
        job_id: str,
        *,
        timeout_s: float | None = None,
        on_progress: Callable[[Progress], None] | None = None,
    ) -> Job:
        """Wait until a job has ended, and return it.

        A service or a database that is away meanwhile is borne with for two minutes.

        >>> job = client.wait(job_id, timeout_s=3600)
        >>> job.state
        <JobState.PARTIAL: 'partial'>

        Args:
            job_id: of the job.
            timeout_s: how long at most; for ever by default.
            on_progress: is called every second or two, for thousands of houses every
                some seconds, and once at the end.

        Raises:
            TimeoutError: it goes on still; waiting does not change that.
        """
        pace, patience = Pace(), Patience()
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        while True:
            seen = patience.look(lambda: self._look(job_id, closely=bool(on_progress)))
            if seen is not None and on_progress is not None:
                on_progress(pace.rated(seen))
            if seen is not None and seen.job.state.is_final:
                return seen.job
            pause_s = self.poll_s * (seen.job.look_rarer if seen else 1.0)
            if deadline is not None:
                if (left_s := deadline - time.monotonic()) <= 0:
                    told = f"job {job_id} has not ended after {timeout_s:g} s"
                    raise TimeoutError(told)
                pause_s = min(pause_s, left_s)
            time.sleep(pause_s)

    def _look(self, job_id: str, *, closely: bool) -> Progress:
        return self.progress(job_id) if closely else Progress(job=self.job(job_id))

    def __enter__(self) -> Self:
        """Use it to the end of a block."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()
