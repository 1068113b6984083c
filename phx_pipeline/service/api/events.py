"""Progress of a job as server-sent events (WHATWG HTML, section 9.2)."""

import asyncio
import json
import weakref
from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from phx_pipeline.errors import PhxError
from phx_pipeline.model.access import Principal
from phx_pipeline.model.job import Job
from phx_pipeline.service.api.desks import Desks, no_such_job
from phx_pipeline.service.api.problems import Problem, problem_of

MOST_STREAMS: Final = 100
MOST_OF_ONE_USER: Final = 10
"""Streams of a user who came by a key; the local user is alone here."""

_LOOK_S: Final = 1.0
_HEARTBEAT_S: Final = 15.0  # proxies close what is silent for a minute
_RETRY: Final = "retry: 3000\n\n"  # after a break a browser asks again
_HEARTBEAT: Final = ": still here\n\n"
_LATER: Final = {"retry-after": "10"}


class Events:
    """Streams of events, each of one job, at most `MOST_STREAMS` at once.

    Args:
        desks: Where jobs are looked at, once a second for all streams together; one of
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
        self._open: list[_Listener] = []
        self._looks: dict[str, _Look] = {}

    async def of(self, who: Principal, job_id: str) -> StreamingResponse:
        """Return the events of a job that *who* may see, until it has ended."""
        await run_in_threadpool(self._desks.job_of, who, job_id)
        # Nothing is waited for from here on: however many ask at once, each is counted.
        self._require_room(who)
        listener = _Listener(user=who.user, job_id=job_id)
        self._open.append(listener)
        stream = _Stream(
            self._told(job_id),
            media_type="text/event-stream",
            headers={"cache-control": "no-store", "x-accel-buffering": "no"},
        )
        stream.leave = weakref.finalize(stream, self._leave, listener)
        return stream

    def _require_room(self, who: Principal) -> None:
        own = sum(it.user == who.user for it in self._open)
        if own >= MOST_OF_ONE_USER and not who.is_local:
            raise Problem(
                HTTPStatus.TOO_MANY_REQUESTS,
                f"you have {own} streams of events open, which is the most: close one, "
                "or ask for the job itself",
                headers=_LATER,
            )
        if len(self._open) >= MOST_STREAMS:
            raise Problem(
                HTTPStatus.SERVICE_UNAVAILABLE,
                f"{MOST_STREAMS} streams of events are open: ask for the job itself",
                headers=_LATER,
            )

    def _leave(self, listener: "_Listener") -> None:
        self._open.remove(listener)
        if all(it.job_id != listener.job_id for it in self._open):
            self._looks.pop(listener.job_id, None)

    async def _told(self, job_id: str) -> AsyncIterator[str]:
        try:
            yield _RETRY
            async for text in self._news(job_id):
                yield text
        except Problem as problem:  # the job was forgotten
            yield _event("error", problem.document)
        except PhxError as error:
            yield _event("error", problem_of(error).document)

    async def _news(self, job_id: str) -> AsyncIterator[str]:
        last, silent_s = "", 0.0
        while True:
            seen = await self._seen(job_id)
            if seen.progress != last:
                yield seen.progress
                last, silent_s = seen.progress, 0.0
            elif silent_s >= self._heartbeat_s:
                yield _HEARTBEAT
                silent_s = 0.0
            if seen.end is not None:
                yield seen.end
                return
            pause_s = self._look_s * seen.rarer
            await asyncio.sleep(pause_s)
            silent_s += pause_s

    async def _seen(self, job_id: str) -> "_Seen":
        """How the job is now, or was when another stream has just looked at it."""
        now = asyncio.get_running_loop().time()
        look = self._looks.get(job_id)
        if look is None or look.is_over(now, after_s=self._look_s):
            look = self._begin(job_id, now)
        # Others wait for it as well.
        seen = (await asyncio.shield(look.seen)).get(job_id)
        if seen is None:
            raise no_such_job(job_id)
        return seen

    def _begin(self, job_id: str, now: float) -> "_Look":
        """Look at a job, and with it at all whose turn comes within half a pause."""
        open_ones = {listener.job_id for listener in self._open}
        ids = {job_id, *(it for it in open_ones if self._is_soon_due(it, now))}
        read = run_in_threadpool(self._read, ids)
        look = _Look(began_at_s=now, seen=asyncio.ensure_future(read))
        self._looks |= dict.fromkeys(ids, look)
        return look

    def _is_soon_due(self, job_id: str, now: float) -> bool:
        look = self._looks.get(job_id)
        if look is None:
            return True
        return look.is_over(now, after_s=self._look_s / 2 * look.rarer(job_id))

    def _read(self, job_ids: Collection[str]) -> dict[str, "_Seen"]:
        jobs = self._desks.any_jobs(job_ids)
        return {job_id: self._shown(job) for job_id, job in jobs.items()}

    def _shown(self, job: Job) -> "_Seen":
        document = self._desks.document_of(job)
        end = _event("end", document) if job.state.is_final else None
        progress = _event("progress", document)
        return _Seen(progress=progress, end=end, rarer=job.look_rarer)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Listener:
    """Who listens to which job."""

    user: str
    job_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """A job as it is sent; `end` once it has ended.

    `rarer`: by how much the pause between two looks is longer than usual.
    """

    progress: str
    end: str | None
    rarer: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    """A look at some jobs, which may be under way."""

    began_at_s: float
    seen: asyncio.Future[dict[str, _Seen]]

    def is_over(self, now_s: float, *, after_s: float) -> bool:
        return self.seen.done() and now_s - self.began_at_s >= after_s

    def rarer(self, job_id: str) -> float:
        """By how much the pause after it is longer; 1 where it told nothing."""
        if not self.seen.done() or self.seen.cancelled() or self.seen.exception():
            return 1.0
        seen = self.seen.result().get(job_id)
        return seen.rarer if seen else 1.0


class _Stream(StreamingResponse):
    """Calls `leave` once, when it has ended or was never begun."""

    leave: weakref.finalize  # type: ignore[type-arg]  # it takes none at run time

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self.leave()


def _event(kind: str, document: object) -> str:
    return f"event: {kind}\ndata: {json.dumps(document)}\n\n"
