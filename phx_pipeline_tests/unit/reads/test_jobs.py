"""Pages of jobs: by user and by what has become of them, whatever is read at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from phx_pipeline.errors import InputError
from phx_pipeline.model.job import Job, JobProperty, JobState, Mode
from phx_pipeline.reads import jobs
from phx_pipeline.reads.jobs import Place, read_job, read_jobs
from phx_pipeline.reads.paging import cursor_of

AT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
FAILED = JobState.FAILED


def a_job(number: int) -> Job:
    """Every third one failed; two at a time are of one moment."""
    state = JobState.COMPLETED if number % 3 else FAILED
    return Job(
        job_id=f"job-{number:02}",
        user="ann" if number % 2 else "ben",
        mode=Mode.FRESH,
        created_at=AT + timedelta(seconds=number // 2),
        items=(JobProperty(slug="a", address="A", folder="f", state=state),),
    )


@dataclass(frozen=True, slots=True)
class Shelf:
    """Thirty jobs in memory; never more than four are handed out together."""

    rows: tuple[Job, ...] = tuple(map(a_job, reversed(range(30))))

    def job(self, job_id: str) -> Job | None:
        return next((it for it in self.rows if it.job_id == job_id), None)

    def newest(
        self, *, limit: int, user: str | None = None, before: Place | None = None
    ) -> Sequence[Job]:
        found = [
            job
            for job in self.rows
            if user in {None, job.user}
            and (before is None or (job.created_at, job.job_id) < before)
        ]
        return found[: min(limit, 4)]


def numbers(
    limit: int, *, user: str | None = None, states: Sequence[JobState] = ()
) -> list[list[int]]:
    """The numbers of the jobs on each page, until there is no next one."""
    cursor, pages = None, []
    while True:
        page = read_jobs(Shelf(), user=user, states=states, limit=limit, cursor=cursor)
        pages.append([int(job.job_id.removeprefix("job-")) for job in page.rows])
        cursor = page.next
        if cursor is None:
            return pages


@pytest.mark.parametrize("limit", [1, 7, 10, 500])
def test_pages_are_together_all_jobs_the_newest_first(limit: int) -> None:
    found = numbers(limit)

    assert [it for page in found for it in page] == list(reversed(range(30)))
    assert {len(page) for page in found[:-1]} <= {limit}
    assert found[-1]


def test_only_the_jobs_of_a_user_and_in_a_state_are_there() -> None:
    assert numbers(4, states=[FAILED]) == [[27, 24, 21, 18], [15, 12, 9, 6], [3, 0]]
    assert numbers(9, states=[FAILED], user="ben") == [[24, 18, 12, 6, 0]]
    assert numbers(9, states=[JobState.PENDING]) == [[]]


def test_a_page_of_few_jobs_among_many_ends_early_and_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(jobs, "_MOST_READS", 2)

    found = numbers(4, states=[FAILED])

    assert len(found) > 3
    assert [it for page in found for it in page] == [27, 24, 21, 18, 15, 12, 9, 6, 3, 0]


def test_a_job_of_another_user_is_as_unknown_as_one_that_never_was() -> None:
    whole = Shelf()

    assert read_job(whole, "job-04", user="ben") == a_job(4)
    for user, job_id in (("ann", "job-04"), (None, "job-99")):
        with pytest.raises(InputError, match=f"unknown job '{job_id}'"):
            read_job(whole, job_id, user=user)


@pytest.mark.parametrize("place", [["x", "job"], ["2026-03-01T12:00:00", "job"], ["x"]])
def test_a_cursor_without_a_time_and_its_zone_is_refused(place: list[str]) -> None:
    with pytest.raises(InputError, match="is none that a page ended with"):
        read_jobs(Shelf(), cursor=cursor_of(place))
