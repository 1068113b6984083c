"""What is left to do for a property."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from phx_pipeline.model.job import Mode
from phx_pipeline.model.outcome import ListingOutcome
from phx_pipeline.model.source import Source
from phx_pipeline.model.tally import PropertyTally, SourceTally
from phx_pipeline.stages.plan import has_work, sources_due

NOW = datetime(2025, 3, 10, 5, 30, tzinfo=UTC)
WEEK = timedelta(days=7)
BOTH = (Source.ZILLOW, Source.REDFIN)


def tally(*sources: SourceTally) -> PropertyTally:
    return PropertyTally(slug="house", sources=sources)


def answered(source: Source, outcome: ListingOutcome, *, at: datetime) -> SourceTally:
    return SourceTally(slug="house", source=source, outcome=outcome, checked_at=at)


def due(
    found: PropertyTally,
    *,
    mode: Mode = Mode.RESUME,
    stale_days: int = 7,
    off: tuple[Source, ...] = (),
) -> tuple[Source, ...]:
    return sources_due(
        found, among=BOTH, mode=mode, at=NOW, stale_days=stale_days, off=off
    )


LISTED = answered(Source.ZILLOW, ListingOutcome.LISTED, at=NOW)
BLOCKED = answered(Source.REDFIN, ListingOutcome.BLOCKED, at=NOW)


def test_only_what_is_open_is_asked() -> None:
    assert due(tally(LISTED, BLOCKED)) == (Source.REDFIN,)


def test_a_source_without_counts_is_asked() -> None:
    assert due(tally()) == BOTH
    assert due(tally(LISTED)) == (Source.REDFIN,)


def test_a_fresh_run_asks_all_and_only_those_it_may() -> None:
    assert due(tally(LISTED, BLOCKED), mode=Mode.FRESH, off=BOTH) == BOTH
    assert (
        sources_due(
            tally(), among=(), mode=Mode.FRESH, at=NOW, stale_days=7, off=frozenset()
        )
        == ()
    )


@pytest.mark.parametrize(
    ("age", "stale"),
    [
        (WEEK, False),
        (WEEK + timedelta(microseconds=1), True),
        (timedelta(0), False),
    ],
)
def test_a_final_answer_is_stale_after_its_days_and_not_before(
    age: timedelta, *, stale: bool
) -> None:
    found = tally(
        answered(Source.ZILLOW, ListingOutcome.LISTED, at=NOW - age),
        answered(Source.REDFIN, ListingOutcome.NOT_FOUND, at=NOW),
    )

    assert due(found) == ((Source.ZILLOW,) if stale else ())


def test_with_no_days_every_answer_but_one_of_this_moment_is_stale() -> None:
    before = NOW - timedelta(microseconds=1)
    found = tally(LISTED, answered(Source.REDFIN, ListingOutcome.LISTED, at=before))

    assert due(found, stale_days=0) == (Source.REDFIN,)


def test_a_source_that_was_off_is_asked_once_it_is_on() -> None:
    found = tally(LISTED, answered(Source.REDFIN, ListingOutcome.DISABLED, at=NOW))

    assert due(found, off=(Source.REDFIN,)) == ()
    assert due(found, off=(Source.ZILLOW,)) == (Source.REDFIN,)


def work(found: PropertyTally, *, off: tuple[Source, ...] = ()) -> bool:
    return has_work(found, due=(), off=off)


def test_a_run_has_work_while_a_source_is_due() -> None:
    assert has_work(tally(LISTED), due=(Source.REDFIN,), off=())
    assert not work(tally(LISTED))


def test_a_run_has_work_while_photos_wait_at_a_source_that_is_on() -> None:
    waiting = tally(replace(LISTED, wanting=1), BLOCKED)

    assert work(waiting)
    assert work(waiting, off=(Source.REDFIN,))
    assert not work(waiting, off=(Source.ZILLOW,))


def test_a_run_has_work_while_the_folder_shows_something_else() -> None:
    assert work(replace(tally(LISTED), is_published=False))
    assert work(replace(tally(LISTED), outdated=1))
