"""How the ends of runs are booked, and what of them is shown."""

from datetime import timedelta

import pytest

from phx_pipeline.errors import InputError
from phx_pipeline.model.identity import property_lease
from phx_pipeline.model.job import JobState
from phx_pipeline.model.run import RunOutcome
from phx_pipeline_tests.integration.conftest import MOSTLY_SQLITE
from phx_pipeline_tests.integration.jobs.tick.conftest import A, B, Office


def test_the_end_of_a_run_is_booked_for_all_who_share_it(office: Office) -> None:
    office.ask("first", A)
    office.ask("second", A, B)
    office.turn()
    run = office.queue.begin()
    assert run is not None
    office.record(run, "first")
    assert office.states("second") == ["in_progress", "pending"]
    office.record_end(run)
    office.queue.end(run.run_id)

    office.turn()

    items = [office.catalog.jobs.items(job)[0] for job in ("first", "second")]
    assert {item.state for item in items} == {JobState.PARTIAL}
    assert {item.run_id for item in items} == {run.run_id}
    assert {item.ended_at for item in items} == {office.queue.runs[run.run_id].ended_at}


@MOSTLY_SQLITE
def test_a_run_that_fails_is_retrying_until_nobody_repeats_it(office: Office) -> None:
    office.ask("job", A)
    office.turn()
    (run_id,) = office.queue.runs
    office.turn()
    office.queue.end(run_id, JobState.RETRYING)
    office.turn()
    waiting = office.catalog.jobs.items("job")[0].state
    again = office.queue.add(A, job_id="job", root_run_id=run_id)
    office.queue.end(run_id, JobState.FAILED)
    office.turn()
    repeated = office.catalog.jobs.items("job")[0]
    office.queue.end(again, JobState.FAILED)
    office.turn()

    assert (waiting, repeated.state, repeated.run_id) == (None, None, again)
    assert office.states("job") == ["failed"]


@MOSTLY_SQLITE
@pytest.mark.parametrize("outcome", [RunOutcome.CANCELLED, RunOutcome.PARTIAL])
def test_a_run_that_ended_because_the_service_was_stopped_is_no_end_of_its_job(
    office: Office, outcome: RunOutcome
) -> None:
    """One that came to its end just before is, though Dagster repeats it."""
    shown = "partial" if outcome is RunOutcome.PARTIAL else "retrying"
    office.ask("job", A)
    office.turn()
    (run_id,) = office.queue.runs
    run = office.queue.begin()
    assert run is not None
    office.record(run, "job")
    office.turn()
    office.record_end(run, outcome)
    stopped = office.states("job")
    office.queue.end(run_id, JobState.FAILED)
    again = office.queue.add(A, job_id="job", root_run_id=run_id)
    repeated = office.queue.begin()
    assert repeated is not None
    office.record(repeated, "job")
    started = office.states("job")
    office.turn()
    office.queue.end(again)
    office.turn()

    assert stopped == [shown]
    assert started == ["partial" if shown == "partial" else "in_progress"]
    assert office.states("job") == ["partial" if shown == "partial" else "completed"]


def test_a_run_that_dagster_forgot_is_asked_for_anew(office: Office) -> None:
    office.ask("job", A)
    office.ask("other", A)
    office.turn()
    office.turn()
    office.queue.runs.clear()

    anew = office.turn()

    assert [launch.run_key for launch in anew.launches] == [f"job:1:{A}"]
    office.turn()
    assert office.states("job") == office.states("other") == ["queued"]


@MOSTLY_SQLITE
def test_the_recorded_end_of_a_run_that_dagster_forgot_is_booked(
    office: Office,
) -> None:
    office.ask("job", A)
    office.run_recorded("job")
    office.queue.runs.clear()

    assert office.turn().launches == ()
    assert [item.state for item in office.catalog.jobs.items("job")] == ["partial"]


@MOSTLY_SQLITE
def test_who_asks_after_a_run_ended_gets_one_of_his_own(office: Office) -> None:
    """The end was not booked yet when he asked."""
    office.ask("first", A)
    office.turn()
    office.turn()
    (run_id,) = office.queue.runs
    office.queue.end(run_id, JobState.CANCELLED)
    office.now += timedelta(seconds=1)
    office.ask("second", A)

    told = office.turn()

    assert [launch.run_key for launch in told.launches] == [f"second:1:{A}"]
    assert office.states("first") == ["cancelled"]


@MOSTLY_SQLITE
@pytest.mark.parametrize("is_seen", [True, False])
def test_what_is_shown_as_ended_stays_so_when_its_job_is_called_off(
    office: Office, *, is_seen: bool
) -> None:
    office.ask("job", A, B)
    office.ask("other", A, user="bob")
    office.turn()
    run = office.queue.begin()
    assert run is not None
    if is_seen:
        office.turn()
    office.record(run, "job")
    office.record_end(run)

    office.desk.cancel("job")

    assert office.states("job") == ["partial", "cancelled"]
    assert office.queue.runs[run.run_id].state is JobState.IN_PROGRESS
    office.queue.end(run.run_id)
    office.turn()
    assert office.states("job") == ["partial", "cancelled"]
    assert office.states("other") == ["partial"]


def test_items_of_a_removed_house_are_shown_as_cancelled(office: Office) -> None:
    office.ask("waits", A)
    office.ask("cancelled", A, B)
    office.desk.cancel("cancelled")

    with office.catalog.leases.hold(property_lease(A), owner="cli") as lease:
        office.catalog.houses.remove(lease, A, at=office.now)

    assert office.states("waits") == ["cancelled"]
    assert office.states("cancelled") == ["cancelled", "cancelled"]
    assert office.turn().launches == ()
    with pytest.raises(InputError, match=f"{A} is followed no more"):
        office.desk.retry("waits")


def test_a_run_repeated_after_its_end_was_booked_opens_its_job_again(
    office: Office,
) -> None:
    office.ask("job", A)
    office.turn()
    (run_id,) = office.queue.runs
    office.queue.end(run_id, JobState.FAILED)
    office.turn()
    office.now += timedelta(hours=1)
    again = office.queue.add(A, job_id="job", root_run_id=run_id)

    office.turn()
    opened = office.states("job")
    office.queue.end(again)
    office.turn()

    assert (opened, office.states("job")) == (["queued"], ["completed"])
