from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phx_pipeline.fetch import pacing
from phx_pipeline.fetch.pacing import LONGEST_RETRY_AFTER_S, PacingRules
from phx_pipeline.model.source_state import SourceState

NOW_S = 1_796_000_000.0
NEW = SourceState(name="redfin")
RULES = PacingRules(base_s=0.5)
UNPACED = PacingRules(base_s=0.0)

FACTORS = st.sampled_from([RULES.on_limited, RULES.on_unavailable, RULES.on_success])


def slots(
    state: SourceState, *, count: int, rules: PacingRules = RULES, now_s: float = NOW_S
) -> list[float]:
    """The waits of callers who come at the same moment."""
    waits = []
    for _ in range(count):
        state, turn = pacing.reserved(state, now_s=now_s, rules=rules)
        waits.append(turn.wait_s)
    return waits


def test_callers_of_one_moment_get_slots_one_period_apart() -> None:
    assert slots(NEW, count=4) == [0.0, 0.5, 1.0, 1.5]


def test_unused_time_is_not_saved_up() -> None:
    idle = replace(NEW, next_slot=NOW_S - 3600)

    assert slots(idle, count=3) == [0.0, 0.5, 1.0]


def test_without_a_base_nothing_is_paced_but_retry_after_holds() -> None:
    postponed = pacing.postponed(NEW, 5.0, now_s=NOW_S)

    assert slots(NEW, count=3, rules=UNPACED) == [0.0, 0.0, 0.0]
    assert slots(postponed, count=3, rules=UNPACED) == [5.0, 5.0, 5.0]


def test_slots_begin_again_after_a_retry_after() -> None:
    postponed = pacing.postponed(NEW, 5.0, now_s=NOW_S)

    assert slots(postponed, count=3) == [5.0, 5.5, 6.0]


def test_a_wait_beyond_patience_uses_up_no_slot() -> None:
    postponed = pacing.postponed(NEW, 120.1, now_s=NOW_S)

    state, turn = pacing.reserved(postponed, now_s=NOW_S, rules=RULES)

    assert turn.wait_s > RULES.patience_s
    assert state == postponed


@pytest.mark.parametrize("wish_s", [None, 0.0, -30.0])
def test_a_wish_of_nothing_changes_nothing(wish_s: float | None) -> None:
    assert pacing.postponed(NEW, wish_s, now_s=NOW_S) == NEW


def test_a_shorter_wish_does_not_cut_a_longer_one() -> None:
    state = pacing.postponed(NEW, 60.0, now_s=NOW_S)

    assert pacing.postponed(state, 5.0, now_s=NOW_S + 1).not_before == NOW_S + 60


def test_an_absurd_wish_is_cut_to_a_day() -> None:
    state = pacing.postponed(NEW, 365 * 86400.0, now_s=NOW_S)

    assert state.not_before == NOW_S + LONGEST_RETRY_AFTER_S


def test_a_slot_stays_good_when_nothing_came_between() -> None:
    state, turn = pacing.reserved(
        replace(NEW, next_slot=NOW_S + 2), now_s=NOW_S, rules=RULES
    )

    after, again = pacing.confirmed(state, turn.slot, now_s=NOW_S + 2, rules=RULES)

    assert (again.slot, again.wait_s) == (NOW_S + 2, 0.0)
    assert after == state


def test_who_wakes_early_waits_for_the_rest() -> None:
    _, turn = pacing.confirmed(NEW, NOW_S + 2, now_s=NOW_S + 1.75, rules=RULES)

    assert turn.wait_s == 0.25


@pytest.mark.parametrize(
    ("late_s", "slot"),
    [(0.0, 0.0), (0.25, 0.0), (0.5, 0.0), (0.75, 0.75), (3600.0, 3600.0)],
)
def test_a_slot_slept_through_is_given_up_for_the_next_free_one(
    late_s: float, slot: float
) -> None:
    state, first = pacing.reserved(NEW, now_s=NOW_S, rules=RULES)

    _, turn = pacing.confirmed(state, first.slot, now_s=NOW_S + late_s, rules=RULES)

    assert (turn.slot, turn.wait_s) == (NOW_S + slot, 0.0)


