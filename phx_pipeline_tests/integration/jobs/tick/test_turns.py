"""Who is next: how one look of the dispatcher fills the queue."""

from itertools import pairwise

from phx_pipeline.jobs.fair import BASE, LATE_AFTER
from phx_pipeline.jobs.tick import Launch
from phx_pipeline.model.isolation import IsolationMode
from phx_pipeline.model.job import Mode, Priority
from phx_pipeline.model.source import Source
from phx_pipeline_tests.integration.conftest import MOSTLY_SQLITE
from phx_pipeline_tests.integration.jobs.tick.conftest import (
    SLUGS,
    A,
    B,
    C,
    Office,
    slugs_of,
)


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


@MOSTLY_SQLITE
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


@MOSTLY_SQLITE
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


@MOSTLY_SQLITE
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


@MOSTLY_SQLITE
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


@MOSTLY_SQLITE
def test_while_a_late_run_is_still_to_be_made_no_other_is_late(office: Office) -> None:
    office.ask("low", A, priority=Priority.LOW)
    office.ask("lower", C, user="carl", priority=Priority.LOW)
    office.ask("urgent", *SLUGS[3:6], user="bob", priority=Priority.HIGH)
    office.now += LATE_AFTER

    late, urgent = office.look(slots=1).launches
    office.queue.launch(urgent)
    office.queue.begin()
    (then,) = office.look(slots=1).launches

    assert [it.slug for it in (late, urgent, then)] == [A, *SLUGS[3:5]]
