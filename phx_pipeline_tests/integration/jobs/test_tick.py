"""What one look of the dispatcher does, with the rows of both databases."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from phx_pipeline.catalog import job_adoption
from phx_pipeline.catalog.dispatch import CLAIM
from phx_pipeline.catalog.store import Catalog
from phx_pipeline.errors import InputError, QuotaError, UnknownJobError
from phx_pipeline.jobs.desk import Desk
from phx_pipeline.jobs.fair import BASE, LATE_AFTER
from phx_pipeline.jobs.quota import Limits
from phx_pipeline.jobs.tick import Launch, Ticked, tick
from phx_pipeline.model.identity import property_lease
from phx_pipeline.model.isolation import IsolationMode
from phx_pipeline.model.job import Job, JobRequest, JobState, Mode, Origin, Priority
from phx_pipeline.model.run import RunOutcome
from phx_pipeline.model.run_queue import SeenBackfill, SeenRun
from phx_pipeline.model.source import Source
from phx_pipeline_tests.integration.conftest import STAMP, house_at
from phx_pipeline_tests.jobs import NOON, ask_job
from phx_pipeline_tests.queue_stand_in import QueueStandIn

SLUGS = [house_at(number).slug for number in range(1, 21)]
A, B, C = SLUGS[:3]


@dataclass(slots=True)
class Office:
    """A catalogue with houses, a queue, and a clock that a test sets."""

    catalog: Catalog
    now: datetime = NOON
    cursor: str = ""
    coming: list[Launch] = field(default_factory=list)
    queue: QueueStandIn = field(init=False)

    def __post_init__(self) -> None:
        self.queue = QueueStandIn(clock=lambda: self.now)

    @property
    def desk(self) -> Desk:
        return Desk(
            self.catalog.jobs,
            self.catalog.dispatch,
            states=self.queue,
            queue=self.queue,
            clock=lambda: self.now,
            pause=self.make,
        )

    def make(self, _: float) -> None:
        """Let the daemon make one of the runs that it was asked for."""
        if self.coming:
            self.queue.launch(self.coming.pop())

    def ask(self, job_id: str, *slugs: str, **more: object) -> None:
        ask_job(self.catalog, job_id, slugs, at=self.now, **more)  # type: ignore[arg-type]

    def look(self, *, slots: int = 3) -> Ticked:
        self.now += timedelta(seconds=5)
        told = tick(
            self.catalog.dispatch,
            self.queue,
            slots=slots,
            cursor=self.cursor,
            at=self.now,
        )
        self.cursor = told.cursor
        return told

    def turn(self, *, slots: int = 3) -> Ticked:
        """Look, and do what is to be done."""
        told = self.look(slots=slots)
        for launch in told.launches:
            self.queue.launch(launch)
        self.queue.cancel(told.cancel, wait_s=0)
        self.queue.put(told.put)
        for run_id, number in told.hasten.items():
            self.queue.hasten([run_id], priority=number)
        return told

    def run_recorded(self, job_id: str) -> SeenRun:
        """A run that was seen and noted its end, of which Dagster has not told yet."""
        self.turn()
        run = self.queue.begin()
        assert run is not None
        self.turn()
        self.record(run, job_id)
        self.record_end(run)
        return run

    def record(self, run: SeenRun, job_id: str) -> None:
        """Have a run note that it began."""
        with self.catalog.leases.hold(property_lease(run.slug), owner="run") as lease:
            self.catalog.runs.record_started(
                lease,
                run.slug,
                mode=Mode.FRESH,
                job_id=job_id,
                photos=(),
                interrupted={},
                stamp=replace(STAMP, at=self.now, run_id=run.run_id),
            )

    def record_end(
        self, run: SeenRun, outcome: RunOutcome = RunOutcome.PARTIAL
    ) -> None:
        """Have a run note that it ended; without *outcome* it left something open."""
        with self.catalog.leases.hold(property_lease(run.slug), owner="run") as lease:
            self.catalog.runs.record_ended(
                lease,
                run.slug,
                outcome=outcome,
                result=None,
                error="",
                stamp=replace(STAMP, at=self.now, run_id=run.run_id),
            )

    def job(self, job_id: str) -> Job:
        return self.desk.job(job_id)

    def states(self, job_id: str) -> list[str]:
        return [item.state.value for item in self.job(job_id).items]


@pytest.fixture
def office(catalog: Catalog) -> Office:
    houses = [house_at(number) for number in range(1, 21)]
    catalog.add_properties(houses, at=NOON)
    return Office(catalog)


def slugs_of(ticked: Ticked) -> list[str]:
    return [launch.slug for launch in ticked.launches]


def test_a_launch_has_all_that_a_run_needs_to_know(office: Office) -> None:
    office.ask(
        "job",
        A,
        sources=[Source.REDFIN],
        mode=Mode.RESUME,
        priority=Priority.HIGH,
        isolation=IsolationMode.VIRTUAL,
    )

    assert office.look().launches == (
        Launch(
            run_key=f"job:1:{A}",
            job_id="job",
            attempt=1,
            slug=A,
            user="ann",
            sources=(Source.REDFIN,),
            mode=Mode.RESUME,
            isolation=IsolationMode.VIRTUAL,
            priority=300,
        ),
    )


def test_the_queue_holds_two_runs_for_each_slot_and_users_take_turns(
    office: Office,
) -> None:
    office.ask("anns", *SLUGS[:10])
    office.ask("bobs", SLUGS[15], user="bob")

    first = office.turn()
    started = [office.queue.begin() for _ in range(3)]
    then = office.turn()

    assert slugs_of(first) == [A, SLUGS[15], *SLUGS[1:5]]
    assert [run and run.slug for run in started] == [A, SLUGS[15], B]
    assert slugs_of(then) == SLUGS[5:7]
    assert slugs_of(office.turn()) == []
    assert office.states("anns") == [
        *("queued" for _ in range(7)),
        *("pending" for _ in range(3)),
    ]


def test_who_comes_while_all_slots_are_taken_is_next(office: Office) -> None:
    office.ask("anns", *SLUGS[:10])
    office.turn()
    started = [run for _ in range(3) if (run := office.queue.begin())]
    office.turn()
    office.ask("bobs", SLUGS[15], user="bob")

    office.turn()

    office.queue.end(started[0].run_id)
    begun = office.queue.begin()
    assert begun is not None
    assert begun.slug == SLUGS[15]


def test_an_urgent_house_that_waits_in_a_job_of_low_priority_comes_first(
    office: Office,
) -> None:
    office.ask("low", *SLUGS[:10], priority=Priority.LOW)
    office.turn()
    office.turn()
    office.ask("high", SLUGS[8], user="bob", priority=Priority.HIGH)

    (launch,) = office.turn().launches

    assert (launch.run_key, launch.priority) == (f"low:1:{SLUGS[8]}", 300)


def test_a_backfill_takes_no_places_and_comes_later(office: Office) -> None:
    for slug in SLUGS:
        office.queue.add(slug, backfill_id="b" * 8)
    office.ask("job", SLUGS[-1])

    office.turn()

    begun = office.queue.begin()
    assert begun is not None
    assert (begun.job_id, begun.slug) == ("job", SLUGS[-1])


def test_who_is_more_urgent_shares_a_queued_run_and_brings_it_forward(
    office: Office,
) -> None:
    office.ask("low", A, priority=Priority.LOW)
    office.ask("other", B)
    office.turn()
    office.ask("high", A, user="bob", priority=Priority.HIGH)

    first, second = office.turn().hasten, office.turn().hasten

    (run_id,) = first
    assert first == {run_id: BASE[Priority.HIGH]}
    assert second == {}
    begun = office.queue.begin()
    assert begun is not None
    assert (begun.slug, begun.job_id) == (A, "low")
    office.turn()
    assert office.states("high") == office.states("low") == ["queued"]


def test_dagster_is_asked_as_often_for_many_items_as_for_few(office: Office) -> None:
    office.turn()
    before = office.queue.asked
    office.turn()
    idle = office.queue.asked - before
    for user in "abc":
        office.ask(f"{user}s", *SLUGS, user=user)
    for _ in range(3):
        office.turn()
        office.queue.begin()
        before = office.queue.asked
        office.turn()
        assert office.queue.asked - before <= idle + 1


# --- ends


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


def test_the_recorded_end_of_a_run_that_dagster_forgot_is_booked(
    office: Office,
) -> None:
    office.ask("job", A)
    office.run_recorded("job")
    office.queue.runs.clear()

    assert office.turn().launches == ()
    assert [item.state for item in office.catalog.jobs.items("job")] == ["partial"]


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


# --- exactly once


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


# --- calling off


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


def test_runs_that_are_just_being_made_end_with_their_job(office: Office) -> None:
    office.ask("job", A, B)
    office.coming = list(office.look().launches)

    job = office.desk.cancel("job")

    assert len(office.queue.runs) == 2
    assert office.queue.open_runs() == []
    assert job.state is JobState.CANCELLED


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


def test_a_retry_need_not_wait_for_the_next_look(office: Office) -> None:
    office.ask("job", A)
    office.turn()
    office.turn()
    (run_id,) = office.queue.runs
    office.queue.end(run_id, JobState.FAILED)

    job = office.desk.retry("job")

    assert [item.state for item in job.items] == [JobState.PENDING]


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


# --- renamed houses


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


# --- begun elsewhere


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


def test_what_is_late_waits_in_turn_and_comes_though_urgent_ones_never_cease(
    office: Office,
) -> None:
    office.queue.slots = 1
    office.ask("low", A, B, priority=Priority.LOW)
    office.ask("lower", C, user="carl", priority=Priority.LOW)
    begun = []
    for number in range(40):
        office.ask(f"urgent-{number}", *SLUGS[3:6], user="bob", priority=Priority.HIGH)
        office.turn(slots=1)
        if run := office.queue.begin():
            begun.append(run.slug)
            office.queue.end(run.run_id)
        office.now += LATE_AFTER / 4

    assert [it for it in begun if it in {A, B, C}] in ([A, B, C], [A, C, B])
    late_ones = [at for at, slug in enumerate(begun) if slug in {A, B, C}]
    assert late_ones[0] >= 4
    assert all(later - earlier > 1 for earlier, later in pairwise(late_ones))


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


# --- the desk


def test_a_user_who_asked_for_enough_is_refused_and_others_are_not(
    office: Office,
) -> None:
    limits = Limits(jobs_per_hour=1)
    asked = JobRequest(slugs=(A,), user="ann")
    told = office.desk.submit(asked, limits=limits)

    with pytest.raises(QuotaError, match="PHX_JOBS_PER_HOUR"):
        office.desk.submit(asked, limits=limits)

    assert office.desk.submit(asked).is_new
    other = office.desk.submit(JobRequest(slugs=(A,), user="bob"), limits=limits)
    assert other.joined == {A: told.job_id}


def test_all_houses_are_the_same_request_when_there_are_more(office: Office) -> None:
    def submit(*slugs: str) -> str:
        asked = JobRequest(
            slugs=slugs, user="ann", idempotency_key="night", everything=True
        )
        return office.desk.submit(asked).job_id

    assert submit(A) == submit(A, B)


def test_what_is_unknown_or_empty_is_refused(office: Office) -> None:
    for call in (office.desk.job, office.desk.cancel, office.desk.retry):
        with pytest.raises(UnknownJobError, match="no job 'none'"):
            call("none")
    with pytest.raises(InputError, match="at least one house"):
        office.desk.submit(JobRequest(slugs=(), user="ann"))
    with pytest.raises(UnknownJobError, match="no job"):
        office.desk.job("a\x00b")
    for key in ("k" * 201, "k\x00"):
        with pytest.raises(InputError, match="at most 200"):
            office.desk.submit(JobRequest(slugs=(A,), user="ann", idempotency_key=key))


def test_a_look_at_nothing_new_writes_nothing(office: Office) -> None:
    office.ask("job", *SLUGS)
    office.turn()
    office.turn()
    before = office.catalog.views.states()

    office.turn()

    assert office.catalog.views.states() == before
