"""What failed is asked for anew in its own job."""

from datetime import timedelta

import pytest

from phx_pipeline.errors import InputError
from phx_pipeline.model.job import JobState, Mode
from phx_pipeline_tests.integration.conftest import MOSTLY_SQLITE
from phx_pipeline_tests.integration.jobs.tick.conftest import A, B, Office


def test_a_job_is_retried_in_place(office: Office) -> None:
    office.ask("job", A, B)
    office.turn()
    first, second = office.queue.runs
    office.queue.end(first, JobState.FAILED)
    office.queue.end(second)
    office.turn()

    job = office.desk.retry("job")
    told = office.turn()

    assert [item.state for item in job.items] == [JobState.PENDING, JobState.COMPLETED]
    assert [(it.attempt, it.mode) for it in told.launches] == [(2, Mode.RESUME)]
    office.turn()
    office.queue.end(next(reversed(office.queue.runs)))
    office.turn()
    assert office.job("job").state is JobState.COMPLETED
    with pytest.raises(InputError, match="there is nothing to retry"):
        office.desk.retry("job")


@MOSTLY_SQLITE
def test_a_retry_need_not_wait_for_the_next_look(office: Office) -> None:
    office.ask("job", A)
    office.turn()
    office.turn()
    (run_id,) = office.queue.runs
    office.queue.end(run_id, JobState.FAILED)

    job = office.desk.retry("job")

    assert [item.state for item in job.items] == [JobState.PENDING]


@MOSTLY_SQLITE
def test_all_that_failed_is_retried_though_the_end_of_one_is_booked_later(
    office: Office,
) -> None:
    office.ask("job", A, B)
    office.turn()
    first, second = office.queue.runs
    office.queue.end(first, JobState.FAILED)
    office.turn()
    office.queue.end(second, JobState.FAILED)

    office.desk.retry("job")

    assert office.states("job") == ["pending", "pending"]


@MOSTLY_SQLITE
def test_what_is_shown_as_ended_is_retried_before_it_is_booked(office: Office) -> None:
    office.ask("job", A)
    run = office.run_recorded("job")
    assert office.states("job") == ["partial"]
    office.now += timedelta(seconds=1)

    office.desk.retry("job")
    office.queue.end(run.run_id)
    told = office.turn()

    assert [launch.run_key for launch in told.launches] == [f"job:2:{A}"]
    assert office.states("job") == ["pending"]
