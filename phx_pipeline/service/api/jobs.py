"""Jobs over HTTP: asked for, listed, watched, called off, asked again, fetched.

What becomes of a job is told by `jobs`; what of it is shown, by `reads`.
"""

from collections.abc import Iterator
from http import HTTPStatus
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Depends, Header, Path, Query, Request
from pydantic import Field
from starlette.responses import JSONResponse, StreamingResponse

from phx_pipeline.errors import InputError, UnknownJobError
from phx_pipeline.model.iso_times import iso
from phx_pipeline.model.isolation import IsolationMode
from phx_pipeline.model.job import Job, JobRequest, JobState, Mode, Origin, Priority
from phx_pipeline.model.source import Source
from phx_pipeline.reads.documents import job_document
from phx_pipeline.reads.houses import meant_slugs
from phx_pipeline.reads.jobs import read_jobs
from phx_pipeline.reads.paging import LIMIT
from phx_pipeline.service.api import shapes
from phx_pipeline.service.api.bodies import OnceRoute
from phx_pipeline.service.api.deeds import note
from phx_pipeline.service.api.desks import Desks, may_see_all
from phx_pipeline.service.api.events import Events
from phx_pipeline.service.api.principals import Who
from phx_pipeline.service.api.problems import Problem, refuse
from phx_pipeline.service.api.stores import Stores
from phx_pipeline.service.api.turns import Turns
from phx_pipeline.service.api.within import within
from phx_pipeline.service.api.words import (
    LONGEST_LINE,
    NO_CONTROLS,
    Body,
    Cursor,
    Limit,
    Line,
)
from phx_pipeline.settings import parse_sources
from phx_pipeline.workflows.bundle import bundle_parts

JOBS: Final = "/api/extraction/jobs"
MOST_HOUSES: Final = 10_000

_CANCEL_S: Final = 20.0
_NOT_YET: Final = (
    "the catalogue does not answer in time, and the job may go on: cancel it again soon"
)
_SOON: Final = {"retry-after": "5"}

JobId = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]+$", max_length=100)]
IdempotencyKey = Annotated[
    str,
    Header(
        pattern=r"^[!-~]*$",
        max_length=128,
        description="Of your choice: sent again, it gives the same job, not another.",
    ),
]
UserAsked = Annotated[
    str | None,
    Query(
        max_length=LONGEST_LINE,
        pattern=NO_CONTROLS,
        description="Only jobs of this user; those of others are for admins.",
    ),
]
StateOfJob = Literal[
    "pending", "in_progress", "completed", "partial", "failed", "cancelled"
]
StatesAsked = Annotated[
    list[StateOfJob], Query(alias="status", description="Only jobs in these states.")
]


class Order(Body):
    """What is to be extracted."""

    properties: list[Line] = Field(
        default=[],
        max_length=MOST_HOUSES,
        description="The key, folder, address or listing's URL of each house.",
    )
    all: bool = Field(default=False, description="All houses that are followed.")
    sources: list[Line] = Field(
        default=[], max_length=100, description="Only these; all by default."
    )
    mode: Mode = Field(
        default=Mode.RESUME,
        strict=False,
        description="`resume` asks what is open or stale, `fresh` every source again.",
    )
    priority: Priority = Field(
        default=Priority.NORMAL, strict=False, description="Which jobs come first."
    )
    isolation_mode: IsolationMode | None = Field(
        default=None,
        strict=False,
        description="Where a browser's window is; by default as the settings say.",
    )


