"""Which waiting items are done, and which are due."""

from hypothesis import given
from hypothesis import strategies as st

from phx_pipeline.defs.sensors.dispatcher import split
from phx_pipeline.model.job import JobItem
from phx_pipeline_tests.jobs import job_item


def item(slug: str, *, job: str = "j1", attempt: int = 1) -> JobItem:
    return job_item(slug, job_id=job, attempt=attempt)


def test_an_item_whose_run_exists_is_done_and_the_others_are_due() -> None:
    waiting = [item("a"), item("b"), item("c")]

    done, due = split(waiting, launched={"j1:1:b"})

    assert done == [item("b")]
    assert due == [item("a"), item("c")]


def test_another_job_or_attempt_is_another_run() -> None:
    waiting = [item("a"), item("a", job="j2"), item("a", attempt=2)]

    done, due = split(waiting, launched={"j1:1:a"})

    assert done == [item("a")]
    assert [it.run_key for it in due] == ["j2:1:a", "j1:2:a"]


def test_a_run_nobody_waits_for_is_nothing() -> None:
    assert split([], launched={"j1:1:a"}) == ([], [])


_ITEMS = st.lists(st.sampled_from("abcdef").map(item), unique=True)


@given(_ITEMS, st.sets(st.sampled_from("abcdef").map(lambda slug: f"j1:1:{slug}")))
def test_every_item_is_either_done_or_due_in_its_order(
    waiting: list[JobItem], launched: set[str]
) -> None:
    done, due = split(waiting, launched=launched)

    assert [it for it in waiting if it in done] == done
    assert [it for it in waiting if it in due] == due
    assert len(done) + len(due) == len(waiting)
    assert {it.run_key for it in done} == launched & {it.run_key for it in waiting}
