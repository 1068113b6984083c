import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from phx_pipeline.exports.job_status import render_job, render_job_status
from phx_pipeline.model.job import Job, JobProperty, JobState, Mode
from phx_pipeline.model.run import (
    RunOutcome,
    RunRecord,
    RunResult,
    job_property,
)
from phx_pipeline.model.source import Source
from phx_pipeline_tests.jobs import job_item
from phx_pipeline_tests.runs import DAVIS, ENDED, FAILED, GARY, RECORD, STARTED

CREATED = STARTED - timedelta(seconds=5)
ECHO = "5038 W Echo Ln, Glendale, AZ 85302"

COMPLETE = replace(RECORD, outcome=RunOutcome.COMPLETE)
RUNNING = replace(RECORD, outcome=RunOutcome.RUNNING, ended_at=None, result=RunResult())
CANCELLED = replace(FAILED, outcome=RunOutcome.CANCELLED, error="")


def item(address: str, *records: RunRecord) -> JobProperty:
    failed = records[-1:] == (FAILED,)  # nobody else tells that it is for good
    booked = JobState.FAILED if failed else None
    off = ENDED if records[-1:] == (CANCELLED,) else None  # else it is repeated
    asked = job_item(address, requested_at=CREATED, state=booked, cancelled_at=off)
    return job_property(asked, address=address, folder="f", records=records)


def job(*items: JobProperty, job_id: str = "job-1") -> Job:
    return Job(
        job_id=job_id,
        created_at=CREATED,
        mode=Mode.RESUME,
        sources=(Source.REDFIN,),
        items=items,
    )


def document(of: Job) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(render_job(of))
    return found


MIXED = job(item(DAVIS, COMPLETE), item(GARY, FAILED), item(ECHO))

EXPECTED = """\
{
  "job_id": "job-1",
  "status": "in_progress",
  "mode": "resume",
  "created_at": "2025-12-04T20:38:24.800718-07:00",
  "started_at": "2025-12-04T20:38:29.800718-07:00",
  "completed_at": null,
  "progress_updated_at": "2025-12-04T20:39:49.471672-07:00",
  "progress_percent": 66,
  "total_properties": 3,
  "waiting_properties": 1,
  "running_properties": 0,
  "complete_properties": 1,
  "partial_properties": 0,
  "failed_properties": 1,
  "sources": [
    "redfin"
  ],
  "total_images": 12,
  "new_images": 2,
  "duplicate_images": 1,
  "error_message": "2011 E Gary Cir, Mesa, AZ 85213: the disk is full",
  "failed_properties_list": [
    "2011 E Gary Cir, Mesa, AZ 85213"
  ],
  "properties": [
    {
      "address": "4732 W Davis Rd, Glendale, AZ 85306",
      "property_hash": "f",
      "status": "complete",
      "run_id": "5c7118dd-75f8-4d5a-a3c2-24bd97b6d1f1"
    },
    {
      "address": "2011 E Gary Cir, Mesa, AZ 85213",
      "property_hash": "f",
      "status": "failed",
      "run_id": "5c7118dd-75f8-4d5a-a3c2-24bd97b6d1f1"
    },
    {
      "address": "5038 W Echo Ln, Glendale, AZ 85302",
      "property_hash": "f",
      "status": "waiting",
      "run_id": null
    }
  ]
}
"""


def test_one_job_makes_exactly_this_file() -> None:
    assert render_job(MIXED) == EXPECTED


@pytest.mark.parametrize(
    ("items", "status", "percent"),
    [
        ([item(DAVIS), item(GARY)], "pending", 0),
        ([item(DAVIS, RUNNING), item(GARY)], "in_progress", 0),
        ([item(DAVIS, COMPLETE), item(GARY)], "in_progress", 50),
        ([item(DAVIS, COMPLETE), item(GARY, FAILED)], "completed", 100),
        ([item(DAVIS, RECORD)], "completed", 100),
        ([item(GARY, FAILED)], "failed", 100),
        ([item(GARY, CANCELLED)], "cancelled", 100),
        ([], "completed", 100),
    ],
)
def test_status_and_progress_follow_from_the_properties(
    items: Sequence[JobProperty], status: str, percent: int
) -> None:
    told = document(job(*items))

    assert (told["status"], told["progress_percent"]) == (status, percent)
    assert (told["completed_at"] is None) == (percent < 100)


def test_progress_is_a_hundred_only_when_all_is_done() -> None:
    items = [item(str(number), COMPLETE) for number in range(999)]

    assert document(job(*items, item("last")))["progress_percent"] == 99


def test_a_run_repeated_after_a_crash_counts_its_pictures_once() -> None:
    interrupted = replace(RECORD, outcome=RunOutcome.INTERRUPTED, ended_at=None)
    again = replace(COMPLETE, result=RunResult(sources=RECORD.result.sources[:1]))

    told = document(job(item(DAVIS, interrupted, again)))

    assert (told["status"], told["new_images"], told["total_images"]) == (
        "completed",
        2,
        12,  # what the first run saw
    )


def test_a_property_that_gave_nothing_says_why() -> None:
    nothing = replace(RECORD, outcome=RunOutcome.NOTHING)

    told = document(job(item(DAVIS, nothing)))

    assert told["error_message"] == f"{DAVIS}: zillow: blocked: a challenge"


def test_the_overview_has_all_jobs_in_order_without_their_properties() -> None:
    other = job(item(DAVIS), job_id="job-2")

    told = json.loads(render_job_status([MIXED, other]))

    assert list(told["jobs"]) == ["job-1", "job-2"]
    assert (told["version"], told["total_jobs"]) == ("1.0.0", 2)
    assert told["last_updated"] == document(MIXED)["progress_updated_at"]
    for job_id, of in (("job-1", MIXED), ("job-2", other)):
        whole = document(of)
        assert told["jobs"][job_id].items() <= whole.items()
        assert "properties" not in told["jobs"][job_id]


def test_a_job_that_is_done_was_completed_with_its_last_run() -> None:
    told = document(job(item(DAVIS, COMPLETE)))

    assert told["completed_at"] == "2025-12-04T20:39:49.471672-07:00"
    assert COMPLETE.ended_at == ENDED


def test_without_jobs_there_is_an_empty_overview() -> None:
    assert json.loads(render_job_status([])) == {
        "version": "1.0.0",
        "last_updated": None,
        "total_jobs": 0,
        "jobs": {},
    }
