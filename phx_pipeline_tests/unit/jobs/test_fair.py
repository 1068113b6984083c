"""Whose turn it is."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phx_pipeline.jobs.fair import (
    LATE_AFTER,
    Overtaken,
    Priorities,
    busy_houses,
    choose,
    overtaken,
    room_for,
)
from phx_pipeline.model.dispatch import Candidate
from phx_pipeline.model.job import JobState, Priority, run_key_of
from phx_pipeline.model.run_queue import HASTENED, MOST_BY_HAND, SeenRun
from phx_pipeline_tests.jobs import NOON, job_item


def waiting(
    job: str, count: int, *, user: str = "", priority: Priority = Priority.NORMAL
) -> list[Candidate]:
    """The items of a job, each for another house; jobs are older by their names."""
    return [
        Candidate(
            job_id=job,
            slug=f"{job}-{number}",
            run_key=run_key_of(job, 1, f"{job}-{number}"),
            user=user or job[0],
            priority=priority,
            created_at=NOON + timedelta(seconds=ord(job[-1])),
            position=number,
            requested_at=NOON,
        )
        for number in range(count)
    ]


def chosen(candidates: list[Candidate], room: int) -> list[str]:
    return [each.slug for each in choose(candidates, room=room, busy=())]


def test_users_and_then_their_jobs_are_served_in_turn() -> None:
    every = [*waiting("a1", 9), *waiting("a2", 9), *waiting("b1", 2)]

    assert chosen(every, 7) == ["a1-0", "b1-0", "a2-0", "b1-1", "a1-1", "a2-1", "a1-2"]


def test_who_was_served_last_waits_for_the_others() -> None:
    served = [replace(each, job_turn=5, user_turn=5) for each in waiting("a1", 2)]

    assert chosen([*served, *waiting("b1", 2)], 4) == ["b1-0", "a1-0", "b1-1", "a1-1"]


def test_the_urgent_come_first_whoever_was_served() -> None:
    every = [
        *waiting("a1", 2, priority=Priority.LOW),
        *waiting("a2", 2),
        *waiting("b1", 2, priority=Priority.HIGH),
    ]

    assert chosen(every, 5) == ["b1-0", "b1-1", "a2-0", "a2-1", "a1-0"]


def test_a_house_with_a_run_is_passed_over_and_a_shared_run_comes_once() -> None:
    mine, theirs = waiting("a1", 3), waiting("b1", 1)
    shared = [replace(theirs[0], slug="a1-1")]

    both = choose([*mine, *shared], room=9, busy={"a1-0"})

    assert [(each.job_id, each.slug) for each in both] == [
        ("a1", "a1-1"),
        ("a1", "a1-2"),
    ]


_JOBS = st.dictionaries(
    st.sampled_from(["a1", "a2", "b1", "b2", "c1"]), st.integers(1, 6), min_size=1
)


@given(_JOBS, st.integers(0, 20), st.randoms())
def test_nobody_gets_more_than_one_turn_more_than_another_who_waits(
    jobs: dict[str, int], room: int, order: object
) -> None:
    every = [each for job, count in jobs.items() for each in waiting(job, count)]
    order.shuffle(every)  # type: ignore[attr-defined]  # Hypothesis's own random

    told = choose(every, room=room, busy=())

    assert len(told) == min(room, len(every))
    for job in jobs:
        places = [each.position for each in told if each.job_id == job]
        assert places == list(range(len(places)))  # first in, first out
    turns = Counter(each.user for each in told)
    left = {each.user for each in every if each not in told}
    assert all(turns[user] >= max(turns.values(), default=0) - 1 for user in left)


def run(
    slug: str,
    *,
    job: str | None = "a1",
    state: JobState = JobState.QUEUED,
    user: str | None = "a",
    priority: int = 0,
) -> SeenRun:
    return SeenRun(
        run_id=f"run-{slug}",
        slug=slug,
        job_id=job,
        attempt=1,
        state=state,
        priority=priority,
        created_at=NOON,
        ended_at=None,
        root_run_id=f"run-{slug}",
        user=user,
    )


def test_only_runs_of_jobs_take_places_in_the_queue() -> None:
    runs = [
        run("waits"),
        run("works", state=JobState.IN_PROGRESS),
        run("backfilled", job=None),
        run("filled", job=None, state=JobState.IN_PROGRESS),
        run("only-created", state=JobState.PENDING),
    ]

    assert [room_for(runs, asked=asked, slots=3) for asked in (0, 2, 9)] == [5, 3, 0]
    assert busy_houses(runs) == {"waits", "works", "filled"}


@pytest.mark.parametrize(
    ("priority", "runs", "number"),
    [
        (Priority.NORMAL, 0, 100),
        (Priority.NORMAL, 8, 92),
        (Priority.NORMAL, 500, 1),
        (Priority.HIGH, 500, 201),
        (Priority.LOW, 0, -100),
    ],
)
def test_a_run_is_the_nearer_the_fewer_its_user_has(
    priority: Priority, runs: int, number: int
) -> None:
    """A backfill has 0: it stands behind every run of normal priority."""
    going = [run(str(each), job=None) for each in range(runs)]
    item = job_item("x", user="a", priority=priority)

    assert Priorities.of(going).next(item) == number
    assert Priorities.of(going).next(job_item("x", user="b", priority=priority)) in {
        100,
        300,
        -100,
    }


def test_runs_of_a_job_never_overtake_one_another() -> None:
    """The eight runs that stood before an older one may be through by now."""
    older = run("first", priority=92)
    priorities = Priorities.of([older])

    numbers = [
        priorities.next(job_item(str(n), job_id="a1", user="a")) for n in range(9)
    ]

    assert all(earlier >= later for earlier, later in pairwise([92, *numbers]))


# --- what is late

LATE = NOON + LATE_AFTER
LOW, HIGH = -100, 300


@pytest.mark.parametrize(
    ("runs", "minutes", "hastened"),
    [
        ([run("h", priority=HIGH), run("l", priority=LOW)], 0, "run-l"),
        ([run("h", priority=HIGH), run("l", priority=LOW)], -1, None),
        ([run("h", priority=201), run("n", priority=100)], 0, "run-n"),
        ([run("b", job=None), run("l", priority=LOW)], 0, "run-l"),
        ([run("h", priority=HIGH), run("b", job=None)], 0, None),
        ([run("b", job=None, priority=999), run("h", priority=HIGH)], 0, "run-h"),
        (
            [run("b", job=None, priority=MOST_BY_HAND), run("n", priority=100)],
            0,
            "run-n",
        ),
        ([run("m", priority=100), run("n", priority=1)], 0, None),
        ([run("l", priority=LOW)], 0, None),
        (
            [run("h", priority=HIGH), run("k", priority=-101), run("l", priority=LOW)],
            0,
            "run-l",
        ),
        (
            [
                run("h", priority=HIGH),
                run("l", priority=LOW),
                run("x", priority=HASTENED, state=JobState.IN_PROGRESS),
            ],
            0,
            None,
        ),
        (
            [
                run("h", priority=HIGH, state=JobState.IN_PROGRESS),
                run("l", priority=LOW),
            ],
            0,
            None,
        ),
    ],
    ids=[
        "overtaken for long",
        "not long enough",
        "normal behind high",
        "low behind a backfill",
        "a backfill stays behind",
        "high behind a launch with a number of its own",
        "normal behind such a launch",
        "equals take turns",
        "nothing comes before it",
        "the oldest first",
        "one at a time",
        "nothing urgent waits",
    ],
)
def test_of_the_runs_in_the_queue_one_that_is_late_goes_before_all(
    runs: list[SeenRun], minutes: int, hastened: str | None
) -> None:
    """They are told as Dagster tells them, the newest first."""
    told = overtaken(runs, at=LATE + timedelta(minutes=minutes))

    assert told.hasten == ((hastened,) if hastened else ())


def test_an_item_that_is_late_comes_first_and_only_one() -> None:
    every = [
        *waiting("a1", 3, priority=Priority.LOW),
        *waiting("b1", 3, priority=Priority.HIGH),
        *waiting("c1", 3),
    ]
    late = overtaken([], candidates=every, at=LATE)

    told = choose(every, room=3, busy=(), late=late)

    assert [(each.slug, each.is_late) for each in told] == [
        ("a1-0", True),
        ("b1-0", False),
        ("b1-1", False),
    ]
    for none in (
        Overtaken(before=NOON, queued=frozenset({"a1", "c1"})),
        overtaken([], candidates=every, at=LATE - timedelta(seconds=1)),
        overtaken([run("x", priority=HASTENED)], candidates=every, at=LATE),
    ):
        told = choose(every, room=3, busy=(), late=none)
        assert [each.slug for each in told] == ["b1-0", "b1-1", "b1-2"]


@given(_JOBS, st.integers(1, 4), st.lists(st.sampled_from(Priority), min_size=5))
def test_nobody_waits_for_ever_whatever_comes_with_a_higher_priority(
    jobs: dict[str, int], slots: int, priorities: list[Priority]
) -> None:
    """Each turn a new urgent house is there; runs of one job keep their order."""
    every = [
        each
        for (job, count), priority in zip(jobs.items(), priorities, strict=False)
        for each in waiting(job, count, priority=priority)
    ]
    left, begun, at = list(every), [], LATE
    for turn in range(2 * len(every) + 1):
        urgent = waiting(f"z{turn}", slots, user="z", priority=Priority.HIGH)
        late = overtaken([], candidates=[*left, *urgent], at=at)
        told = choose([*left, *urgent], room=slots, busy=(), late=late)
        assert sum(each.is_late for each in told) <= 1
        begun += [each.slug for each in told]
        left = [each for each in left if each.slug not in begun]

    assert left == []
    for job, count in jobs.items():
        mine = [slug for slug in begun if slug.startswith(f"{job}-")]
        assert mine == [f"{job}-{number}" for number in range(count)]
