"""Runs and backfills that began elsewhere, as in the pages of Dagster."""

from datetime import timedelta

import pytest

from phx_pipeline.model.job import JobState, Origin
from phx_pipeline.model.run_queue import SeenBackfill
from phx_pipeline.model.source import Source
from phx_pipeline_tests.integration.conftest import MOSTLY_SQLITE
from phx_pipeline_tests.integration.jobs.tick.conftest import SLUGS, A, B, C, Office
from phx_pipeline_tests.jobs import NOON


def test_runs_that_began_elsewhere_are_jobs_too(office: Office) -> None:
    office.turn()
    for slug in (A, B):
        office.queue.add(slug, backfill_id="bf", user="ann", origin=Origin.BACKFILL)
    single = office.queue.add(C, origin=Origin.LAUNCH, sources=(Source.REDFIN,))
    office.queue.add("not-a-house")
    office.queue.end(single)
    office.turn()
    office.queue.end(next(iter(office.queue.runs)), JobState.FAILED)
    again = office.queue.add(A, backfill_id="bf", root_run_id="run-id-00000001")
    office.turn()

    jobs = {job.job_id: job for job in office.catalog.jobs.newest(limit=9)}

    backfill, run = jobs["backfill-bf"], jobs[f"run-{single[:8]}"]
    assert len(jobs) == 2
    assert (backfill.user, backfill.origin) == ("ann", Origin.BACKFILL)
    assert [item.run_id for item in backfill.items] == [again, "run-id-00000002"]
    assert office.states("backfill-bf") == ["queued", "queued"]
    assert (run.user, run.origin, run.state) == (
        "unknown",
        Origin.LAUNCH,
        JobState.COMPLETED,
    )


@MOSTLY_SQLITE
@pytest.mark.parametrize("is_adopted", [False, True])
def test_what_repeats_a_run_and_was_left_before_the_queue_comes_into_it_after_a_while(
    office: Office, *, is_adopted: bool
) -> None:
    if is_adopted:
        job_id, first = "run-run-id-0", office.queue.add(A)
    else:
        job_id = "job"
        office.ask(job_id, A)
        office.turn()
        (first,) = office.queue.runs
    office.turn()
    office.queue.end(first, JobState.FAILED)
    asked_by = None if is_adopted else job_id
    left = office.queue.add(
        A, job_id=asked_by, root_run_id=first, state=JobState.PENDING
    )
    waits = office.turn().put
    office.now += timedelta(minutes=10)

    late = office.turn()

    assert (waits, late.put, late.cancel) == ((), (left,), ())
    office.turn()
    assert office.states(job_id) == ["queued"]
    office.queue.end(left)
    office.turn()
    assert office.states(job_id) == ["completed"]


@MOSTLY_SQLITE
@pytest.mark.parametrize("job_id", ["forgotten", "job"])
def test_a_run_whose_tags_name_what_is_not_there_began_elsewhere(
    office: Office, job_id: str
) -> None:
    """Its job was pruned, or somebody had a run of its first attempt repeated."""
    office.ask("job", A)
    office.turn()
    office.queue.end(next(iter(office.queue.runs)), JobState.FAILED)
    office.turn()
    office.desk.retry("job")
    office.now += timedelta(seconds=1)
    run_id = office.queue.add(A, job_id=job_id, root_run_id="abcdefghij")
    office.turn()
    began = office.states("run-abcdefgh")

    office.desk.cancel("run-abcdefgh")

    assert began == ["queued"]
    assert office.queue.runs[run_id].state is JobState.CANCELLED
    assert office.states("run-abcdefgh") == ["cancelled"]


@MOSTLY_SQLITE
def test_a_foreign_run_that_nobody_puts_into_the_queue_has_failed_after_a_while(
    office: Office,
) -> None:
    run_id = office.queue.add(A, state=JobState.PENDING)
    office.turn()
    waits = office.states(f"run-{run_id[:8]}")
    office.now += timedelta(minutes=10)

    office.turn()

    (item,) = office.job(f"run-{run_id[:8]}").items
    assert (waits, item.state) == (["queued"], JobState.FAILED)
    assert "never put into the queue" in item.error
    assert office.queue.runs[run_id].state is JobState.CANCELLED
    office.turn()
    assert office.states(f"run-{run_id[:8]}") == ["failed"]


def backfill_of(*slugs: str) -> SeenBackfill:
    return SeenBackfill(backfill_id="bf", slugs=(*slugs, "no-house"), created_at=NOON)


def test_the_job_of_a_backfill_is_open_until_no_run_is_to_come(office: Office) -> None:
    office.queue.under_way = [backfill_of(A, B, C)]
    made = office.queue.add(B, backfill_id="bf")
    office.turn()
    office.queue.end(made)
    office.turn()
    under_way = office.states("backfill-bf")

    office.queue.under_way = []
    late = office.queue.add(C, backfill_id="bf")
    office.turn()

    assert under_way == ["queued", "completed", "queued"]
    assert office.states("backfill-bf") == ["cancelled", "completed", "queued"]
    first, _, last = office.job("backfill-bf").items
    assert "ended before it made a run" in first.error
    assert last.run_id == late


@MOSTLY_SQLITE
def test_a_backfill_is_called_off_before_it_made_all_runs(office: Office) -> None:
    office.queue.under_way = [backfill_of(A, B)]
    office.turn()

    job = office.desk.cancel("backfill-bf")
    late = office.queue.add(A, backfill_id="bf")
    office.turn()

    assert office.queue.cancelled_backfills == ["bf"]
    assert [(it.state, it.error) for it in job.items] == [(JobState.CANCELLED, "")] * 2
    assert not office.desk.has_ended(job)
    assert office.queue.runs[late].state is JobState.CANCELLED
    office.queue.under_way = []
    office.turn()
    assert office.states("backfill-bf") == ["cancelled", "cancelled"]
    assert office.desk.has_ended(job)


def test_a_backfill_is_cancelled_like_a_job(office: Office) -> None:
    for slug in SLUGS[:5]:
        office.queue.add(slug, backfill_id="bf")
    office.turn()
    late = office.queue.add(SLUGS[5], backfill_id="bf")

    job = office.desk.cancel("backfill-bf")

    assert job.state is JobState.CANCELLED
    assert office.queue.cancelled_backfills == ["bf"]
    assert office.turn().cancel == (late,)
    office.turn()
    assert {run.state for run in office.queue.runs.values()} == {JobState.CANCELLED}
    assert office.job("backfill-bf").counts[JobState.CANCELLED] == 6


@MOSTLY_SQLITE
def test_a_backfill_makes_no_more_runs_if_its_cancel_is_killed(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.queue.add(A, backfill_id="bf")
    office.turn()
    with monkeypatch.context() as patch:
        patch.delattr(type(office.catalog.jobs), "cancel")  # it never gets so far
        with pytest.raises(AttributeError):
            office.desk.cancel("backfill-bf")

    assert office.queue.cancelled_backfills == ["bf"]


def test_a_name_in_a_tag_may_have_any_length(office: Office) -> None:
    office.queue.add(A, user="x" * 300, origin=Origin.LAUNCH)

    office.turn()

    (job,) = office.catalog.jobs.newest(limit=9)
    assert job.user == "x" * 200
