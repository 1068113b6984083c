"""Each run is asked for once, and again where it did not come."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from phx_pipeline.catalog import job_adoption
from phx_pipeline.catalog.dispatch import CLAIM
from phx_pipeline.catalog.store import Catalog
from phx_pipeline.jobs.tick import tick
from phx_pipeline.model.job import JobState
from phx_pipeline_tests.integration.jobs.tick.conftest import (
    SLUGS,
    A,
    B,
    Office,
    slugs_of,
)


def test_two_dispatchers_ask_for_each_run_once(office: Office) -> None:
    office.ask("job", *SLUGS)

    one, two = office.look(), office.look()

    assert slugs_of(one) == SLUGS[:5]
    assert slugs_of(two) == []


def test_dispatchers_that_look_at_the_same_time_ask_for_each_run_once(
    office: Office,
) -> None:
    for user in "abc":
        office.ask(f"{user}s", *SLUGS, user=user)

    def look(_number: int) -> list[str]:
        told = tick(
            office.catalog.dispatch, office.queue, slots=3, cursor="", at=office.now
        )
        return [launch.run_key for launch in told.launches]

    with ThreadPoolExecutor(4) as threads:
        keys = [key for told in threads.map(look, range(4)) for key in told]

    assert len(keys) == len(set(keys)) == 6


def test_what_was_asked_for_and_did_not_come_is_asked_for_again(
    office: Office,
) -> None:
    office.ask("job", A)
    lost = office.look()
    soon = office.look()
    office.now += CLAIM

    again = office.turn()

    assert (slugs_of(lost), slugs_of(soon), slugs_of(again)) == ([A], [], [A])
    assert len(office.queue.runs) == 1


def test_an_item_whose_run_key_another_run_has_fails_and_may_be_asked_again(
    office: Office,
) -> None:
    office.queue.foreign.add(f"job:1:{A}")
    office.ask("job", A)
    office.turn()
    early = office.states("job")
    office.now += CLAIM

    late = office.turn()

    (item,) = office.job("job").items
    assert (early, late.launches) == (["pending"], ())
    assert item.state is JobState.FAILED
    assert "`phx job ID --retry`" in item.error
    office.desk.retry("job")
    assert [launch.run_key for launch in office.turn().launches] == [f"job:2:{A}"]


@pytest.mark.parametrize("backfill", ["a:b", "/../../pwned"])
def test_the_rows_of_an_id_that_somebody_made_up_hinder_no_look(
    catalog: Catalog, office: Office, monkeypatch: pytest.MonkeyPatch, backfill: str
) -> None:
    run_id = office.queue.add(B, backfill_id=backfill)
    with monkeypatch.context() as former:  # as versions before this one wrote it
        former.setattr(job_adoption, "adopted_id", lambda **_: f"backfill-{backfill}")
        runs = office.queue.by_id([run_id])
        catalog.dispatch.adopt(runs, at=office.now)
    office.ask("job", A)

    assert slugs_of(office.turn()) == [A]

    office.queue.end(run_id)
    office.turn()
    (item,) = office.catalog.jobs.items(f"backfill-{backfill}")
    assert item.state is JobState.COMPLETED


def test_a_run_that_was_only_created_is_asked_for_again(office: Office) -> None:
    office.ask("job", A)
    office.look()
    office.queue.add(A, job_id="job", state=JobState.PENDING)
    office.now += CLAIM

    office.turn()

    assert [run.state for run in office.queue.runs.values()] == [JobState.QUEUED]


def test_a_look_at_nothing_new_writes_nothing(office: Office) -> None:
    office.ask("job", *SLUGS)
    office.turn()
    office.turn()
    before = office.catalog.views.states()

    office.turn()

    assert office.catalog.views.states() == before
