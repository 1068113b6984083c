"""Jobs read back from the documents that `reads` makes of them.

Keys that a newer service adds are passed over; one that lacks what is read here is no
service of this version.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from phx_pipeline.errors import ServiceError
from phx_pipeline.model.isolation import IsolationMode
from phx_pipeline.model.job import (
    Job,
    JobCounts,
    JobProperty,
    JobState,
    Mode,
    Origin,
    Priority,
)
from phx_pipeline.model.source import Source

Document = Mapping[str, Any]


def job_of(document: Any) -> Job:
    """Return the job of a document.

    Raises:
        ServiceError: it is none.
    """
    try:
        return _job(document)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ServiceError(
            "the service answers with a job that cannot be read "
            f"({type(error).__name__}: {error}): is it of this version?"
        ) from error


def _job(found: Document) -> Job:
    isolation = found["isolation_mode"]
    return Job(
        job_id=str(found["id"]),
        user=str(found["user"]),
        origin=Origin(found["origin"]),
        priority=Priority(found["priority"]),
        mode=Mode(found["mode"]),
        sources=tuple(map(Source, found["sources"])),
        isolation=IsolationMode(isolation) if isolation else None,
        created_at=datetime.fromisoformat(found["created_at"]),
        cancelled_at=_time(found["cancelled_at"]),
        items=tuple(map(_property, found["items"])),
    )


def _property(found: Document) -> JobProperty:
    started_at, ended_at = _time(found["started_at"]), _time(found["completed_at"])
    return JobProperty(
        slug=str(found["property"]),
        address=str(found["address"]),
        folder=str(found["folder"]),
        state=JobState(found["status"]),
        run_id=found["run_id"],
        error=found["error"] or "",
        counts=JobCounts(
            total=int(found["total_images"]),
            new=int(found["new_images"]),
            duplicate=int(found["duplicate_images"]),
        ),
        started_at=started_at,
        ended_at=ended_at,
        updated_at=ended_at or started_at,
        took_s=found["took_s"],
    )


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
