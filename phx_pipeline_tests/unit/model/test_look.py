"""What is due for a look, in which order, and when again: by tables and by examples."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phx_pipeline.model.look import (
    MOST_TRIES,
    PAUSES,
    Found,
    HouseLook,
    LookDay,
    SeenHouse,
    Terms,
    Tries,
    calls_run,
    cursor_of,
    is_fresh,
    may_begin,
    next_number,
    plan,
    run_key,
    when_again,
    why_not_on,
)
from phx_pipeline.model.outcome import ListingOutcome
from phx_pipeline.model.source import Source
from phx_pipeline.model.tally import SourceTally

DAY = date(2025, 3, 10)
MIDNIGHT = datetime(2025, 3, 10, 7, tzinfo=UTC)  # in Phoenix
SIX = MIDNIGHT + timedelta(hours=6)
HOUR = timedelta(hours=1)
AHEAD = SIX + timedelta(days=30)
BOTH = {Source.ZILLOW: 1, Source.REDFIN: 1}
LISTED = ListingOutcome.LISTED
BLOCKED = ListingOutcome.BLOCKED


def said(
    source: Source,
    outcome: ListingOutcome | None = LISTED,
    *,
    at: datetime | None = MIDNIGHT - HOUR,
) -> SourceTally:
    return SourceTally(slug="h", source=source, outcome=outcome, checked_at=at)


def house(
    slug: str = "h", *answers: SourceTally, last: Tries | None = None
) -> SeenHouse:
    return SeenHouse(slug=slug, answers={it.source: it for it in answers}, last=last)


def tried(
    found: Found, tries: int = 1, *, day: date = DAY, at: datetime = SIX
) -> Tries:
    return Tries(day=day, tries=tries, began_at=at, found=found)


def terms(every_days: Mapping[Source, int] = BOTH, **more: object) -> Terms:
    return replace(Terms(day=DAY, every_days=every_days), **more)  # type: ignore[arg-type]  # named by each test


YESTERDAY = (said(Source.ZILLOW), said(Source.REDFIN))
TODAY = tuple(said(source, at=MIDNIGHT) for source in BOTH)


@pytest.mark.parametrize(
    ("last", "again"),
    [
        (None, "at once"),
        (tried(Found.UNCHANGED), "at once"),
        (tried(Found.CHANGED, 2), "at once"),
        (tried(Found.OPEN), SIX + PAUSES[0]),
        (tried(Found.FAILED, 2), SIX + PAUSES[1]),
        (tried(Found.UNDER_WAY), SIX + PAUSES[0]),
        (tried(Found.OPEN, 3), None),
        (tried(Found.UNCHANGED, 3), None),
        (tried(Found.OPEN, 3, day=DAY - timedelta(days=1)), SIX + PAUSES[2]),
        (replace(tried(Found.OPEN, 3, day=AHEAD.date()), began_at=AHEAD), "at once"),
    ],
)
def test_after_a_failure_come_growing_pauses(
    last: Tries | None, again: datetime | str | None
) -> None:
    found = when_again(last, day=DAY, now=SIX)

    assert (
        (found is not None and found < MIDNIGHT)
        if again == "at once"
        else (found == again)
    )


@pytest.mark.parametrize(
    ("answers", "due"),
    [
        ((), (Source.ZILLOW, Source.REDFIN)),
        (YESTERDAY, (Source.ZILLOW, Source.REDFIN)),
        (TODAY, None),
        ((TODAY[0], YESTERDAY[1]), (Source.REDFIN,)),
        ((said(Source.ZILLOW, BLOCKED, at=SIX), TODAY[1]), (Source.ZILLOW,)),
        ((said(Source.ZILLOW, None, at=None), TODAY[1]), (Source.ZILLOW,)),
        # Switched on again: what it did not say is due at once.
        ((said(Source.ZILLOW, ListingOutcome.DISABLED), TODAY[1]), (Source.ZILLOW,)),
    ],
)
def test_due_is_what_was_not_settled_today(
    answers: tuple[SourceTally, ...], due: tuple[Source, ...] | None
) -> None:
    found = plan([house("h", *answers)], terms(), now=SIX)

    assert [it.sources for it in found.due] == ([] if due is None else [due])
    assert (found.waiting, found.next_at) == (0, None)


def test_a_source_may_be_asked_more_seldom() -> None:
    month = {Source.MARICOPA: 30}
    just = said(Source.MARICOPA, at=MIDNIGHT - timedelta(days=29))
    older = said(Source.MARICOPA, at=MIDNIGHT - timedelta(days=29, seconds=1))

    found = plan([house("a", just), house("b", older)], terms(month), now=SIX)

    assert [it.slug for it in found.due] == ["b"]


def test_who_was_not_reached_yesterday_comes_first_and_repeats_last() -> None:
    long_ago = MIDNIGHT - timedelta(days=3)
    found = plan(
        [
            house("again", last=tried(Found.OPEN, at=MIDNIGHT)),
            house("b", *YESTERDAY),
            house("late", said(Source.ZILLOW, at=long_ago), YESTERDAY[1]),
            house("a", *YESTERDAY),
            house("new"),
        ],
        terms(),
        now=SIX,
    )

    assert [it.slug for it in found.due] == ["new", "late", "a", "b", "again"]


def test_sources_that_rest_or_gave_all_pages_are_left_out() -> None:
    open_ = terms(rests={Source.ZILLOW: SIX + HOUR})
    spent = terms(spent={Source.ZILLOW})
    both = terms(rests={Source.ZILLOW: SIX + HOUR}, spent={Source.REDFIN})
    all_spent = terms(spent=set(BOTH))

    for given_, sources in ((open_, (Source.REDFIN,)), (spent, (Source.REDFIN,))):
        found = plan([house("h", *YESTERDAY)], given_, now=SIX)
        assert [it.sources for it in found.due] == [sources]
    for given_, next_at in ((both, SIX + HOUR), (all_spent, None)):
        found = plan([house("h", *YESTERDAY)], given_, now=SIX)
        assert (found.due, found.waiting, found.next_at) == ((), 1, next_at)


def test_a_killed_look_is_ended_though_no_source_is_due() -> None:
    killed = house("h", *TODAY, last=tried(Found.UNDER_WAY))

    early = plan([killed], terms(), now=SIX + PAUSES[0] - timedelta(seconds=1))
    late = plan([killed], terms(), now=SIX + PAUSES[0])

    assert early.due == ()
    assert [(it.slug, it.sources) for it in late.due] == [("h", ())]


def test_a_green_house_that_nobody_reached_is_told_stale() -> None:
    old = [said(source, at=MIDNIGHT - timedelta(days=2)) for source in BOTH]
    green = replace(tried(Found.UNCHANGED), fresh=True)

    found = plan(
        [
            house("green", *old, last=green),
            house("red", *old, last=replace(green, fresh=False)),
            house("fine", *YESTERDAY, last=green),
        ],
        terms(),
        now=SIX,
    )

    assert found.stale == ("green",)


@pytest.mark.parametrize(
    ("answers", "fresh"),
    [
        (TODAY, True),
        (YESTERDAY, True),
        ((TODAY[0], said(Source.REDFIN, at=MIDNIGHT - timedelta(hours=25))), False),
        ((TODAY[0], said(Source.REDFIN, BLOCKED, at=SIX)), False),
        ((TODAY[0], said(Source.REDFIN, at=AHEAD)), False),
        ((TODAY[0],), False),
        ((), False),
    ],
)
def test_fresh_is_a_settled_answer_of_each_source_since_yesterday(
    answers: tuple[SourceTally, ...], *, fresh: bool
) -> None:
    assert is_fresh(house("h", *answers).answers, terms()) is fresh


QUIET = HouseLook(
    changed=False, outcomes={Source.ZILLOW: LISTED}, wanting=0, is_shown=True
)


@pytest.mark.parametrize(
    ("look", "called", "again"),
    [
        (QUIET, False, False),
        (replace(QUIET, changed=True), True, True),
        (replace(QUIET, wanting=1), True, False),
        (replace(QUIET, is_shown=False), True, False),
        (replace(QUIET, outcomes={Source.ZILLOW: ListingOutcome.FAILED}), True, False),
        (replace(QUIET, outcomes={Source.ZILLOW: BLOCKED}), False, False),
        (
            replace(QUIET, outcomes={Source.ZILLOW: ListingOutcome.CIRCUIT_OPEN}),
            False,
            False,
        ),
    ],
)
def test_what_changed_gets_a_run_and_what_is_open_one_a_day(
    look: HouseLook, *, called: bool, again: bool
) -> None:
    before = replace(tried(Found.OPEN), called_on=DAY)
    long_ago = replace(tried(Found.OPEN), called_on=DAY - timedelta(days=1))

    assert calls_run(look, last=None, day=DAY) is called
    assert calls_run(look, last=long_ago, day=DAY) is called
    assert calls_run(look, last=before, day=DAY) is again


def test_a_house_is_begun_only_if_it_can_end_in_time() -> None:
    slow = 120.0

    assert may_begin(None, longest_s=slow)
    assert may_begin(slow, longest_s=slow)
    assert not may_begin(slow, longest_s=slow + 1)


ON = LookDay(day=DAY, runs=1, began_at=SIX, next_at=SIX)


@pytest.mark.parametrize(
    ("today", "is_at_work", "goes_on"),
    [
        (None, False, False),
        (ON, False, True),
        (ON, True, False),
        (replace(ON, next_at=None), False, False),
        (replace(ON, next_at=SIX + HOUR), False, False),
    ],
)
def test_a_look_goes_on_where_one_began_and_none_works(
    today: LookDay | None, *, is_at_work: bool, goes_on: bool
) -> None:
    told = why_not_on(today, now=SIX, is_at_work=is_at_work)

    assert (told == "") is goes_on


def test_no_look_of_a_day_has_the_number_of_another() -> None:
    assert next_number("", today=ON) == 2
    assert next_number(cursor_of(DAY, 5), today=ON) == 6  # five was lost in the queue
    assert next_number("2025-03-09 7", today=replace(ON, runs=3)) == 4
    assert next_number("nonsense", today=ON) == 2
    assert run_key(DAY, 2) == "look:2025-03-10:2"


OUTCOMES = st.sampled_from([LISTED, ListingOutcome.FAILED, BLOCKED])


@given(data=st.data(), count=st.integers(1, 6))
def test_a_day_of_looks_keeps_to_its_promises(data: st.DataObject, count: int) -> None:
    """Whatever sources answer and however many looks are killed.

    No house is tried more than three times, nor sooner than its pause allows; a source
    that answered is not asked again; and the day comes to an end.
    """
    seen = {f"h{number}": house(f"h{number}", *YESTERDAY) for number in range(count)}
    settled: set[tuple[str, Source]] = set()
    now: datetime | None = SIX
    for _ in range(count * MOST_TRIES + 1):
        found = plan(seen.values(), terms(), now=now or SIX)
        for one in found.due:
            last = seen[one.slug].last
            assert last is None or when_again(last, day=DAY, now=SIX) is not None
            assert not settled & {(one.slug, source) for source in one.sources}
            tries = last.tries + 1 if last else 1
            assert tries <= MOST_TRIES
            assert now is not None
            answers = dict(seen[one.slug].answers)
            killed = data.draw(st.booleans())
            for source in one.sources:
                outcome = data.draw(OUTCOMES)
                answers[source] = said(source, outcome, at=now)
                settled |= {(one.slug, source)} if outcome.is_settled else set()
                if killed:
                    break
            is_open = any(
                not it.outcome or not it.outcome.is_settled for it in answers.values()
            )
            ended = Found.OPEN if is_open else Found.UNCHANGED
            then = tried(Found.UNDER_WAY if killed else ended, tries, at=now)
            seen[one.slug] = SeenHouse(slug=one.slug, answers=answers, last=then)
        after = plan(seen.values(), terms(), now=now or SIX)
        now = now if after.due else after.next_at
        if now is None:
            break
    assert now is None
