"""When a photo or a source is due."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from phx_pipeline.model.due import (
    faults_after,
    is_photo_asked,
    is_photo_due,
    is_source_due,
    next_day,
)
from phx_pipeline.model.job import Mode
from phx_pipeline.model.outcome import ListingOutcome, Verdict
from phx_pipeline.model.photo import Photo, PhotoRef
from phx_pipeline.model.source import Source
from phx_pipeline.model.tally import SourceTally

TODAY = date(2025, 3, 9)
OLDEST = datetime(2025, 3, 2, 5, 30, tzinfo=UTC)
NOW = OLDEST + timedelta(days=7)
URL, LARGER = "https://photos.example/a.jpg", "https://photos.example/a-large.jpg"
NO_PICTURE = [verdict for verdict in Verdict if verdict.gave_no_picture]
PASSING = [verdict for verdict in Verdict if verdict.is_passing]
WITHDRAWN = Verdict.WITHDRAWN
SHOWN = [Verdict.KEPT, Verdict.DUPLICATE]
SHA = "0" * 64
ASKED = Photo(
    property_slug="house",
    ref=PhotoRef(source=Source.REDFIN, photo_key="a", url=URL, position=0),
    listed_on=None,
    first_seen_on=TODAY,
    present=True,
    verdict=Verdict.PENDING,
    asked_url=URL,
)
KEPT = replace(ASKED, verdict=Verdict.KEPT, sha256=SHA)


def offered_larger(photo: Photo) -> Photo:
    return replace(photo, ref=replace(photo.ref, url=LARGER))


@pytest.mark.parametrize("verdict", [it for it in Verdict if it is not WITHDRAWN])
def test_a_variant_never_asked_for_is_due(verdict: Verdict) -> None:
    never = replace(ASKED, verdict=verdict, asked_url=None)
    final = replace(ASKED, verdict=verdict, fault_days=30)

    assert is_photo_due(never, final_after_days=3)
    assert is_photo_due(offered_larger(final), final_after_days=3)


@pytest.mark.parametrize("verdict", PASSING)
def test_a_failure_that_passes_is_due_however_often(verdict: Verdict) -> None:
    failed = replace(ASKED, verdict=verdict, fault_days=30)

    assert is_photo_due(failed, final_after_days=1)


def test_a_photo_without_bytes_or_judgement_is_due() -> None:
    assert is_photo_due(ASKED, final_after_days=1)
    assert not is_photo_due(replace(ASKED, sha256=SHA), final_after_days=1)


@pytest.mark.parametrize("verdict", NO_PICTURE)
@pytest.mark.parametrize("final_after_days", [1, 3, 30])
def test_what_gave_no_picture_is_due_until_enough_days(
    verdict: Verdict, final_after_days: int
) -> None:
    days = range(31)
    failed = [replace(ASKED, verdict=verdict, fault_days=number) for number in days]

    due = [is_photo_due(photo, final_after_days=final_after_days) for photo in failed]

    assert due == [number < final_after_days for number in days]


@pytest.mark.parametrize("verdict", SHOWN)
def test_a_failed_upgrade_is_due_until_enough_days(verdict: Verdict) -> None:
    shown = replace(KEPT, verdict=verdict)

    due = [
        is_photo_due(replace(shown, fault_days=days), final_after_days=3)
        for days in range(5)
    ]

    assert due == [False, True, True, False, False]


def test_a_card_that_came_as_bytes_is_not_due() -> None:
    card = replace(KEPT, verdict=Verdict.PLACEHOLDER)

    assert not is_photo_due(card, final_after_days=30)
    assert is_photo_due(offered_larger(card), final_after_days=1)


@pytest.mark.parametrize("days", [0, 1, 2])
def test_a_held_photo_and_one_of_another_host_are_not_due(days: int) -> None:
    held = replace(ASKED, verdict=Verdict.FOREIGN, fault_days=days)
    refused = replace(ASKED, verdict=Verdict.REFUSED)

    assert not is_photo_due(held, final_after_days=3)
    assert not is_photo_due(refused, final_after_days=3)


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("asked_url", [None, URL, LARGER])
def test_a_photo_without_its_licence_is_asked_for_by_no_run(
    asked_url: str | None, mode: Mode
) -> None:
    gone = replace(ASKED, verdict=WITHDRAWN, asked_url=asked_url, run_id="run-1")

    assert not is_photo_due(gone, final_after_days=30)
    assert not asks_again(gone, mode)


def asks_again(photo: Photo, mode: Mode) -> bool:
    return is_photo_asked(photo, mode=mode, run_id="run-2", final_after_days=3)


@pytest.mark.parametrize("verdict", [*NO_PICTURE, Verdict.REFUSED])
def test_a_fresh_run_asks_for_what_is_final_but_once(verdict: Verdict) -> None:
    final = replace(ASKED, verdict=verdict, fault_days=3, run_id="run-1")

    assert asks_again(final, Mode.FRESH)
    assert not asks_again(final, Mode.RESUME)
    assert not asks_again(replace(final, run_id="run-2"), Mode.FRESH)


@pytest.mark.parametrize("mode", Mode)
def test_no_run_asks_for_held_bytes_or_photos_of_another_house(mode: Mode) -> None:
    assert not asks_again(replace(KEPT, run_id="run-1"), mode)
    assert not asks_again(replace(ASKED, verdict=Verdict.FOREIGN), mode)
    assert asks_again(ASKED, mode)
    assert asks_again(offered_larger(KEPT), mode)


@pytest.mark.parametrize("verdict", NO_PICTURE)
def test_a_day_is_counted_once(verdict: Verdict) -> None:
    failed = replace(ASKED, fault_days=1, faulted_on=TODAY)
    tomorrow = TODAY + timedelta(days=1)

    assert faults_after(ASKED, verdict, today=TODAY) == (1, TODAY)
    assert faults_after(failed, verdict, today=TODAY) == (1, TODAY)
    assert faults_after(failed, verdict, today=tomorrow) == (2, tomorrow)
    # A store of an older version knows no day.
    unknown = replace(failed, faulted_on=None)
    assert faults_after(unknown, verdict, today=TODAY) == (2, TODAY)


def test_no_more_days_are_counted_than_may_be_asked_for() -> None:
    failed = replace(ASKED, fault_days=30, faulted_on=TODAY)
    tomorrow = TODAY + timedelta(days=1)

    assert faults_after(failed, Verdict.GONE, today=tomorrow) == (30, tomorrow)


@pytest.mark.parametrize("verdict", PASSING)
def test_a_failure_that_passes_is_not_counted(verdict: Verdict) -> None:
    failed = replace(ASKED, fault_days=2, faulted_on=date(2025, 3, 1))

    assert faults_after(failed, verdict, today=TODAY) == (2, date(2025, 3, 1))


def test_a_refusal_of_our_own_ends_counting_and_a_held_photo_is_not_counted() -> None:
    failed = replace(ASKED, fault_days=2, faulted_on=date(2025, 3, 1))
    held = replace(ASKED, verdict=Verdict.FOREIGN)

    assert faults_after(failed, Verdict.REFUSED, today=TODAY) == (0, None)
    assert faults_after(held, Verdict.GONE, today=TODAY) == (0, None)


@pytest.mark.parametrize(
    ("faulted_on", "day"),
    [
        (None, TODAY),
        (date(2025, 3, 1), TODAY),
        (date(2025, 3, 8), TODAY),
        (TODAY, date(2025, 3, 10)),
        (date(2025, 4, 8), TODAY),
    ],
)
def test_the_next_day_is_the_first_that_counts(
    faulted_on: date | None, day: date
) -> None:
    assert next_day(faulted_on, today=TODAY) == day


def source(outcome: ListingOutcome | None, checked_at: datetime | None) -> SourceTally:
    return SourceTally(
        slug="house", source=Source.REDFIN, outcome=outcome, checked_at=checked_at
    )


def is_due(tally: SourceTally | None, *, is_off: bool = False) -> bool:
    return is_source_due(tally, oldest=OLDEST, now=NOW, is_off=is_off)


def test_a_source_never_asked_is_due() -> None:
    assert is_due(None)
    assert is_due(source(None, None))


@pytest.mark.parametrize("outcome", [it for it in ListingOutcome if it.is_final])
@pytest.mark.parametrize("is_off", [True, False])
def test_a_final_answer_counts_until_it_is_too_old(
    outcome: ListingOutcome, *, is_off: bool
) -> None:
    just_before = OLDEST - timedelta(microseconds=1)

    assert not is_due(source(outcome, OLDEST), is_off=is_off)
    assert is_due(source(outcome, just_before), is_off=is_off)
    assert is_due(source(outcome, None), is_off=is_off)
    a_clock_was_ahead = NOW + timedelta(hours=1)
    assert is_due(source(outcome, a_clock_was_ahead), is_off=is_off)


@pytest.mark.parametrize("outcome", [it for it in ListingOutcome if not it.is_settled])
def test_an_open_answer_is_due_at_once(outcome: ListingOutcome) -> None:
    assert is_due(source(outcome, OLDEST + timedelta(days=7)))


def test_a_source_that_was_switched_off_is_due_as_soon_as_it_is_on() -> None:
    disabled = source(ListingOutcome.DISABLED, OLDEST + timedelta(days=7))
    long_ago = source(ListingOutcome.DISABLED, OLDEST - timedelta(days=7))

    assert is_due(disabled)
    assert not is_due(disabled, is_off=True)
    assert not is_due(long_ago, is_off=True)


def test_a_source_that_lacks_something_is_due_when_that_is_there() -> None:
    fresh = source(ListingOutcome.DISABLED, OLDEST)
    stale = source(ListingOutcome.DISABLED, OLDEST - timedelta(seconds=1))

    def due(tally: SourceTally, *, is_lacking: bool, is_off: bool = False) -> bool:
        return is_source_due(
            tally, oldest=OLDEST, now=NOW, is_off=is_off, is_lacking=is_lacking
        )

    assert not due(fresh, is_lacking=True)
    assert due(stale, is_lacking=True)
    assert due(fresh, is_lacking=False)
    assert not due(stale, is_lacking=True, is_off=True)
