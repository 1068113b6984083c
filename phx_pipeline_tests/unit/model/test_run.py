"""What a run did, told by the photos at its start and at its end."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phx_pipeline.model.job import JobCounts, JobItem, JobProperty, JobState, Mode
from phx_pipeline.model.outcome import ListingOutcome, Verdict, VerdictKind
from phx_pipeline.model.run import (
    Answer,
    Change,
    PhotoState,
    Run,
    RunOutcome,
    RunRecord,
    RunResult,
    SourceResult,
    compare,
    job_property,
    runs_of,
)
from phx_pipeline.model.source import Source
from phx_pipeline_tests.jobs import job_item

AT = datetime(2025, 3, 10, 5, 30, tzinfo=UTC)
RUN = "run-2"

KEPT = PhotoState(
    source=Source.REDFIN,
    photo_key="a",
    verdict=Verdict.KEPT,
    present=True,
    sha256="1",
    url="https://photos.example/a.jpg",
    image_id="image-1",
    run_id="run-1",
)
WAITING = replace(KEPT, verdict=Verdict.PENDING, sha256=None, image_id=None)


def answer(
    outcome: ListingOutcome = ListingOutcome.LISTED,
    *,
    source: Source = Source.REDFIN,
    after_s: float = 1.0,
    run_id: str = RUN,
) -> Answer:
    at = AT + timedelta(seconds=after_s)
    return Answer(
        source=source, outcome=outcome, detail="told", checked_at=at, run_id=run_id
    )


def did(
    before: Sequence[PhotoState],
    now: Sequence[PhotoState],
    *answers: Answer,
) -> RunResult:
    return compare(before, now, answers=answers, run_id=RUN, started_at=AT)


def changes(result: RunResult) -> dict[Change, int]:
    return {change: n for change in Change if (n := result.count(change))}


@pytest.mark.parametrize(
    ("before", "now", "change"),
    [
        ([], KEPT, Change.NEW),
        ([WAITING], KEPT, Change.NEW),
        ([replace(WAITING, sha256="1")], KEPT, Change.NEW),
        ([replace(WAITING, verdict=Verdict.TIMEOUT)], KEPT, Change.NEW),
        ([replace(KEPT, verdict=Verdict.FOREIGN)], KEPT, Change.NEW),
        ([KEPT], KEPT, Change.UNCHANGED),
        ([KEPT], replace(KEPT, verdict=Verdict.DUPLICATE), Change.UNCHANGED),
        ([replace(KEPT, verdict=Verdict.DUPLICATE)], KEPT, Change.UNCHANGED),
        ([KEPT], replace(KEPT, sha256="2"), Change.CONTENT_CHANGED),
        ([KEPT], replace(KEPT, verdict=Verdict.FOREIGN), Change.REJECTED),
        ([], replace(KEPT, verdict=Verdict.DUPLICATE), Change.DUPLICATE),
        ([], replace(WAITING, verdict=Verdict.TOO_SMALL), Change.REJECTED),
        ([], replace(WAITING, verdict=Verdict.GONE), Change.FAILED),
        ([], WAITING, Change.PENDING),
        ([WAITING], WAITING, Change.PENDING),
    ],
)
def test_a_photo_the_run_saw_falls_into_one_bin(
    before: list[PhotoState], now: PhotoState, change: Change
) -> None:
    result = did(before, [now], answer())

    assert changes(result) == {change: 1}


def test_a_download_that_failed_again_counts_only_in_the_run_that_tried() -> None:
    failed = replace(WAITING, verdict=Verdict.TIMEOUT)

    tried = did([failed], [replace(failed, run_id=RUN)], answer())
    seen_only = did([failed], [failed], answer())

    assert changes(tried) == {Change.FAILED: 1}
    assert changes(seen_only) == {Change.UNCHANGED: 1}


@pytest.mark.parametrize(
    "answers",
    [
        (),
        (answer(ListingOutcome.BLOCKED),),
        (answer(run_id="run-1"),),
        (answer(after_s=-1.0),),
        (answer(source=Source.ZILLOW),),
    ],
    ids=["not asked", "blocked", "asked by another", "asked before", "another source"],
)
def test_a_run_that_saw_no_gallery_discovers_nothing_and_removes_nothing(
    answers: tuple[Answer, ...],
) -> None:
    result = did([KEPT, replace(WAITING, photo_key="b")], [KEPT], *answers)

    assert (result.discovered, result.removed) == (0, 0)
    assert changes(result) == {}


def test_a_photo_no_longer_in_its_gallery_is_removed_and_not_discovered() -> None:
    gone = replace(KEPT, present=False)

    result = did([KEPT], [gone], answer())
    later = did([gone], [gone], answer())

    assert result.removed_urls == (KEPT.url,)
    assert (result.discovered, result.removed) == (0, 1)
    assert (later.discovered, later.removed) == (0, 0)


def test_a_source_that_refused_is_an_error_of_its_own() -> None:
    refused = answer(ListingOutcome.BLOCKED, source=Source.ZILLOW, after_s=2)

    result = did([KEPT], [KEPT], answer(), refused)

    assert result.error_messages == ("zillow: blocked: told",)
    outcomes = {it.source: it.outcome for it in result.sources}
    assert outcomes == {
        Source.ZILLOW: ListingOutcome.BLOCKED,
        Source.REDFIN: ListingOutcome.LISTED,
    }


def test_each_source_took_the_time_since_the_one_before_it() -> None:
    result = did([], [], answer(after_s=1.5), answer(source=Source.ZILLOW, after_s=4.0))

    seconds = {it.source: it.seconds for it in result.sources}
    assert seconds == {Source.REDFIN: 1.5, Source.ZILLOW: 2.5}


def test_new_pictures_and_failed_photos_are_named() -> None:
    failed = replace(
        WAITING, photo_key="b", verdict=Verdict.GONE, url="https://x/b", detail="404"
    )

    result = did([], [KEPT, failed], answer())

    assert result.new_image_ids == ("image-1",)
    assert result.error_messages == ("redfin: failed:gone: https://x/b: 404",)


_photos = st.builds(
    PhotoState,
    source=st.sampled_from([Source.REDFIN, Source.ZILLOW]),
    photo_key=st.sampled_from("abcd"),
    verdict=st.sampled_from(Verdict),
    present=st.booleans(),
    sha256=st.sampled_from([None, "1", "2"]),
    run_id=st.sampled_from(["run-1", RUN]),
)
_galleries = st.lists(_photos, unique_by=lambda photo: photo.key)
_shown = {VerdictKind.KEPT, VerdictKind.DUPLICATE}


@given(_galleries, _galleries)
def test_new_is_each_kept_photo_that_was_not_shown_before(
    before: list[PhotoState], now: list[PhotoState]
) -> None:
    now = [replace(p, image_id=f"{p.source.value}/{p.photo_key}") for p in now]
    shown = {photo.key for photo in before if photo.verdict.kind in _shown}

    result = did(before, now, answer())

    assert set(result.new_image_ids) == {
        photo.image_id
        for photo in now
        if photo.verdict is Verdict.KEPT and photo.key not in shown
    }


@given(_galleries, _galleries)
def test_the_bins_of_a_seen_gallery_hold_each_of_its_photos_once(
    before: list[PhotoState], now: list[PhotoState]
) -> None:
    answers = (answer(), answer(source=Source.ZILLOW))

    result = did(before, now, *answers)

    in_gallery = Counter(photo.source for photo in now if photo.present)
    for source in result.sources:
        assert source.discovered >= in_gallery[source.source]
        assert source.discovered <= sum(p.source is source.source for p in now)


# --- runs and jobs --------------------------------------------------------------------


def record(**changes: object) -> RunRecord:
    given: dict[str, object] = {
        "run_id": RUN,
        "slug": "a",
        "address": "A",
        "folder": "686067a4",
        "job_id": None,
        "mode": Mode.FRESH,
        "started_at": AT,
        "ended_at": AT + timedelta(seconds=90),
        "outcome": RunOutcome.COMPLETE,
    }
    return RunRecord(**(given | changes))  # type: ignore[arg-type]  # named by each test


@pytest.mark.parametrize(
    ("outcomes", "whole"),
    [
        ("complete complete", "complete"),
        ("complete nothing", "partial"),
        ("nothing nothing", "nothing"),
        ("complete running", "running"),
        ("complete interrupted", "interrupted"),
        ("failed cancelled", "cancelled"),
    ],
)
def test_a_run_over_several_properties_has_one_outcome(
    outcomes: str, whole: str
) -> None:
    records = tuple(record(outcome=RunOutcome(word)) for word in outcomes.split())

    assert Run(run_id=RUN, records=records).outcome is RunOutcome(whole)


def test_a_run_ends_with_its_last_property_if_all_have_ended() -> None:
    first, last = record(), record(slug="b", ended_at=AT + timedelta(seconds=200))

    ended = Run(run_id=RUN, records=(first, last))
    killed = Run(run_id=RUN, records=(first, replace(last, ended_at=None)))

    assert (ended.ended_at, ended.duration_s) == (last.ended_at, 200.0)
    assert (killed.ended_at, killed.duration_s) == (None, None)


def test_records_are_grouped_by_run_in_the_order_of_their_start() -> None:
    later = AT + timedelta(seconds=1)
    records = [
        record(run_id="z"),
        record(run_id="a", started_at=later),
        record(run_id="z", slug="b", started_at=later + timedelta(seconds=1)),
    ]

    runs = runs_of(reversed(records))

    assert [(run.run_id, len(run.records)) for run in runs] == [("z", 2), ("a", 1)]


@pytest.mark.parametrize(
    ("outcome", "state"),
    [
        (RunOutcome.RUNNING, JobState.IN_PROGRESS),
        (RunOutcome.COMPLETE, JobState.COMPLETED),
        (RunOutcome.PARTIAL, JobState.PARTIAL),
        (RunOutcome.NOTHING, JobState.FAILED),
        (RunOutcome.FAILED, JobState.RETRYING),
        (RunOutcome.INTERRUPTED, JobState.RETRYING),
        (RunOutcome.CANCELLED, JobState.RETRYING),
    ],
)
def test_the_newest_run_tells_the_state_of_a_property_until_its_end_is_booked(
    outcome: RunOutcome, state: JobState
) -> None:
    asked = job_item(requested_at=AT)
    runs = (record(outcome=RunOutcome.INTERRUPTED), record(outcome=outcome))

    shown = shown_of(asked, *runs)
    booked = shown_of(replace(asked, state=JobState.FAILED, error="why"), *runs)

    assert (shown.state, shown.ended_at is not None) == (state, state.is_final)
    assert (booked.state, booked.error) == (JobState.FAILED, "why")


def test_an_end_that_a_run_recorded_is_shown_as_the_end_where_it_cannot_change() -> (
    None
):
    asked = job_item(requested_at=AT)
    called_off = replace(asked, cancelled_at=AT)
    told_to_end = record(outcome=RunOutcome.CANCELLED, error="told to end")
    unpublished = record(outcome=RunOutcome.PARTIAL, error="ended before publishing")
    published, again = record(), record(run_id="again", outcome=RunOutcome.RUNNING)

    assert shown_of(called_off, told_to_end).state is JobState.CANCELLED
    assert shown_of(asked, unpublished).state is JobState.RETRYING
    assert shown_of(asked, published, again).state is JobState.COMPLETED
    assert shown_of(asked, unpublished, again).state is JobState.IN_PROGRESS


def test_a_property_whose_sources_are_all_off_failed_and_tells_which_to_enable() -> (
    None
):
    off = ListingOutcome.DISABLED
    source = SourceResult(source=Source.REDFIN, outcome=off, detail="it is off")
    result = RunResult(sources=(source,))

    shown = shown_of(
        job_item(requested_at=AT), record(outcome=RunOutcome.NOTHING, result=result)
    )

    assert (shown.state, shown.error) == (JobState.FAILED, "redfin: it is off")


def test_what_was_called_off_before_its_run_began_is_not_told_to_begin_later() -> None:
    began = AT + timedelta(seconds=1)
    asked = job_item(requested_at=AT)
    gone = replace(asked, state=JobState.CANCELLED, ended_at=AT, cancelled_at=AT)

    shown = shown_of(gone, record(outcome=RunOutcome.CANCELLED, started_at=began))

    assert (shown.started_at, shown.ended_at) == (None, AT)


def shown_of(item: JobItem, *records: RunRecord) -> JobProperty:
    return job_property(item, address="A", folder="686067a4", records=records)


def test_a_second_attempt_that_asked_one_source_keeps_the_photos_of_others() -> None:
    def asked(source: Source, **counts: int) -> RunRecord:
        found = {Change(name): count for name, count in counts.items()}
        result = RunResult(sources=(SourceResult(source=source, counts=found),))
        return record(result=result)

    first = asked(Source.ZILLOW, new=30, duplicate=10)
    again = (asked(Source.REDFIN, new=20), asked(Source.REDFIN, new=5, failed=1))

    counts = shown_of(job_item(requested_at=AT), first, *again).counts

    assert counts == JobCounts(total=60, new=55, duplicate=10)


def test_what_was_between_two_runs_is_no_work_and_no_reason_of_a_cancel() -> None:
    day, minute = timedelta(days=1), timedelta(minutes=1)
    failed = record(outcome=RunOutcome.FAILED, error="no network")
    last = {"started_at": AT + day, "ended_at": AT + day + minute, "error": ""}
    again = record(outcome=RunOutcome.COMPLETE, **last)
    asked = job_item(requested_at=AT)

    shown = shown_of(asked, failed, again)
    cancelled = shown_of(replace(asked, state=JobState.CANCELLED), failed)

    assert (shown.started_at, shown.took_s) == (AT, 60.0)
    assert (cancelled.state, cancelled.error) == (JobState.CANCELLED, "")


def test_without_a_run_of_this_attempt_a_property_waits() -> None:
    """Here, or in Dagster's queue once a run was seen."""
    later = AT + timedelta(hours=1)
    again = job_item(attempt=2, requested_at=later)
    before = record(outcome=RunOutcome.FAILED)

    waiting = shown_of(again, before)
    queued = shown_of(replace(again, dispatched_at=later), before)
    seen = shown_of(replace(again, dispatched_at=later, run_id=before.run_id), before)

    assert (waiting.state, queued.state) == (JobState.PENDING, JobState.QUEUED)
    assert (waiting.started_at, waiting.ended_at) == (AT, None)
    assert seen.state is JobState.RETRYING  # by another clock than that of who asked


def test_what_begins_behind_a_cancel_that_was_booked_is_no_begin_of_the_job() -> None:
    later = AT + timedelta(seconds=3)
    cancelled = job_item(requested_at=AT, state=JobState.CANCELLED, ended_at=AT)

    assert shown_of(cancelled, record(started_at=later)).started_at is None
    assert shown_of(cancelled, record(), record(started_at=later)).started_at == AT


def test_what_a_run_did_for_others_after_a_cancel_is_not_counted() -> None:
    found = RunResult(
        sources=(SourceResult(source=Source.REDFIN, counts={Change.NEW: 9}),)
    )
    before = record(result=found, ended_at=AT)
    after = record(result=found, ended_at=AT + timedelta(minutes=1))
    asked = job_item(requested_at=AT)
    cancelled = replace(asked, state=JobState.CANCELLED, ended_at=AT)

    assert shown_of(cancelled, before, after).counts.total == 9
    assert shown_of(cancelled, before, after).counts.new == 9
    assert shown_of(asked, before, after).counts.new == 18
