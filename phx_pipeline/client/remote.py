"""Jobs of a service, by HTTP.

What the service refuses is raised as the same call on the catalogue would raise it.
"""

from collections.abc import Collection
from datetime import datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final, Self
from urllib.parse import quote
from uuid import uuid4

from phx_pipeline.client.base import Client, refuse_no_limit
from phx_pipeline.client.documents import job_of
from phx_pipeline.client.order import Order
from phx_pipeline.client.problems import Meanings
from phx_pipeline.client.progress import REPEATED, Photos, Progress
from phx_pipeline.client.transport import Transport
from phx_pipeline.errors import IdempotencyError, PhxError, UnknownJobError
from phx_pipeline.model.job import OF_JOBS, Job, JobState, Submitted

_JOBS: Final = "/api/extraction/jobs"
_PAGE: Final = 50
_NO_JOB: Final = (HTTPStatus.NOT_FOUND, HTTPStatus.UNPROCESSABLE_ENTITY)


class RemoteClient(Client):
    """A `Client` of the service at the other end of a transport."""

    poll_s = 2.0

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    @classmethod
    def at(
        cls,
        server: str,
        *,
        key: str | None,
        ca_file: Path | None,
        key_by: str = "PHX_KEY",
    ) -> Self:
        """Return a client of the service at *server*; nothing is sent yet."""
        return cls(Transport(server, key=key, ca_file=ca_file, key_by=key_by))

    def close(self) -> None:
        """Close the connection."""
        self._transport.close()

    def enqueue(self, order: Order) -> Submitted:
        """Hand a job in; sent again, it makes no second one."""
        key = order.idempotency_key or uuid4().hex
        answer = self._transport.ask(
            "POST",
            _JOBS,
            body=_body(order),
            headers={"Idempotency-Key": key},
            means={HTTPStatus.CONFLICT: IdempotencyError},
        )
        return Submitted(
            job_id=str(answer["job_id"]),
            created_at=datetime.fromisoformat(answer["created_at"]),
            state=JobState(answer["status"]),
            is_new=bool(answer.get("is_new", True)),
            joined=dict(answer.get("joined") or {}),
        )

    def progress(self, job_id: str) -> Progress:
        """Return a job; its photos are those of the runs that have ended."""
        job = self.job(job_id)
        totals = {it.slug: it.counts.total for it in job.items if it.counts.total}
        return Progress(
            job=job,
            photos={slug: Photos(listed=n, decided=n) for slug, n in totals.items()},
            waits_for=_waits_for(job),
        )

    def job(self, job_id: str) -> Job:
        """Return a job of the service."""
        return job_of(self._transport.ask("GET", _path(job_id), means=self._of(job_id)))

    def jobs(
        self,
        *,
        user: str | None = None,
        states: Collection[JobState] = (),
        limit: int = 50,
    ) -> list[Job]:
        """Return the newest jobs of the service, page by page."""
        refuse_no_limit(limit)
        params: dict[str, Any] = {"limit": min(limit, _PAGE)}
        if user is not None:
            params["user"] = user
        if states:
            params["status"] = [state.value for state in states if state in OF_JOBS]
            if not params["status"]:
                return []
        found: list[Job] = []
        while len(found) < limit:
            page = self._transport.ask("GET", _JOBS, params=params)
            found += map(self._whole, page["items"])
            if not page.get("next"):
                break
            params["cursor"] = page["next"]
        return found[:limit]

    def _whole(self, listed: Any) -> Job:
        """The job of a list, which leaves its properties out."""
        return job_of(listed) if "items" in listed else self.job(str(listed["id"]))

    def cancel(self, job_id: str) -> Job:
        """Call a job off; sent again, it changes nothing more."""
        means = self._of(job_id)
        return job_of(self._transport.ask("DELETE", _path(job_id), means=means))

    def retry(self, job_id: str) -> Job:
        """Ask again for what failed or is partial."""
        path = f"{_path(job_id)}/retry"
        again = self._transport.ask("POST", path, is_safe=False, means=self._of(job_id))
        return job_of(again)

    def _of(self, job_id: str) -> Meanings:
        """What refusals mean on the paths of one job: that there is none."""
        told = f"{self._transport.server} has no job {job_id!r} that you may see: "
        unknown = UnknownJobError(f"{told}`phx jobs` lists those that it has")
        return dict.fromkeys(_NO_JOB, lambda _: unknown)

    def is_served(self) -> bool:
        """Whether the service says that it is ready."""
        try:
            self._transport.ask("GET", "/readyz", is_safe=False)
        except PhxError:
            return False
        return True


def _waits_for(job: Job) -> str:
    """What can be told from here: a service tells nobody about the jobs of others."""
    if job.state.is_final or job.counts[JobState.IN_PROGRESS]:
        return ""
    if job.counts[JobState.RETRYING]:
        return REPEATED
    if job.counts[JobState.QUEUED]:
        return "a free place among the runs of the service"
    return "its turn at the service"


def _path(job_id: str) -> str:
    return f"{_JOBS}/{quote(job_id, safe='')}"


def _body(order: Order) -> dict[str, Any]:
    """What is not ordered is left out: the service has its own settings."""
    body: dict[str, Any] = {"mode": order.mode.value, "priority": order.priority.value}
    if order.everything:
        body["all"] = True
    else:
        body["properties"] = list(order.houses)
    if order.sources:
        body["sources"] = [source.value for source in order.sources]
    if order.isolation:
        body["isolation_mode"] = order.isolation.value
    return body
