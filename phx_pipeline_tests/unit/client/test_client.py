"""What a client is told and tells, whichever way its calls go."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from phx_pipeline.client.documents import job_of
from phx_pipeline.client.order import Order, order_of
from phx_pipeline.client.patience import Patience
from phx_pipeline.client.progress import Pace, Photos, Progress
from phx_pipeline.errors import CatalogDownError, InputError, ServiceError
from phx_pipeline.model.isolation import IsolationMode
from phx_pipeline.model.job import (
    Job,
    JobCounts,
    JobProperty,
    JobState,
    Mode,
    Origin,
    Priority,
)
from phx_pipeline.model.source import Source
from phx_pipeline.reads.documents import job_document

NOON = datetime(2025, 3, 10, 12, tzinfo=UTC)
DONE = JobProperty(
    slug="1-a-st-mesa-az-85201",
    address="1 A St, Mesa, AZ 85201",
    folder="00000001",
    state=JobState.PARTIAL,
    run_id="run-1",
    error="redfin: blocked",
    counts=JobCounts(total=40, new=3, duplicate=2),
    started_at=NOON,
    ended_at=NOON + timedelta(seconds=60),
    updated_at=NOON + timedelta(seconds=60),
    took_s=60,
)
WAITING = JobProperty(slug="b", address="b", folder="00000002")
JOB = Job(
    job_id="5f0c2b7a91de",
    user="ada",
    origin=Origin.BACKFILL,
    priority=Priority.HIGH,
    mode=Mode.RESUME,
    sources=(Source.REDFIN,),
    isolation=IsolationMode.MINIMIZE,
    created_at=NOON,
    items=(DONE, WAITING),
)


def at_work(job: Job, count: int) -> Job:
    more = (replace(WAITING, state=JobState.IN_PROGRESS) for _ in range(count))
    return replace(job, items=(*job.items, *more))


def test_a_job_is_read_back_from_its_document_as_it_was() -> None:
    bare = Job(job_id="j", mode=Mode.FRESH, created_at=NOON, items=())
    gone = replace(WAITING, state=JobState.CANCELLED)
    called_off = replace(JOB, cancelled_at=NOON, items=(DONE, gone))

    for job in (JOB, bare, called_off):
        assert job_of(job_document(job)) == job


@pytest.mark.parametrize(
    "document", [None, [], {}, job_document(JOB) | {"items": [{"property": "a"}]}]
)
def test_what_is_no_job_is_told_as_such(document: object) -> None:
    with pytest.raises(ServiceError, match=r"a job that cannot be read .*this version"):
        job_of(document)


@pytest.mark.parametrize(
    ("houses", "expected"),
    [
        ("all", Order(everything=True)),
        ("686067a4", Order(houses=("686067a4",))),
        (iter(["a", "b"]), Order(houses=("a", "b"))),
    ],
)
def test_houses_are_named_by_one_text_or_by_several(
    houses: str | Iterator[str], expected: Order
) -> None:
    assert order_of(houses) == expected


@pytest.mark.parametrize("houses", ["", [], ["a", " "]])
def test_an_order_without_a_house_is_refused(houses: str | list[str]) -> None:
    with pytest.raises(InputError, match="give the key, folder or address"):
        order_of(houses)


def test_an_order_for_an_unknown_source_names_those_there_are() -> None:
    with pytest.raises(InputError, match=r"sources: unknown source 'redfn' .*redfin"):
        order_of("all", sources=["redfn"])


def test_an_order_in_words_that_are_none_names_those_there_are() -> None:
    with pytest.raises(InputError, match=r"priority='urgent': .*low, normal, high"):
        order_of("all", priority="urgent")  # type: ignore[arg-type]


def test_the_pace_is_that_of_the_last_half_minute() -> None:
    times = iter([0.0, 10.0, 20.0, 40.0, 60.0])
    pace = Pace(clock=lambda: next(times))
    decided = (0, 5, 30, 65, 100)

    seen = [
        pace.rated(Progress(job=JOB, photos={"a": Photos(listed=99, decided=n)}))
        for n in decided
    ]

    assert [it.photos_per_s for it in seen] == [None, 0.5, 1.5, 2.0, 1.75]


def test_the_time_left_follows_from_what_ended_and_what_is_at_work() -> None:
    assert Progress(job=JOB).remaining_s is None
    assert Progress(job=at_work(JOB, 2)).remaining_s == pytest.approx(90)


def test_who_answered_once_may_be_away_for_two_minutes() -> None:
    times = iter([0.0, 100.0, 110.0, 200.0, 231.0])
    patience = Patience(clock=lambda: next(times))

    def away() -> str:
        raise CatalogDownError("away")

    assert patience.look(lambda: "here") == "here"
    assert patience.look(away) is None
    assert patience.look(lambda: "back") == "back"
    assert patience.look(away) is None
    with pytest.raises(CatalogDownError):
        patience.look(away)


def test_who_never_answered_is_not_waited_for() -> None:
    def away() -> str:
        raise ServiceError("no certificate")

    with pytest.raises(ServiceError):
        Patience().look(away)
