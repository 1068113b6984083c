"""The desk of jobs for one request: the catalogue, and Dagster's runs through ports."""

from collections.abc import Callable, Collection
from typing import Final, Protocol

from phx_pipeline.catalog.store import Catalog
from phx_pipeline.errors import InputError, LeaseHeldError
from phx_pipeline.jobs.desk import Desk
from phx_pipeline.jobs.quota import Limits
from phx_pipeline.model.access import Principal, Role
from phx_pipeline.model.job import Job
from phx_pipeline.model.run_queue import RunQueue, RunStates
from phx_pipeline.reads.documents import Document, job_document
from phx_pipeline.reads.jobs import read_job
from phx_pipeline.service.api.problems import Problem, not_found
from phx_pipeline.service.api.stores import Stores

_WAIT_S: Final = 10.0  # for runs at work to end
_PROGRESS: Final = (
    "total_properties",
    "completed_properties",
    "failed_properties",
    "total_images",
    "new_images",
)


class Runs(RunStates, RunQueue, Protocol):
    """Both ports at once."""


OpenRuns = Callable[[Catalog], Runs]
"""Gives the runs that go with a catalogue, whose leases tell which of them live."""


class Desks:
    """Jobs as users of the service may see and change them.

    Args:
        stores: What jobs are written to.
        runs: What tells of runs and ends them.
        limits: For each user who came by a key.
    """

    def __init__(self, stores: Stores, runs: OpenRuns, *, limits: Limits) -> None:
        self._stores = stores
        self._runs = runs
        self._limits = limits

    def desk(self) -> Desk:
        """The desk, on the catalogue as it is now."""
        reads = self._stores.reads
        runs = self._runs(reads.catalog)
        return Desk(
            reads.catalog.jobs,
            reads.catalog.dispatch,
            states=runs,
            queue=runs,
            clock=reads.clock,
        )

    def job_of(self, who: Principal, job_id: str) -> Job:
        """Return a job that *who* may see: an own one; an admin sees all.

        Raises:
            Problem: there is none, or it is somebody else's.
        """
        user = None if may_see_all(who) else who.user
        try:
            return read_job(self._stores.catalog.jobs, job_id, user=user)
        except InputError as error:
            raise no_such_job(job_id) from error

    def any_jobs(self, job_ids: Collection[str]) -> dict[str, Job]:
        """Return jobs that there are, for those who were found to be allowed to see."""
        return self._stores.catalog.jobs.several(job_ids)

    @property
    def slots(self) -> int:
        """How many runs work at once."""
        return self._runs(self._stores.catalog).slots

    def document_of(self, job: Job) -> Document:
        """Return a job as it is sent; `progress` sums up what is also told singly."""
        told = job_document(job, slots=self.slots)
        progress = {name: told[name] for name in _PROGRESS}
        return {
            "job_id": job.job_id,
            **told,
            "progress": progress,
            "error": job.error_message,
        }

    def limits_of(self, who: Principal) -> Limits | None:
        """What *who* may ask for; None if as much as there is to ask."""
        return None if who.is_local else self._limits

    def end_runs(self, slug: str) -> None:
        """End all runs of a house, waiting for those at work.

        Raises:
            LeaseHeldError: one goes on still.
        """
        runs = self._runs(self._stores.catalog)
        open_ones = [run.run_id for run in runs.open_runs() if run.slug == slug]
        stopped = runs.cancel(open_ones, wait_s=_WAIT_S)
        if stopped.going_on:
            raise LeaseHeldError(f"{slug}: run {', '.join(stopped.going_on)} goes on")


def no_such_job(job_id: str) -> Problem:
    """The answer where there is none, or it is somebody else's."""
    return not_found(
        f"there is no job {job_id!r} of yours: GET /api/extraction/jobs, or "
        "`phx jobs`, lists them"
    )


def may_see_all(who: Principal) -> bool:
    """Whether *who* sees the jobs of others."""
    return who.role >= Role.ADMIN
