"""Which runs may go, and how much a tick of the sensor takes."""

from collections.abc import Iterator
from itertools import count

import pytest

from phx_pipeline.defs.retention import EndedRun, Kept, Removed, may_go
from phx_pipeline.defs.sensors.history import describe, take

LIMIT = 1_000.0


@pytest.mark.parametrize(
    ("run", "goes"),
    [
        (EndedRun(run_id="old", ended_at=999.0), True),
        (EndedRun(run_id="young", ended_at=1_000.0), False),
        (EndedRun(run_id="newest", ended_at=1.0), False),
        (EndedRun(run_id="a", ended_at=1.0, backfill_id="open"), False),
        (EndedRun(run_id="b", ended_at=1.0, backfill_id="over"), True),
        (EndedRun(run_id="c", ended_at=1.0, job_id="waiting"), False),
        (EndedRun(run_id="d", ended_at=1.0, job_id="open"), True),
    ],
    ids=lambda value: value.run_id if isinstance(value, EndedRun) else "",
)
def test_a_run_goes_if_it_is_old_and_nothing_rests_on_it(
    run: EndedRun, *, goes: bool
) -> None:
    kept = Kept(
        runs=frozenset({"newest"}),
        backfills=frozenset({"open"}),
        jobs=frozenset({"waiting"}),
    )

    assert may_go(run, before=LIMIT, kept=kept) is goes


def test_a_run_of_no_backfill_and_no_job_is_not_kept_by_theirs() -> None:
    run = EndedRun(run_id="old", ended_at=1.0)

    assert may_go(run, before=LIMIT, kept=Kept())


def steps() -> Iterator[Removed]:
    """Twenty runs a step, without end."""
    return (Removed(what="run", count=20, after=f"run-{n}") for n in count(1))


def test_a_late_tick_leaves_off_and_tells_where_to_go_on() -> None:
    cursor, removed = take(steps(), is_late=lambda: True)

    assert (cursor, removed["run"]) == ("run-1", 20)


def test_a_tick_removes_five_hundred_runs_at_most() -> None:
    cursor, removed = take(steps(), is_late=lambda: False)

    assert (cursor, removed["run"]) == ("run-25", 500)


def test_when_all_was_looked_at_the_next_tick_begins_anew() -> None:
    few = [
        Removed(what="run", count=2, after="run-9"),
        Removed(what="row of attempt", count=0, after="run-9"),
    ]

    cursor, removed = take(few, is_late=lambda: False)

    assert cursor == ""
    assert describe(removed, days=30) == "older than 30 days: 2 runs removed"


def test_a_tick_without_anything_to_remove_says_so() -> None:
    assert describe({"run": 0}, days=7) == "older than 7 days: nothing removed"
