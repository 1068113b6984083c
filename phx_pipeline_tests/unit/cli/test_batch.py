"""The summary after very many new pictures."""

from datetime import UTC, datetime

import pytest

from phx_pipeline.cli.batch import Batch, batch_of_job, batch_of_records, tell_batch
from phx_pipeline.model.job import Job, JobCounts, JobProperty, Mode
from phx_pipeline.model.run import (
    Change,
    RunOutcome,
    RunRecord,
    RunResult,
    SourceResult,
)
from phx_pipeline.model.source import Source

NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)


def told_of(new: int, capsys: pytest.CaptureFixture[str]) -> str:
    tell_batch(Batch(new=new, duplicates=12, total=130), storage=lambda: "0.41 GB")
    return capsys.readouterr().out


def test_a_hundred_new_pictures_are_not_remarkable(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert told_of(100, capsys) == ""


def test_more_than_a_hundred_are_told_with_what_to_check(
    capsys: pytest.CaptureFixture[str],
) -> None:
    told = told_of(101, capsys)

    assert "large batch: 101 new pictures" in told
    assert "photos seen: 130, of them new copies: 12" in told
    assert "storage: 0.41 GB" in told
    assert told.count("\n  - ") == 3


def test_new_pictures_are_counted_apart_from_all_photos_of_a_job() -> None:
    counts = (JobCounts(total=40, new=3, duplicate=2), JobCounts(total=5, new=1))
    items = tuple(
        JobProperty(slug=f"{at}", address="a", folder="f", counts=each)
        for at, each in enumerate(counts)
    )
    job = Job(job_id="j", mode=Mode.FRESH, created_at=NOON, items=items)

    assert batch_of_job(job) == Batch(new=4, duplicates=2, total=45)


def test_new_pictures_are_counted_apart_from_all_photos_of_a_command() -> None:
    counts = {Change.NEW: 3, Change.DUPLICATE: 2, Change.UNCHANGED: 40}
    result = RunResult(sources=(SourceResult(source=Source.REDFIN, counts=counts),))
    record = RunRecord(
        run_id="r",
        slug="a",
        address="a",
        folder="f",
        job_id=None,
        mode=Mode.FRESH,
        started_at=NOON,
        ended_at=NOON,
        outcome=RunOutcome.COMPLETE,
        result=result,
    )

    assert batch_of_records([record] * 2) == Batch(new=6, duplicates=4, total=90)
