"""What becomes of an item, as its run tells it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from phx_pipeline.jobs.fates import Runs, fate_of, is_unwanted, reopened
from phx_pipeline.model.dispatch import AskAnew, Ended, Fate, Parted, Seen
from phx_pipeline.model.job import JobItem, JobState, adopted_id
from phx_pipeline.model.run import RunOutcome, RunRecord, reason_of
from phx_pipeline.model.run_queue import SeenRun
from phx_pipeline_tests.jobs import NOON, job_item
from phx_pipeline_tests.runs import RECORD

MINUTE = timedelta(minutes=1)
OWN = "its own words"
ASKED = job_item(asked_at=NOON)
SEEN = replace(ASKED, dispatched_at=NOON, run_id="run")


def run(state: JobState, **more: object) -> SeenRun:
    given = {
        "run_id": "run",
        "slug": "a",
        "job_id": "j",
        "attempt": 1,
        "state": state,
        "priority": 0,
        "created_at": NOON,
        "ended_at": NOON + MINUTE if state.is_final else None,
        "root_run_id": "run",
        "error": "Dagster's words",
    }
    return SeenRun(**(given | more))  # type: ignore[arg-type]  # named by each test


def fate(item: JobItem, *runs: SeenRun, record: RunRecord | None = None) -> Fate | None:
    records = {("run", "a"): record} if record else {}
    return fate_of(item, Runs(runs), records=records, at=NOON + 2 * MINUTE)


@pytest.mark.parametrize("state", [JobState.FAILED, JobState.CANCELLED])
@pytest.mark.parametrize(
    ("outcome", "booked"),
    [
        (RunOutcome.COMPLETE, JobState.COMPLETED),
        (RunOutcome.PARTIAL, JobState.PARTIAL),
    ],
)
def test_what_comes_behind_a_published_end_changes_nothing(
    state: JobState, outcome: RunOutcome, booked: JobState
) -> None:
    record = replace(RECORD, outcome=outcome, error="", ended_at=NOON + MINUTE / 2)

    told = fate(SEEN, run(state), record=record)

    assert isinstance(told, Ended)
    assert (told.state, told.ended_at, told.is_shown) == (booked, record.ended_at, True)
    assert told.error == reason_of(record, booked)


@pytest.mark.parametrize(
    ("state", "outcome", "booked", "error", "is_shown"),
    [
        (JobState.COMPLETED, RunOutcome.COMPLETE, JobState.COMPLETED, "", False),
        (JobState.COMPLETED, None, JobState.COMPLETED, "", False),
        (JobState.COMPLETED, RunOutcome.PARTIAL, JobState.PARTIAL, OWN, False),
        (JobState.COMPLETED, RunOutcome.NOTHING, JobState.FAILED, OWN, False),
        (JobState.FAILED, RunOutcome.FAILED, JobState.FAILED, OWN, False),
        (JobState.FAILED, RunOutcome.COMPLETE, JobState.FAILED, OWN, False),
        (JobState.FAILED, None, JobState.FAILED, "Dagster's words", False),
        (JobState.FAILED, RunOutcome.CANCELLED, JobState.FAILED, OWN, False),
        (JobState.CANCELLED, RunOutcome.FAILED, JobState.CANCELLED, "", False),
        (JobState.CANCELLED, RunOutcome.CANCELLED, JobState.CANCELLED, OWN, False),
    ],
)
def test_an_end_is_what_dagster_tells_and_the_run_recorded(
    state: JobState,
    outcome: RunOutcome | None,
    booked: JobState,
    error: str,
    *,
    is_shown: bool,
) -> None:
    """Of a run that was told to end, or failed, only Dagster tells the end."""
    recorded_at = NOON + MINUTE / 2
    record = outcome and replace(
        RECORD, outcome=outcome, error=OWN, ended_at=recorded_at
    )

    words = "Dagster's words" if state is JobState.FAILED else ""
    told = fate(SEEN, run(state, error=words), record=record or None)

    assert told == Ended(
        item=SEEN,
        state=booked,
        ended_at=recorded_at if is_shown else NOON + MINUTE,
        run_id="run",
        error=error,
        is_shown=is_shown,
    )


@pytest.mark.parametrize(
    "runs",
    [
        [run(JobState.RETRYING)],
        [run(JobState.FAILED), run(JobState.IN_PROGRESS, run_id="again")],
    ],
)
def test_what_repeats_a_run_that_came_to_its_end_opens_nothing(
    runs: list[SeenRun],
) -> None:
    """The service was stopped between the end and what Dagster tells of it."""
    record = replace(RECORD, outcome=RunOutcome.PARTIAL, ended_at=NOON, error="")
    runs[-1:] = [replace(runs[-1], created_at=NOON + MINUTE)]

    told = fate(SEEN, *runs, record=record)
    later = fate(replace(SHARER, requested_at=NOON + MINUTE), *runs, record=record)

    assert isinstance(told, Ended)
    assert (told.state, told.ended_at) == (JobState.PARTIAL, NOON)
    assert not isinstance(later, Ended)
    booked = replace(SEEN, state=told.state, ended_at=told.ended_at)
    assert reopened([booked], replace(runs[-1], state=JobState.QUEUED)) is None


@pytest.mark.parametrize(
    ("item", "runs", "told"),
    [
        (ASKED, [], None),
        (ASKED, [run(JobState.PENDING)], None),
        (ASKED, [run(JobState.QUEUED)], Seen(item=ASKED, run_id="run")),
        (SEEN, [run(JobState.IN_PROGRESS)], None),
        (SEEN, [run(JobState.RETRYING)], None),
        (SEEN, [], AskAnew(item=SEEN)),
    ],
    ids=["not there", "only created", "there", "at work", "to be repeated", "gone"],
)
def test_what_goes_on_is_noted_once_and_what_is_gone_is_asked_anew(
    item: JobItem, runs: list[SeenRun], told: Fate | None
) -> None:
    assert fate(item, *runs) == told


def test_the_newest_run_of_an_item_counts() -> None:
    again = run(JobState.QUEUED, run_id="again", created_at=NOON + MINUTE)

    assert fate(SEEN, again, run(JobState.FAILED)) == Seen(item=SEEN, run_id="again")


def test_a_run_that_ended_before_it_was_asked_for_serves_nobody() -> None:
    late = job_item(job_id="late", run_key=SEEN.run_key, requested_at=NOON + 2 * MINUTE)
    late = replace(late, dispatched_at=NOON)

    assert fate(late, run(JobState.FAILED)) == Parted(item=late)


def test_of_a_job_that_was_called_off_nothing_is_repeated() -> None:
    item = replace(SEEN, cancelled_at=NOON)

    for told in (fate(item, run(JobState.RETRYING)), fate(item)):
        assert isinstance(told, Ended)
        assert told.state is JobState.CANCELLED


def test_a_run_that_began_elsewhere_is_known_by_its_id_and_never_asked_anew() -> None:
    job_id = adopted_id(root_run_id="run", backfill_id=None)
    item = replace(job_item(job_id=job_id), dispatched_at=NOON, run_id="run")

    done = fate(item, run(JobState.COMPLETED, job_id=None))
    gone = fate(item)

    assert isinstance(done, Ended)
    assert isinstance(gone, Ended)
    assert (done.state, gone.state) == (JobState.COMPLETED, JobState.CANCELLED)
    assert gone.error == "Dagster does not know its run any more"


RENAMED = {"slug": "its-former-key"}


@pytest.mark.parametrize(
    ("state", "told"),
    [
        (JobState.FAILED, AskAnew(item=SEEN)),
        (JobState.RETRYING, AskAnew(item=SEEN)),
        (JobState.IN_PROGRESS, None),
        (JobState.CANCELLED, JobState.CANCELLED),
        (JobState.COMPLETED, JobState.COMPLETED),
    ],
)
def test_what_failed_under_a_former_key_is_asked_anew_under_the_new_one(
    state: JobState, told: Fate | JobState | None
) -> None:
    found = fate(SEEN, run(state, **RENAMED))

    assert (found.state if isinstance(found, Ended) else found) == told
    called_off = fate(replace(SEEN, cancelled_at=NOON), run(state, **RENAMED))
    assert not isinstance(called_off, AskAnew)


CALLED_OFF = replace(SEEN, state=JobState.CANCELLED, ended_at=NOON, cancelled_at=NOON)
BEING_ENDED = replace(SEEN, cancelled_at=NOON)
SHARER = replace(SEEN, job_id="other")


@pytest.mark.parametrize(
    ("items", "hours", "unwanted"),
    [
        ([], 0, False),
        ([SEEN], 0, False),
        ([CALLED_OFF], 0, True),
        ([CALLED_OFF], 23, True),
        ([CALLED_OFF], 25, False),
        ([BEING_ENDED], 0, True),
        ([CALLED_OFF, SHARER], 0, False),
        ([CALLED_OFF, replace(BEING_ENDED, job_id="other")], 0, True),
        ([replace(SEEN, state=JobState.COMPLETED, ended_at=NOON)], 0, False),
    ],
)
def test_a_run_is_unwanted_if_everybody_called_it_off(
    items: list[JobItem], hours: int, *, unwanted: bool
) -> None:
    """One that comes much later is of somebody who wants it."""
    late = run(JobState.QUEUED, created_at=NOON + hours * 60 * MINUTE)

    assert is_unwanted(items, late) is unwanted


def test_a_run_that_somebody_had_repeated_opens_its_item_again() -> None:
    ended = replace(SEEN, state=JobState.FAILED, ended_at=NOON + MINUTE)
    again = run(JobState.QUEUED, run_id="again", created_at=NOON + 3 * MINUTE)

    told = reopened([replace(ended, job_id="sharer"), ended], again)

    assert told is not None
    assert (told.item, told.run) == (ended, again)
    assert reopened([ended], run(JobState.IN_PROGRESS)) is None
    assert reopened([SEEN], again) is None
    assert reopened([ended], replace(again, state=JobState.PENDING)) is None
