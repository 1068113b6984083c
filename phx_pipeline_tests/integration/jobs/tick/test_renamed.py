"""Items whose house is renamed or merged while they are at work."""

import pytest

from phx_pipeline.model.identity import property_lease
from phx_pipeline.model.job import JobState
from phx_pipeline_tests.integration.conftest import MOSTLY_SQLITE, house_at
from phx_pipeline_tests.integration.jobs.tick.conftest import A, B, Office

NEW = house_at(77)


def rename(office: Office, slug: str) -> None:
    """Give a house the address of `NEW`."""
    with office.catalog.leases.hold(property_lease(slug), owner="cli") as lease:
        office.catalog.houses.rename(lease, slug, NEW.address, at=office.now)


@pytest.mark.parametrize("ends", [JobState.FAILED, JobState.RETRYING])
def test_an_item_goes_on_by_itself_whose_house_is_renamed_at_work(
    office: Office, ends: JobState
) -> None:
    office.ask("job", A)
    office.turn()
    run = office.queue.begin()
    assert run is not None
    office.turn()
    office.record(run, "job")
    rename(office, A)
    meanwhile, shown = office.turn(), office.states("job")
    office.queue.end(run.run_id, ends)  # no stage works under the former key

    anew = office.turn()

    assert (meanwhile.launches, shown) == ((), ["in_progress"])
    assert [launch.run_key for launch in anew.launches] == [f"job:1:{NEW.slug}"]
    assert not office.job("job").state.is_final
    office.turn()
    office.queue.end(next(reversed(office.queue.runs)))
    office.turn()
    assert office.states("job") == ["completed"]


@MOSTLY_SQLITE
def test_a_house_is_asked_for_at_once_that_is_renamed_while_its_run_is_made(
    office: Office,
) -> None:
    office.ask("job", A)
    (coming,) = office.look().launches
    rename(office, A)
    office.queue.launch(coming)  # under the former key

    anew = office.turn()
    office.turn()

    assert [launch.run_key for launch in anew.launches] == [f"job:1:{NEW.slug}"]
    assert office.states("job") == ["queued"]
    assert len(office.catalog.jobs.newest(limit=9)) == 1


@MOSTLY_SQLITE
def test_the_run_of_a_renamed_house_ends_as_it_recorded_or_with_its_job(
    office: Office,
) -> None:
    office.ask("job", A)
    office.ask("other", B)
    office.turn()
    first, second = (office.queue.begin() for _ in range(2))
    assert first is not None
    assert second is not None
    office.turn()
    rename(office, A)

    office.desk.cancel("job")
    office.queue.end(second.run_id)
    office.turn()

    assert office.queue.runs[first.run_id].state is JobState.CANCELLED
    assert office.states("job") == ["cancelled"]
    assert office.states("other") == ["completed"]