@given(st.lists(st.floats(0, 5), min_size=12, max_size=60))
def test_however_late_sleepers_wake_no_second_sees_more_than_rate_plus_one(
    delays: list[float],
) -> None:
    state, left_at = NEW, []
    waking = []
    for delay_s in delays:  # all come at once and wake late by their delay
        state, turn = pacing.reserved(state, now_s=NOW_S, rules=RULES)
        waking.append((turn.slot + delay_s, turn.slot))
    while waking:
        now_s, slot = waking.pop(waking.index(min(waking)))
        state, turn = pacing.confirmed(state, slot, now_s=now_s, rules=RULES)
        if turn.wait_s > 0:
            waking.append((turn.slot, turn.slot))
        else:
            left_at.append(now_s)

    for first in left_at:
        assert sum(first <= at < first + 1.0 - 1e-6 for at in left_at) <= 3


def test_a_retry_after_that_came_meanwhile_takes_the_slot_away() -> None:
    state = pacing.postponed(replace(NEW, next_slot=NOW_S + 2.5), 10.0, now_s=NOW_S + 1)

    after, turn = pacing.confirmed(state, NOW_S + 2, now_s=NOW_S + 2, rules=RULES)

    assert turn.slot == NOW_S + 11
    assert after.next_slot == NOW_S + 11.5


def test_a_slot_that_already_heeds_the_retry_after_is_kept() -> None:
    state = pacing.postponed(NEW, 10.0, now_s=NOW_S)
    state, turn = pacing.reserved(state, now_s=NOW_S, rules=RULES)

    after, again = pacing.confirmed(state, turn.slot, now_s=NOW_S + 9.99, rules=RULES)

    assert again.slot == NOW_S + 10
    assert after == state


@pytest.mark.parametrize(
    ("factor", "period"),
    [(RULES.on_limited, 1.0), (RULES.on_unavailable, 1.5), (RULES.on_success, 0.5)],
)
def test_the_period_grows_from_its_base(factor: float, period: float) -> None:
    assert pacing.scaled(NEW, factor, rules=RULES).period_s == period


def test_a_success_takes_a_twentieth_off() -> None:
    slow = replace(NEW, period_s=10.0)

    assert pacing.scaled(slow, RULES.on_success, rules=RULES).period_s == 9.5


@given(st.lists(FACTORS, max_size=200), st.floats(0, 100))
def test_the_period_stays_within_floor_and_ceiling(
    factors: list[float], stored_s: float
) -> None:
    state = replace(NEW, period_s=stored_s)

    for factor in factors:
        state = pacing.scaled(state, factor, rules=RULES)

        assert 0.5 <= pacing.period_s(state, rules=RULES) <= 60.0


@given(
    st.lists(
        st.tuples(st.floats(0, 10), st.floats(0, 600) | st.none(), FACTORS),
        max_size=50,
    )
)
def test_slots_are_a_period_apart_and_never_inside_a_retry_after(
    events: list[tuple[float, float | None, float]],
) -> None:
    state, now_s, last = NEW, NOW_S, 0.0
    for step_s, wish_s, factor in events:
        now_s += step_s
        assert pacing.sane(state, now_s=now_s, rules=RULES) == state
        before = state
        state, turn = pacing.reserved(state, now_s=now_s, rules=RULES)

        assert turn.slot >= max(now_s, before.not_before)
        if turn.wait_s <= RULES.patience_s:
            assert turn.slot - last >= 0.5 - 1e-6
            last = turn.slot
        else:
            assert state == before
        state = pacing.postponed(state, wish_s, now_s=now_s)
        state = pacing.scaled(state, factor, rules=RULES)


@pytest.mark.parametrize("back_s", [3600.0, 365 * 86400.0])
def test_a_clock_that_was_set_back_does_not_hold_the_next_caller_up(
    back_s: float,
) -> None:
    ahead = replace(NEW, next_slot=NOW_S + back_s)

    sane = pacing.sane(ahead, now_s=NOW_S, rules=RULES)

    assert slots(sane, count=2) == [0.0, 0.5]


@pytest.mark.parametrize(
    ("wish_s", "left_s"),
    [(8 * 3600.0, 8 * 3600.0), (LONGEST_RETRY_AFTER_S,) * 2, (1e9, 0.0)],
)
def test_a_retry_after_longer_than_any_was_noted_by_a_clock_that_was_ahead(
    wish_s: float, left_s: float
) -> None:
    wished = replace(NEW, not_before=NOW_S + wish_s)

    sane = pacing.sane(wished, now_s=NOW_S, rules=RULES)

    assert sane.not_before == NOW_S + left_s


def test_a_full_queue_is_not_mistaken_for_a_clock_that_was_set_back() -> None:
    slow = replace(NEW, period_s=60.0)
    for _ in range(3):
        slow, _ = pacing.reserved(slow, now_s=NOW_S, rules=RULES)

    assert slow.next_slot == NOW_S + 180
    assert pacing.sane(slow, now_s=NOW_S, rules=RULES) == slow
