"""Made-up run records, for tests of what is made of them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from phx_pipeline.model.job import Mode
from phx_pipeline.model.outcome import ListingOutcome
from phx_pipeline.model.run import (
    Change,
    Run,
    RunOutcome,
    RunRecord,
    RunResult,
    SourceResult,
)
from phx_pipeline.model.source import Source

DAVIS = "4732 W Davis Rd, Glendale, AZ 85306"
GARY = "2011 E Gary Cir, Mesa, AZ 85213"

# 2025-12-04 20:38:29 in Phoenix.
STARTED = datetime(2025, 12, 5, 3, 38, 29, 800718, tzinfo=UTC)
ENDED = STARTED + timedelta(seconds=79.670954)

RESULT = RunResult(
    sources=(
        SourceResult(
            source=Source.ZILLOW,
            outcome=ListingOutcome.BLOCKED,
            detail="a challenge",
            seconds=1.5,
        ),
        SourceResult(
            source=Source.REDFIN,
            outcome=ListingOutcome.LISTED,
            detail="12 photos",
            seconds=2.25,
            counts={
                Change.NEW: 2,
                Change.UNCHANGED: 5,
                Change.DUPLICATE: 1,
                Change.CONTENT_CHANGED: 1,
                Change.REJECTED: 1,
                Change.FAILED: 1,
                Change.PENDING: 1,
            },
            removed=1,
        ),
    ),
    new_image_ids=("image-1", "image-2"),
    removed_urls=("https://photos.example/gone.jpg",),
    error_messages=("zillow: blocked: a challenge", "redfin: failed:gone: 404"),
)

RECORD = RunRecord(
    run_id="5c7118dd-75f8-4d5a-a3c2-24bd97b6d1f1",
    slug="4732-w-davis-rd-glendale-az-85306",
    address=DAVIS,
    folder="686067a4",
    job_id="job-1",
    mode=Mode.FRESH,
    started_at=STARTED,
    ended_at=ENDED,
    outcome=RunOutcome.PARTIAL,
    result=RESULT,
)

# The same run's second property, where a stage raised.
FAILED = replace(
    RECORD,
    slug="2011-e-gary-cir-mesa-az-85213",
    address=GARY,
    folder="fc5e428e",
    started_at=STARTED + timedelta(seconds=60),
    outcome=RunOutcome.FAILED,
    error="the disk is full",
    result=RunResult(),
)

RUN = Run(run_id=RECORD.run_id, records=(RECORD, FAILED))

# Begun, and not ended.
RUNNING = replace(
    RECORD,
    run_id="cli-0123456789ab",
    job_id=None,
    started_at=STARTED + timedelta(minutes=5),
    ended_at=None,
    outcome=RunOutcome.RUNNING,
    result=RunResult(),
)
