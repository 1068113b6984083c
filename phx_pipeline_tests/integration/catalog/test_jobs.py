from datetime import timedelta

import pytest
import sqlalchemy as sa

from phx_pipeline.catalog.store import Catalog
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
