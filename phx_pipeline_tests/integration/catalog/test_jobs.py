"""Jobs as people ask for them, share runs, call them off and ask again."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from phx_pipeline.catalog.jobs import FOLLOW_UP
from phx_pipeline.catalog.store import Catalog
from phx_pipeline.errors import IdempotencyError, InputError
from phx_pipeline.model.identity import property_lease
from phx_pipeline.model.job import JobRequest, JobState, Mode, Origin, Priority
from phx_pipeline.model.source import Source
from phx_pipeline_tests.integration.conftest import STAMP, house_at
from phx_pipeline_tests.jobs import ask_job, end_items, see_runs

NOON = STAMP.at
LATER = NOON + timedelta(seconds=1)
A, B, C = (house_at(number).slug for number in (3, 1, 2))


@pytest.fixture
def housed(catalog: Catalog) -> Catalog:
    catalog.add_properties([house_at(number) for number in (1, 2, 3)], at=NOON)
    return catalog


def states(catalog: Catalog, job_id: str) -> list[JobState | None]:
    return [item.state for item in catalog.jobs.items(job_id)]


def begin(catalog: Catalog, slug: str, *, job_id: str) -> None:
    """Have a run of the job begin with its property."""
    with catalog.leases.hold(property_lease(slug), owner="the run") as lease:
        catalog.runs.record_started(
            lease,
            slug,
            mode=Mode.RESUME,
            job_id=job_id,
            photos=(),
            interrupted={},
            stamp=STAMP,
        )


def test_items_wait_in_the_order_given_and_each_once(housed: Catalog) -> None:
    told = ask_job(housed, "job", [A, B, A, C], sources=[Source.REDFIN], at=NOON)

    waiting = housed.jobs.waiting(limit=10)

    assert (told.job_id, told.is_new, dict(told.joined)) == ("job", True, {})
    assert [item.slug for item in waiting] == [A, B, C]
    assert waiting == housed.jobs.items("job")
    assert {item.sources for item in waiting} == {(Source.REDFIN,)}
    assert {item.dispatched_at for item in waiting} == {None}
    assert [item.run_key for item in waiting] == [f"job:1:{slug}" for slug in (A, B, C)]


def test_an_item_whose_run_was_seen_no_longer_waits(housed: Catalog) -> None:
    ask_job(housed, "job", [A, B, C], at=NOON)

    see_runs(housed, housed.jobs.waiting(limit=2), at=LATER)

    assert [item.slug for item in housed.jobs.waiting(limit=10)] == [C]
    seen_at = [item.dispatched_at for item in housed.jobs.items("job")]
    assert seen_at == [LATER, LATER, None]


def test_a_job_with_a_house_that_is_not_followed_is_not_written(
    housed: Catalog,
) -> None:
    with pytest.raises(InputError, match="not followed: nowhere"):
        ask_job(housed, "job", [A, "nowhere"], at=NOON)

    assert housed.jobs.job("job") is None
    ask_job(housed, "job", [A], at=NOON)  # the id is still free


# --- jobs for one property because of another


def call_on(catalog: Catalog, job_id: str, *slugs: str) -> list[str]:
    return catalog.jobs.call_on(f"{FOLLOW_UP}{job_id}", slugs, at=NOON)


def ids(catalog: Catalog) -> list[str]:
    return [job.job_id for job in catalog.jobs.newest(limit=9)]


def test_a_property_that_waits_already_is_not_asked_for_again(housed: Catalog) -> None:
    ask_job(housed, "by-hand", [A], sources=[Source.REDFIN], at=NOON)

    asked = [call_on(housed, "1", A, B), call_on(housed, "2", B, C, C)]

    assert asked == [[B], [C]]
    assert {item.slug for item in housed.jobs.waiting(limit=9)} == {A, B, C}
    called = housed.jobs.job(f"{FOLLOW_UP}1")
    assert called is not None
    assert (called.mode, called.origin) == (Mode.RESUME, Origin.FOLLOW_UP)


def test_no_job_is_written_where_all_wait_already(housed: Catalog) -> None:
    call_on(housed, "1", A)

    assert call_on(housed, "2", A) == call_on(housed, "3") == []
    assert ids(housed) == [f"{FOLLOW_UP}1"]


def test_a_property_whose_run_exists_may_be_asked_for_again(housed: Catalog) -> None:
    call_on(housed, "1", A)
    see_runs(housed, housed.jobs.waiting(limit=9), at=LATER)

    assert call_on(housed, "2", A) == [A]


def test_what_is_done_is_withdrawn_and_nothing_a_person_asked_for(
    housed: Catalog,
) -> None:
    call_on(housed, "1", A, B)
    ask_job(housed, "by-hand", [A, C], at=NOON)
    assert housed.jobs.called_on([A, C]) == {A}

    housed.jobs.withdraw([A, C])

    assert housed.jobs.called_on([A, B, C]) == {B}
    assert {(it.job_id, it.slug) for it in housed.jobs.waiting(limit=9)} == {
        (f"{FOLLOW_UP}1", B),
        ("by-hand", A),
        ("by-hand", C),
    }
    housed.jobs.withdraw([B])
    assert ids(housed) == ["by-hand"]


def test_a_run_that_somebody_shares_is_not_withdrawn(housed: Catalog) -> None:
    call_on(housed, "1", A)
    ask_job(housed, "by-hand", [A], mode=Mode.RESUME, at=LATER)

    housed.jobs.withdraw([A])

    assert ids(housed) == ["by-hand", f"{FOLLOW_UP}1"]


# --- sharing runs


def joined(
    catalog: Catalog,
    job_id: str,
    *slugs: str,
    sources: Sequence[Source] = (),
    mode: Mode = Mode.RESUME,
    priority: Priority = Priority.NORMAL,
) -> dict[str, str]:
    told = ask_job(
        catalog, job_id, slugs, sources=sources, mode=mode, priority=priority, at=LATER
    )
    return dict(told.joined)


def test_a_property_that_waits_for_the_same_shares_its_run(housed: Catalog) -> None:
    first = joined(housed, "first", A, B)

    second = joined(housed, "second", A, C)
    third = joined(housed, "third", A)

    assert (first, second, third) == ({}, {A: "first"}, {A: "first"})
    keys = [item.run_key for item in housed.jobs.items("second")]
    assert keys == [f"first:1:{A}", f"second:1:{C}"]


def test_what_waits_for_less_is_not_shared(housed: Catalog) -> None:
    joined(housed, "narrow", A, sources=[Source.REDFIN])
    joined(housed, "weak", B)

    assert joined(housed, "wide", A) == {}
    assert joined(housed, "strong", B, mode=Mode.FRESH) == {}


def test_a_run_in_the_queue_is_shared_by_the_most_urgent_too(housed: Catalog) -> None:
    """One of his own would only begin after it."""
    joined(housed, "first", A, priority=Priority.LOW)
    see_runs(housed, housed.jobs.items("first"), at=LATER)

    assert joined(housed, "low", A, priority=Priority.LOW) == {A: "first"}
    assert joined(housed, "high", A, priority=Priority.HIGH) == {A: "first"}
    (shared,) = housed.jobs.items("low")
    assert shared.dispatched_at == LATER


def test_a_run_that_has_begun_is_shared_no_more(housed: Catalog) -> None:
    """Its item may still wait to be noted as dispatched."""
    ask_job(housed, "first", [A], mode=Mode.RESUME, at=NOON)
    begin(housed, A, job_id="first")

    assert joined(housed, "second", A, B) == {}
    assert housed.jobs.ahead_of("second") == {}
    see_runs(housed, housed.jobs.items("first"), at=LATER)
    assert housed.jobs.ahead_of("second") == {A: "first"}
    assert housed.jobs.ahead_of("first") == {}


def test_of_many_that_ask_at_once_all_share_one_run(housed: Catalog) -> None:
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda n: joined(housed, f"job-{n}", A, B), range(4)))

    waiting = housed.jobs.waiting(limit=9)
    assert len(waiting) == 8
    assert len({item.run_key for item in waiting}) == 2


# --- the same request twice


def test_the_same_key_gives_the_same_job_to_the_same_user(housed: Catalog) -> None:
    first = ask_job(housed, "first", [A, B], idempotency_key="k", at=NOON)
    again = ask_job(housed, "again", [A, B], idempotency_key="k", at=LATER)
    other = ask_job(housed, "other", [A], user="bob", idempotency_key="k", at=LATER)
    repeated = ask_job(
        housed, "repeated", [A], user="bob", idempotency_key="k", at=LATER
    )

    assert (first.job_id, first.is_new) == ("first", True)
    assert (again.job_id, again.is_new) == ("first", False)
    assert other.is_new
    assert repeated == replace(other, is_new=False)  # with the runs it shares
    assert ids(housed) == ["other", "first"]


@pytest.mark.parametrize(
    "change",
    [
        {"slugs": [B, A]},
        {"sources": [Source.REDFIN]},
        {"mode": Mode.RESUME},
        {"priority": Priority.HIGH},
    ],
    ids=lambda change: next(iter(change)),
)
def test_the_same_key_with_another_request_is_refused(
    housed: Catalog, change: dict[str, object]
) -> None:
    ask_job(housed, "first", [A, B], idempotency_key="k", at=NOON)
    asked = {"slugs": [A, B], "idempotency_key": "k", "at": LATER} | change

    with pytest.raises(IdempotencyError, match=r"'k' was used for .* job first"):
        ask_job(housed, "again", **asked)  # type: ignore[arg-type]  # named above

    assert ids(housed) == ["first"]


def test_of_many_requests_with_one_key_at_once_one_makes_a_job(
    housed: Catalog,
) -> None:
    def ask(number: int) -> str:
        told = ask_job(housed, f"job-{number}", [A], idempotency_key="k", at=NOON)
        return told.job_id

    with ThreadPoolExecutor(4) as threads:
        told = set(threads.map(ask, range(4)))

    assert list(told) == ids(housed)


# --- calling off


def test_what_waits_is_cancelled_at_once_and_what_runs_is_to_be_ended(
    housed: Catalog,
) -> None:
    ask_job(housed, "job", [A, B, C], at=NOON)
    done, running, _ = housed.jobs.items("job")
    see_runs(housed, [done, running], at=NOON)
    end_items(housed, [done], at=NOON)

    told = housed.jobs.cancel("job", at=LATER)

    assert told is not None
    assert [item.slug for item in told.booked] == [C]
    assert [item.slug for item in told.to_end] == [B]
    assert states(housed, "job") == [JobState.COMPLETED, None, JobState.CANCELLED]
    end_items(housed, told.to_end, at=LATER, state=JobState.CANCELLED)
    job = housed.jobs.job("job")
    assert job is not None
    assert (job.state, job.cancelled_at) == (JobState.CANCELLED, LATER)
    again = housed.jobs.cancel("job", at=LATER + timedelta(hours=1))
    assert again is not None
    assert not again.booked + again.to_end


@pytest.mark.parametrize("seen", [False, True])
def test_a_shared_run_ends_only_with_its_last_item(
    housed: Catalog, *, seen: bool
) -> None:
    joined(housed, "first", A)
    joined(housed, "second", A)
    if seen:
        see_runs(housed, housed.jobs.items("first"), at=LATER)

    first = housed.jobs.cancel("first", at=LATER)
    waits = [item.job_id for item in housed.jobs.waiting(limit=9)]
    second = housed.jobs.cancel("second", at=LATER)

    assert first is not None
    assert second is not None
    assert [len(first.booked), len(first.to_end)] == [1, 0]
    (left,) = housed.jobs.items("first")
    assert left.error == "its run stays for job second, which waits for it too"
    assert waits == ([] if seen else ["second"])
    assert [len(second.booked), len(second.to_end)] == ([0, 1] if seen else [1, 0])


def test_what_was_called_off_is_not_shared(housed: Catalog) -> None:
    joined(housed, "first", A)
    see_runs(housed, housed.jobs.items("first"), at=LATER)
    housed.jobs.cancel("first", at=LATER)

    assert joined(housed, "second", A) == {}


def test_an_unknown_job_is_not_cancelled_and_has_no_items(housed: Catalog) -> None:
    assert housed.jobs.cancel("nothing", at=NOON) is None
    assert housed.jobs.retry("nothing", at=NOON) == []
    assert housed.jobs.items("nothing") == []


# --- asking again


def test_what_failed_or_is_partial_is_asked_again_in_place(housed: Catalog) -> None:
    ask_job(housed, "job", [A, B, C], sources=[Source.REDFIN], at=NOON)
    items = housed.jobs.items("job")
    see_runs(housed, items, at=NOON)
    ends = (JobState.FAILED, JobState.PARTIAL, JobState.COMPLETED)
    for item, state in zip(items, ends, strict=True):
        end_items(housed, [item], at=NOON, state=state)

    assert housed.jobs.retry("job", at=LATER) == [A, B]

    again = housed.jobs.waiting(limit=9)
    assert [item.run_key for item in again] == [f"job:2:{A}", f"job:2:{B}"]
    assert {item.mode for item in again} == {Mode.RESUME}
    assert {item.requested_at for item in again} == {LATER}
    assert {item.run_id for item in again} == {None}
    assert states(housed, "job") == [None, None, JobState.COMPLETED]
    assert housed.jobs.retry("job", at=LATER) == []


def test_what_is_asked_again_shares_a_run_that_is_to_come(housed: Catalog) -> None:
    ask_job(housed, "job", [A], at=NOON)
    end_items(housed, housed.jobs.items("job"), at=NOON, state=JobState.FAILED)
    ask_job(housed, "other", [A], at=NOON)

    housed.jobs.retry("job", at=LATER)

    assert [item.run_key for item in housed.jobs.items("job")] == [f"other:1:{A}"]


def test_a_job_is_not_asked_again_while_its_runs_are_being_ended(
    housed: Catalog,
) -> None:
    ask_job(housed, "job", [A, B], at=NOON)
    failed, running = housed.jobs.items("job")
    see_runs(housed, [failed, running], at=NOON)
    end_items(housed, [failed], at=NOON, state=JobState.FAILED)
    housed.jobs.cancel("job", at=LATER)

    with pytest.raises(InputError, match="is being cancelled"):
        housed.jobs.retry("job", at=LATER)

    end_items(housed, [running], at=LATER, state=JobState.CANCELLED)
    assert housed.jobs.retry("job", at=LATER) == [A]
    job = housed.jobs.job("job")
    assert job is not None
    assert (job.state, job.cancelled_at) == (JobState.IN_PROGRESS, None)


# --- reading


def test_jobs_are_read_in_pages_and_by_user(housed: Catalog) -> None:
    for number, user in enumerate(["ann", "bob", "ann", "ann"]):
        at = NOON + timedelta(seconds=number // 2)
        ask_job(housed, f"job-{number}", [A], user=user, at=at)

    first = housed.jobs.newest(limit=2, user="ann")
    last = first[-1]
    rest = housed.jobs.newest(
        limit=9, user="ann", before=(last.created_at, last.job_id)
    )

    assert [job.job_id for job in first] == ["job-3", "job-2"]
    assert [job.job_id for job in rest] == ["job-0"]


def test_who_asked_for_how_much_is_told(housed: Catalog) -> None:
    """What a clock that was ahead noted counts in no span."""
    for number, hours in enumerate((30, 20, 2, -30 * 24)):
        asked_at = NOON - timedelta(hours=hours)
        ask_job(housed, f"job-{number}", [A], at=asked_at)
    end_items(housed, housed.jobs.items("job-1"), at=NOON)
    ask_job(housed, "bobs", [B], user="bob", at=NOON)

    usage = housed.jobs.usage("ann", at=NOON)

    assert [(NOON - at).total_seconds() / 3600 for at in usage.asked_at] == [20, 2]
    assert (usage.open_jobs, usage.images) == (3, 0)


def test_who_may_not_ask_writes_nothing(housed: Catalog) -> None:
    def refuse(_usage: object) -> None:
        raise InputError("no")

    request = JobRequest(slugs=(A,), user="ann")
    with pytest.raises(InputError):
        housed.jobs.submit("job", request, at=NOON, check=refuse)

    assert ids(housed) == []
