"""Whose runs are, and which of them Dagster's queue takes first."""

import dagster as dg
import pytest

from phx_pipeline.defs.fair_queue import FairQueue
from phx_pipeline.defs.lineage import Lineage, in_order

_OURS = {"phx/job": "5f0c"}
_MARKED = {"phx/user": "ana", ".dagster/phx_launch": "1"}


def run(
    name: str, tags: dict[str, str] | None = None, *, parent: str | None = None
) -> dg.DagsterRun:
    return dg.DagsterRun(
        job_name="extract_property",
        run_id=name,
        tags=tags or {},
        root_run_id=parent,
        parent_run_id=parent,
    )


def numbered(name: str, number: str, **more: str) -> dg.DagsterRun:
    return run(name, {"dagster/priority": number, **more})


def test_no_number_that_a_launch_was_given_outranks_urgent_jobs() -> None:
    again = run("again", {**_OURS, "dagster/priority": "400"}, parent="late")
    queue = [
        numbered("launched", "999"),
        again,
        numbered("low", "-100", **_OURS),
        run("plain"),
        numbered("odd", "9" * 5_000),
        numbered("normal", "100", **_OURS),
        numbered("high", "300", **_OURS),
        numbered("late", "400", **_OURS),
    ]

    told = [one.run_id for one in in_order(queue)]

    first = ["late", "high", "launched", "again", "normal"]
    assert told == [*first, "plain", "odd", "low"]
    sort = FairQueue(interval_seconds=1)._priority_sort
    assert [one.run_id for one in sort(queue)] == told


@pytest.mark.parametrize(
    ("tags", "before", "user"),
    [
        (_MARKED, None, "ana"),
        ({"phx/user": "ana"}, None, None),
        (_MARKED, _MARKED, None),
        (_MARKED, {**_MARKED, ".dagster/phx_launch": "0"}, "ana"),
    ],
    ids=["deleted", "deleted and not marked", "copied", "launched anew"],
)
def test_who_executed_again_what_is_there_no_more_is_known_by_our_mark(
    tags: dict[str, str], before: dict[str, str] | None, user: str | None
) -> None:
    again = run("again", tags, parent="first")
    known = {"again": again} | ({"first": run("first", before)} if before else {})

    assert Lineage(known).user_of(again) == user
