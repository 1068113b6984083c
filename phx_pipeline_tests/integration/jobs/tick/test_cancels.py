"""Jobs that are called off, and the runs they share."""

from phx_pipeline.model.job import JobState
from phx_pipeline_tests.integration.conftest import MOSTLY_SQLITE
from phx_pipeline_tests.integration.jobs.tick.conftest import (
    SLUGS,
    A,
    B,
    Office,
    slugs_of,
)


def test_a_cancelled_job_ends_its_runs_and_leaves_those_that_others_share(
    office: Office,
) -> None:
    office.ask("mine", *SLUGS[:9])
    office.ask("theirs", B, user="bob")
    office.turn()
    office.queue.begin()
    office.turn()

    job = office.desk.cancel("mine")

    assert job.state is JobState.CANCELLED
    assert job.counts[JobState.CANCELLED] == 9
    left = [run for run in office.queue.runs.values() if not run.state.is_final]
    assert [run.slug for run in left] == [B]
    assert office.states("theirs") == ["queued"]
    assert slugs_of(office.turn()) == []


@MOSTLY_SQLITE
def test_a_run_that_comes_after_its_job_was_called_off_is_cancelled(
    office: Office,
) -> None:
    office.ask("job", A)
    (launch,) = office.look().launches
    office.desk.cancel("job")
    run_id = office.queue.launch(launch)

    told = office.turn()

    assert told.cancel == (run_id,)
    assert office.states("job") == ["cancelled"]
    assert office.turn().cancel == ()


@MOSTLY_SQLITE
def test_runs_that_are_just_being_made_end_with_their_job(office: Office) -> None:
    office.ask("job", A, B)
    office.coming = list(office.look().launches)

    job = office.desk.cancel("job")

    assert len(office.queue.runs) == 2
    assert office.queue.open_runs() == []
    assert job.state is JobState.CANCELLED


@MOSTLY_SQLITE
def test_a_cancel_that_was_killed_is_made_good_by_the_next_look(
    office: Office,
) -> None:
    office.ask("job", A)
    office.turn()
    office.turn()
    office.catalog.jobs.cancel("job", at=office.now)  # and no run was ended

    assert office.turn().cancel == tuple(office.queue.runs)
    office.turn()
    assert office.job("job").state is JobState.CANCELLED
