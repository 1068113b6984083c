"""`job_status.json` and `jobs/{id}.json`: how far the jobs of the queue are."""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from phx_pipeline.exports.times import phoenix_time, phoenix_time_or_none
from phx_pipeline.model.run import (
    Change,
    JobItemState,
    JobProperty,
    JobRecord,
    RunOutcome,
)

VERSION = "1.0.0"

_DELIVERED = (JobItemState.COMPLETE, JobItemState.PARTIAL)


def render_job_status(jobs: Sequence[JobRecord]) -> str:
    """Return the overview of `jobs`, in the given order."""
    document = {
        "version": VERSION,
        "last_updated": phoenix_time_or_none(max(map(_updated, jobs), default=None)),
        "total_jobs": len(jobs),
        "jobs": {job.job_id: _overview(job) for job in jobs},
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def render_job(job: JobRecord) -> str:
    """Return the document of one job."""
    failed = [item for item in job.items if item.state is JobItemState.FAILED]
    errors = (f"{item.address}: {error}" for item in failed if (error := _error(item)))
    document = {
        "job_id": job.job_id,
        **_overview(job),
        "sources": [source.value for source in job.sources],
        "total_images": sum(_seen(item) for item in job.items),
        "new_images": _total(job, Change.NEW),
        "duplicate_images": _total(job, Change.DUPLICATE),
        "error_message": "; ".join(errors) or None,
        "failed_properties_list": [item.address for item in failed],
        "properties": [_item(item) for item in job.items],
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _overview(job: JobRecord) -> dict[str, Any]:
    started = min((record.started_at for record in job.records), default=None)
    return {
        "status": _status(job),
        "mode": job.mode.value,
        "created_at": phoenix_time(job.created_at),
        "started_at": phoenix_time_or_none(started),
        "completed_at": phoenix_time_or_none(_completed(job)),
        "progress_updated_at": phoenix_time(_updated(job)),
        "progress_percent": _percent(job),
        "total_properties": len(job.items),
        **{f"{it.value}_properties": job.count(it) for it in JobItemState},
    }


def _status(job: JobRecord) -> str:
    if job.done < len(job.items):
        return "in_progress" if job.records else "pending"
    newest = {item.newest.outcome for item in job.items if item.newest}
    if newest == {RunOutcome.CANCELED}:
        return "cancelled"
    delivered = sum(job.count(state) for state in _DELIVERED)
    return "completed" if delivered or not job.items else "failed"


def _percent(job: JobRecord) -> int:
    """Rounded down: 100 only when all is done."""
    return 100 * job.done // len(job.items) if job.items else 100


def _completed(job: JobRecord) -> datetime | None:
    if job.done < len(job.items):
        return None
    ends = (record.ended_at for record in job.records if record.ended_at)
    return max(ends, default=job.created_at)


def _updated(job: JobRecord) -> datetime:
    times = (record.ended_at or record.started_at for record in job.records)
    return max(times, default=job.created_at)


def _total(job: JobRecord, change: Change) -> int:
    # A second run after a crash finds the pictures of the first as known.
    return sum(record.result.count(change) for record in job.records)


def _seen(item: JobProperty) -> int:
    return item.newest.result.discovered if item.newest else 0


def _error(item: JobProperty) -> str:
    if item.newest is None:
        return ""
    return item.newest.error or _first(item.newest.result.error_messages)


def _first(messages: Iterable[str]) -> str:
    return next(iter(messages), "")


def _item(item: JobProperty) -> dict[str, Any]:
    return {
        "address": item.address,
        "property_hash": item.folder,
        "status": item.state.value,
        "run_id": item.newest.run_id if item.newest else None,
    }