class Jobs:
    """The jobs of one catalogue."""

    def __init__(self, stores: Stores, desks: Desks, *, turns: Turns) -> None:
        self._stores = stores
        self._turns = turns
        self._desks = desks
        self._events = Events(desks)

    def router(self) -> APIRouter:
        """All paths of jobs."""
        router = APIRouter(prefix=JOBS, tags=["jobs"], route_class=OnceRoute)
        one = "/{job_id}"
        told = shapes.one("extraction_job")
        submitting = [Depends(self._turns.submission)]
        router.add_api_route(
            "",
            self.submit,
            methods=["POST"],
            status_code=202,
            dependencies=submitting,
        )
        router.add_api_route(
            "", self.list_, methods=["GET"], responses=shapes.page("job")
        )
        router.add_api_route(one, self.job, methods=["GET"], responses=told)
        router.add_api_route(
            one,
            self.cancel,
            methods=["DELETE"],
            responses={**told, **shapes.one("extraction_job", status=202)},
            dependencies=[Depends(self._turns.turn)],
        )
        router.add_api_route(
            f"{one}/retry",
            self.retry,
            methods=["POST"],
            status_code=202,
            responses=shapes.one("extraction_job", status=202),
            dependencies=submitting,
        )
        router.add_api_route(
            f"{one}/results",
            self.results,
            methods=["GET"],
            response_class=StreamingResponse,
            responses={200: {"content": {"application/zip": {}}}},
        )
        router.add_api_route(
            f"{one}/events",
            self.events,
            methods=["GET"],
            response_class=StreamingResponse,
            responses={200: {"content": {"text/event-stream": {}}}},
        )
        return router

    def submit(
        self,
        request: Request,
        who: Who,
        order: Order,
        idempotency_key: IdempotencyKey = "",
    ) -> JSONResponse:
        """Ask for a job; it is written when this is answered, and runs by itself."""
        asked = JobRequest(
            slugs=self._slugs(order),
            user=who.user,
            sources=_sources(order),
            mode=order.mode,
            isolation=order.isolation_mode,
            priority=order.priority,
            origin=Origin.API,
            idempotency_key=idempotency_key,
            everything=order.all,
        )
        done = self._desks.desk().submit(
            asked,
            limits=self._desks.limits_of(who),
            address=request.client.host if request.client else "",
        )
        return JSONResponse(
            {
                "job_id": done.job_id,
                "status": done.state.value,
                "created_at": iso(done.created_at),
                "is_new": done.is_new,
                "joined": dict(done.joined),
            },
            status_code=HTTPStatus.ACCEPTED,
            headers={"location": f"{JOBS}/{done.job_id}"},
        )

    def list_(
        self,
        who: Who,
        limit: Limit = LIMIT,
        cursor: Cursor = None,
        user: UserAsked = None,
        states: StatesAsked = [],  # noqa: B006 - FastAPI reads it, nobody changes it
    ) -> JSONResponse:
        """Return a page of jobs, the newest first, without their houses."""
        if not may_see_all(who):
            if user not in {None, who.user}:
                refuse("you see your own jobs alone", field="user")
            user = who.user
        rows, among = self._stores.catalog.jobs, list(map(JobState, states))
        page = read_jobs(rows, user=user, states=among, limit=limit, cursor=cursor)
        slots = self._desks.slots
        told = (job_document(it, slots=slots, items=False) for it in page.rows)
        return shapes.page_of(told, page.next)

    def job(self, who: Who, job_id: JobId) -> JSONResponse:
        """Return a job and how far it is."""
        return self._told(self._desks.job_of(who, job_id))

    def cancel(self, request: Request, who: Who, job_id: JobId) -> JSONResponse:
        """Call a job off: what waits never runs, what is at work is asked to end.

        If that lasts, the answer comes before, with the status 202.
        """
        job = self._desks.job_of(who, job_id)
        desk = self._desks.desk()
        if desk.has_ended(job):  # its end may only not be booked yet
            return self._told(job)
        was_called_off = job.cancelled_at is not None  # it is ending still
        ended = within(_CANCEL_S, lambda: desk.cancel(job_id))
        job = ended or desk.job(job_id)
        if job.cancelled_at is None and not job.state.is_final:
            raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, _NOT_YET, headers=_SOON)
        if not was_called_off:
            note(request, who, "job.cancel", job_id)
        return self._told(job, status=HTTPStatus.OK if ended else HTTPStatus.ACCEPTED)

    def retry(self, request: Request, who: Who, job_id: JobId) -> JSONResponse:
        """Ask again for the houses of a job that failed or are partial."""
        self._desks.job_of(who, job_id)
        try:
            job = self._desks.desk().retry(job_id)
        except UnknownJobError:
            raise
        except InputError as error:
            raise Problem(HTTPStatus.CONFLICT, str(error)) from error
        note(request, who, "job.retry", job_id)
        return self._told(job, status=HTTPStatus.ACCEPTED)

    def results(self, request: Request, who: Who, job_id: JobId) -> StreamingResponse:
        """Return a zip of the pictures of a job's houses, a manifest and a table."""
        job = self._desks.job_of(who, job_id)
        if not job.state.is_final:
            raise Problem(
                HTTPStatus.CONFLICT,
                f"job {job_id} has not ended: fetch its results when it has",
                headers=_SOON,
            )
        parts = self._parts(job)
        note(request, who, "job.download", job_id)
        name = f"{job_id}.zip"
        return StreamingResponse(
            parts,
            media_type="application/zip",
            headers={
                "content-disposition": f'attachment; filename="{name}"',
                "cache-control": "no-store",
            },
        )

    async def events(self, who: Who, job_id: JobId) -> StreamingResponse:
        """Tell how far a job is, as server-sent events, until it has ended."""
        return await self._events.of(who, job_id)

    def _slugs(self, order: Order) -> tuple[str, ...]:
        if order.all == bool(order.properties):
            refuse('name houses, or send "all": true', field="properties")
        reads = self._stores.reads
        if order.all:
            return tuple(reads.catalog.slugs())
        return meant_slugs(reads, order.properties)

    def _parts(self, job: Job) -> Iterator[bytes]:
        slugs = [it.slug for it in job.items]
        catalog, layout = self._stores.catalog, self._stores.layout
        try:
            return bundle_parts(catalog, slugs, layout=layout)
        except InputError as error:
            raise Problem(
                HTTPStatus.NOT_FOUND, "no picture of this job's houses is published"
            ) from error

    def _told(self, job: Job, *, status: HTTPStatus = HTTPStatus.OK) -> JSONResponse:
        return JSONResponse(self._desks.document_of(job), status_code=status)


def _sources(order: Order) -> tuple[Source, ...]:
    if not order.sources:
        return ()
    return parse_sources(",".join(order.sources), by="sources")
