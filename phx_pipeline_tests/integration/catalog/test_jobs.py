from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import sqlalchemy as sa

from phx_pipeline.catalog.jobs import FOLLOW_UP
from phx_pipeline.catalog.store import Catalog
from phx_pipeline.model.identity import property_lease
from phx_pipeline.model.job import JobItem, Mode
from phx_pipeline.model.source import Source
from phx_pipeline_tests.integration.conftest import STAMP, house_at

NOON = STAMP.at
LATER = NOON + timedelta(seconds=1)
A, B, C = (house_at(number).slug for number in (3, 1, 2))


@pytest.fixture
def housed(catalog: Catalog) -> Catalog:
    catalog.add_properties([house_at(number) for number in (1, 2, 3)], at=NOON)
    return catalog


def test_items_wait_in_the_order_given(housed: Catalog) -> None:
    housed.jobs.submit("job", [A, B, C], sources=[Source.REDFIN], at=NOON)

    waiting = housed.jobs.waiting(limit=10)

    assert [item.slug for item in waiting] == [A, B, C]
    assert waiting == housed.jobs.items("job")
    assert {item.sources for item in waiting} == {(Source.REDFIN,)}
    assert {item.dispatched_at for item in waiting} == {None}
    assert [item.run_key for item in waiting] == [f"job:1:{slug}" for slug in (A, B, C)]


def test_the_older_job_goes_first(housed: Catalog) -> None:
    housed.jobs.submit("a-later", [C, B], sources=[], at=LATER)
    housed.jobs.submit("z-earlier", [B, A], sources=[], at=NOON)

    waiting = housed.jobs.waiting(limit=3)

    assert [(item.job_id, item.slug) for item in waiting] == [
        ("z-earlier", B),
        ("z-earlier", A),
        ("a-later", C),
    ]


def test_a_dispatched_item_no_longer_waits(housed: Catalog) -> None:
    housed.jobs.submit("job", [A, B, C], sources=[], at=NOON)

    housed.jobs.mark_dispatched(housed.jobs.waiting(limit=2), at=LATER)

    assert [item.slug for item in housed.jobs.waiting(limit=10)] == [C]
    assert [item.dispatched_at for item in housed.jobs.items("job")] == [
        LATER,
        LATER,
        None,
    ]


def test_one_property_in_two_jobs_is_two_items(housed: Catalog) -> None:
    housed.jobs.submit("first", [A], sources=[], at=NOON)
    housed.jobs.submit("second", [A], sources=[], at=LATER)

    housed.jobs.mark_dispatched(housed.jobs.items("first"), at=LATER)

    assert [item.job_id for item in housed.jobs.waiting(limit=10)] == ["second"]


def test_a_property_given_twice_is_one_item(housed: Catalog) -> None:
    housed.jobs.submit("job", [A, B, A], sources=[], at=NOON)

    assert [item.slug for item in housed.jobs.items("job")] == [A, B]


def test_a_job_of_nothing_has_no_items(housed: Catalog) -> None:
    housed.jobs.submit("job", [], sources=[], at=NOON)

    assert housed.jobs.items("job") == []
    assert housed.jobs.waiting(limit=10) == []


def test_an_unknown_job_has_no_items(housed: Catalog) -> None:
    assert housed.jobs.items("nothing") == []


def test_a_job_with_an_unknown_property_is_not_written(housed: Catalog) -> None:
    with pytest.raises(sa.exc.IntegrityError):
        housed.jobs.submit("job", [A, "nowhere"], sources=[], at=NOON)

    assert housed.jobs.waiting(limit=10) == []
    housed.jobs.submit("job", [A], sources=[], at=NOON)  # the id is still free


# --- jobs for one property because of another


def call_on(catalog: Catalog, job_id: str, *slugs: str) -> list[str]:
    return catalog.jobs.submit(
        f"{FOLLOW_UP}{job_id}",
        slugs,
        sources=[],
        at=NOON,
        mode=Mode.RESUME,
        unless_waiting=True,
    )


def test_a_property_that_waits_already_is_not_asked_for_again(housed: Catalog) -> None:
    housed.jobs.submit("by-hand", [A], sources=[Source.REDFIN], at=NOON)

    asked = [call_on(housed, "1", A, B), call_on(housed, "2", B, C, C)]

    assert asked == [[B], [C]]
    assert {item.slug for item in housed.jobs.waiting(limit=9)} == {A, B, C}
    assert {it.mode for it in housed.jobs.items(f"{FOLLOW_UP}1")} == {Mode.RESUME}


