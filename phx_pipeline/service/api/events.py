"""Progress of a job as server-sent events (WHATWG HTML, section 9.2)."""

import asyncio
import json
from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse

from phx_pipeline.errors import PhxError
from phx_pipeline.model.access import Principal
from phx_pipeline.model.job import Job
from phx_pipeline.reads.documents import Document
from phx_pipeline.service.api.desks import Desks
from phx_pipeline.service.api.problems import Problem, problem_of

MOST_STREAMS: Final = 100

_LOOK_S: Final = 1.0
_HEARTBEAT_S: Final = 15.0  # proxies close what is silent for a minute
_RETRY: Final = "retry: 3000\n\n"  # after a break a browser asks again
_HEARTBEAT: Final = ": still here\n\n"


class Events:
    """Streams of events, each of one job, at most `MOST_STREAMS` at once.

    Args:
        desks: Where jobs are looked at, once a second for each stream; one of
            thousands of houses more rarely.
        look_s: How long between two looks.
        heartbeat_s: After so long without news a comment is sent.
    """

    def __init__(
        self,
        desks: Desks,
        *,
        look_s: float = _LOOK_S,
        heartbeat_s: float = _HEARTBEAT_S,
    ) -> None:
        self._desks = desks
        self._look_s = look_s
        self._heartbeat_s = heartbeat_s
        self._open = 0

    async def of(self, who: Principal, job_id: str) -> StreamingResponse:
        """Return the events of a job that *who* may see, until it has ended."""
        await run_in_threadpool(self._desks.job_of, who, job_id)
        if self._open >= MOST_STREAMS:
            raise Problem(
                HTTPStatus.SERVICE_UNAVAILABLE,
                f"{MOST_STREAMS} streams of events are open: ask for the job itself",
                headers={"retry-after": "10"},
            )
        return StreamingResponse(
            self._told(who, job_id),
            media_type="text/event-stream",
            headers={"cache-control": "no-store", "x-accel-buffering": "no"},
        )

    async def _told(self, who: Principal, job_id: str) -> AsyncIterator[str]:
        self._open += 1
        try:
            yield _RETRY
            async for text in self._news(who, job_id):
                yield text
        except Problem as problem:  # the job was forgotten
            yield _event("error", problem.document)
        except PhxError as error:
            yield _event("error", problem_of(error).document)
        finally:
            self._open -= 1

    def _look(self, who: Principal, job_id: str) -> tuple[Job, Document]:
        job = self._desks.job_of(who, job_id)
        return job, self._desks.document_of(job)

    async def _news(self, who: Principal, job_id: str) -> AsyncIterator[str]:
        last, silent_s = "", 0.0
        while True:
            job, document = await run_in_threadpool(self._look, who, job_id)
            if (text := _event("progress", document)) != last:
                yield text
                last, silent_s = text, 0.0
            elif silent_s >= self._heartbeat_s:
                yield _HEARTBEAT
                silent_s = 0.0
            if job.state.is_final:
                yield _event("end", document)
                return
            pause_s = self._look_s * job.look_rarer
            await asyncio.sleep(pause_s)
            silent_s += pause_s


def _event(kind: str, document: object) -> str:
    return f"event: {kind}\ndata: {json.dumps(document)}\n\n"
