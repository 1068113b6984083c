"""`job_status.json` and `jobs/{id}.json`: how far the jobs of the queue are."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any, Final

from phx_pipeline.exports.times import phoenix_time, phoenix_time_or_none
from phx_pipeline.model.job import Job, JobProperty, JobState

VERSION = "1.0.0"

_PLAIN_ID: Final = re.compile(r"[0-9A-Za-z][0-9A-Za-z_-]{0,99}")

# The words of these files are older than those of `JobState`, and fewer.
_STATUS: Final[Mapping[JobState, str]] = {
    JobState.PENDING: "pending",
    JobState.IN_PROGRESS: "in_progress",
    JobState.COMPLETED: "completed",
    JobState.PARTIAL: "completed",
    JobState.FAILED: "failed",
    JobState.CANCELLED: "cancelled",
}
_ITEM_STATUS: Final[Mapping[JobState, str]] = {
    JobState.PENDING: "waiting",
    JobState.QUEUED: "waiting",
    JobState.IN_PROGRESS: "running",
    JobState.RETRYING: "running",
    JobState.COMPLETED: "complete",
    JobState.PARTIAL: "partial",
    JobState.FAILED: "failed",
    JobState.CANCELLED: "failed",
}


def render_job_status(jobs: Sequence[Job]) -> str:
    """Return the overview of `jobs`, in the given order."""
    document = {
        "version": VERSION,
        "last_updated": phoenix_time_or_none(_updated(jobs)),
        "total_jobs": len(jobs),
        "jobs": {job.job_id: _overview(job) for job in jobs},
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _updated(jobs: Sequence[Job]) -> datetime | None:
    return max((job.progress_updated_at for job in jobs), default=None)


def job_file_name(job_id: str) -> str:
    """Return the file name of a job; an id that is none of ours may name no path."""
    if _PLAIN_ID.fullmatch(job_id):
        return f"{job_id}.json"
    return f"{sha256(job_id.encode()).hexdigest()[:16]}.json"


def render_job(job: Job) -> str:
    """Return the document of one job."""
    failed = [item for item in job.items if _item_status(item) == "failed"]
    errors = (f"{item.address}: {item.error}" for item in failed if item.error)
    document = {
        "job_id": job.job_id,
        **_overview(job),
        "sources": [source.value for source in job.sources],
        "total_images": job.total_images,
        "new_images": job.new_images,
        "duplicate_images": job.duplicate_images,
        "error_message": "; ".join(errors) or None,
        "failed_properties_list": [item.address for item in failed],
        "properties": [_item(item) for item in job.items],
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _overview(job: Job) -> dict[str, Any]:
    return {
        "status": _STATUS[job.state],
        "mode": job.mode.value,
        "created_at": phoenix_time(job.created_at),
        "started_at": phoenix_time_or_none(job.started_at),
        "completed_at": phoenix_time_or_none(job.completed_at),
        "progress_updated_at": phoenix_time(job.progress_updated_at),
        "progress_percent": job.progress_percent,
        "total_properties": len(job.items),
        **_counts(job.items),
    }


def _counts(items: Iterable[JobProperty]) -> dict[str, int]:
    counts = dict.fromkeys(_ITEM_STATUS.values(), 0)
    for item in items:
        counts[_item_status(item)] += 1
    return {f"{status}_properties": count for status, count in counts.items()}


def _item_status(item: JobProperty) -> str:
    return _ITEM_STATUS[item.state]


def _item(item: JobProperty) -> dict[str, Any]:
    return {
        "address": item.address,
        "property_hash": item.folder,
        "status": _item_status(item),
        "run_id": item.run_id,
    }