def test_no_job_is_written_where_all_wait_already(housed: Catalog) -> None:
    call_on(housed, "1", A)

    assert call_on(housed, "2", A) == call_on(housed, "3") == []
    assert [job.job_id for job in housed.runs.newest_jobs(limit=9)] == [f"{FOLLOW_UP}1"]


def test_a_property_whose_run_exists_may_be_asked_for_again(housed: Catalog) -> None:
    call_on(housed, "1", A)
    housed.jobs.mark_dispatched(housed.jobs.waiting(limit=9), at=LATER)

    assert call_on(housed, "2", A) == [A]


def test_what_is_done_is_withdrawn_and_nothing_a_person_asked_for(
    housed: Catalog,
) -> None:
    call_on(housed, "1", A, B)
    housed.jobs.submit("by-hand", [A, C], sources=[], at=NOON)
    assert housed.jobs.called_on([A, C]) == {A}

    housed.jobs.withdraw([A, C])

    assert housed.jobs.called_on([A, B, C]) == {B}
    assert {(it.job_id, it.slug) for it in housed.jobs.waiting(limit=9)} == {
        (f"{FOLLOW_UP}1", B),
        ("by-hand", A),
        ("by-hand", C),
    }
    housed.jobs.withdraw([B])
    assert [job.job_id for job in housed.runs.newest_jobs(limit=9)] == ["by-hand"]


# --- joining what is to come


def join(
    catalog: Catalog,
    job_id: str,
    *slugs: str,
    sources: Sequence[Source] = (),
    mode: Mode = Mode.RESUME,
    queued: Sequence[JobItem] = (),
) -> dict[str, str]:
    return catalog.jobs.join(
        job_id, slugs, sources=sources, at=NOON, mode=mode, queued=queued
    )


def test_a_property_that_waits_for_the_same_joins_and_the_others_get_a_job(
    housed: Catalog,
) -> None:
    first = join(housed, "first", A, B)

    again = join(housed, "second", A, C, A)

    assert first == {A: "first", B: "first"}
    assert again == {A: "first", C: "second"}
    waiting = [(item.job_id, item.slug) for item in housed.jobs.waiting(limit=9)]
    assert waiting == [("first", A), ("first", B), ("second", C)]


def test_where_all_is_to_come_no_job_is_written(housed: Catalog) -> None:
    join(housed, "first", A, B)

    assert join(housed, "second", B, A) == {B: "first", A: "first"}
    assert [job.job_id for job in housed.runs.newest_jobs(limit=9)] == ["first"]


def test_what_waits_for_less_is_not_joined(housed: Catalog) -> None:
    join(housed, "narrow", A, sources=[Source.REDFIN])
    join(housed, "weak", B)

    wide = join(housed, "wide", A)
    strong = join(housed, "strong", B, mode=Mode.FRESH)

    assert (wide, strong) == ({A: "wide"}, {B: "strong"})


def test_a_run_that_exists_is_joined_only_if_it_is_named_as_queued(
    housed: Catalog,
) -> None:
    join(housed, "first", A)
    (item,) = housed.jobs.items("first")
    housed.jobs.mark_dispatched([item], at=LATER)

    assert join(housed, "second", A, queued=[item]) == {A: "first"}
    assert join(housed, "third", A) == {A: "third"}


def test_a_run_that_has_begun_is_joined_no_more(housed: Catalog) -> None:
    """Its item may still wait to be noted as dispatched."""
    join(housed, "first", A)
    with housed.leases.hold(property_lease(A), owner="the run") as lease:
        housed.runs.record_started(
            lease,
            A,
            mode=Mode.RESUME,
            job_id="first",
            photos=(),
            interrupted={},
            stamp=STAMP,
        )

    assert join(housed, "second", A) == {A: "second"}


def test_of_many_that_ask_at_once_one_gets_the_job(housed: Catalog) -> None:
    with ThreadPoolExecutor(4) as threads:
        told = list(threads.map(lambda n: join(housed, f"job-{n}", A, B), range(4)))

    assert len({tuple(sorted(each.items())) for each in told}) == 1
    assert len(housed.jobs.waiting(limit=9)) == 2
