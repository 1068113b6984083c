"""Jobs as they are shown: one, or a page of them, told by rows alone.

What happens to a job is decided in `jobs`; nothing here asks Dagster.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final, Protocol

from phx_pipeline.errors import InputError
from phx_pipeline.model.job import Job, JobState
from phx_pipeline.reads.paging import (
    LIMIT,
    Page,
    checked_limit,
    cursor_of,
    page_of,
    place_at,
    refused,
)

_TOGETHER: Final = 100  # jobs read at once where only those in some states are wanted
_MOST_READS: Final = 10  # for one page

Place = tuple[datetime, str]


class JobRows(Protocol):
    """The jobs of the catalogue."""

    def job(self, job_id: str) -> Job | None:
        """One job; None if there is none of this id."""
        ...

    def newest(
        self, *, limit: int, user: str | None = None, before: Place | None = None
    ) -> Sequence[Job]:
        """The newest jobs, at most *limit*, and fewer where they are very large."""
        ...


def read_job(rows: JobRows, job_id: str, *, user: str | None = None) -> Job:
    """Return one job, of one user if a *user* is given.

    Raises:
        InputError: there is none of this id, or it is somebody else's.
    """
    job = rows.job(job_id)
    if job is None or (user is not None and job.user != user):
        raise InputError(f"unknown job {job_id!r}: see `phx jobs`")
    return job


def read_jobs(
    rows: JobRows,
    *,
    user: str | None = None,
    states: Collection[JobState] = (),
    limit: int = LIMIT,
    cursor: str | None = None,
) -> Page[Job]:
    """Return a page of jobs, the newest first.

    A state is told by what all properties of a job have come to, so jobs in other
    states are read too. A page ends early where those are very many: it may have fewer
    rows than its limit, or none, and lead to a next one all the same.

    Args:
        rows: of the catalogue.
        user: only their jobs.
        states: only jobs in one of these states; in any if empty.
        limit: rows of the page.
        cursor: `next` of the page before.

    Raises:
        InputError: the limit or the cursor is none.
    """
    wanted, before = checked_limit(limit) + 1, _place_at(cursor)
    found: list[Job] = []
    for _ in range(_MOST_READS):
        some = _TOGETHER if states else wanted - len(found)
        read = rows.newest(limit=some, user=user, before=before)
        found += [job for job in read if not states or job.state in states]
        if not read or len(found) >= wanted:
            return page_of(found, limit=limit, ends=_place)
        before = (read[-1].created_at, read[-1].job_id)
    end = _names(before) if before else ()
    return Page(rows=tuple(found), next=cursor_of(end))


def _place(job: Job) -> tuple[str, str]:
    return _names((job.created_at, job.job_id))


def _names(place: Place) -> tuple[str, str]:
    return place[0].isoformat(), place[1]


def _place_at(cursor: str | None) -> Place | None:
    names = place_at(cursor, parts=2)
    if names is None:
        return None
    try:
        at = datetime.fromisoformat(names[0])
    except ValueError as error:
        raise refused(str(cursor)) from error
    if at.tzinfo is None:
        raise refused(str(cursor))
    return at, names[1]
