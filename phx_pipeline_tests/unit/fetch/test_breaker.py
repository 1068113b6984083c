from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
)

from phx_pipeline.fetch import breaker
from phx_pipeline.fetch.breaker import BreakerRules, Phase
from phx_pipeline.model.source_state import SourceState

RULES = BreakerRules()
NOW_S = 1_796_000_000.0
NEW = SourceState(name="redfin")
HOLD_S = 60.0

Step = Callable[["Circuit"], None]


class Circuit:
    """A breaker with a clock to turn; calls are made by the one holder `h`."""

    def __init__(self, state: SourceState = NEW) -> None:
        self.state = state
        self.now_s = NOW_S

    @property
    def phase(self) -> Phase:
        return breaker.phase(self.state, now_s=self.now_s)

    def may_pass(self, holder: str = "h") -> bool:
        until = breaker.shut_until(self.state, now_s=self.now_s, holder=holder)
        return until is None

    def enter(self, holder: str = "h") -> bool:
        if not self.may_pass(holder):
            return False
        self.state = breaker.claimed(
            self.state, now_s=self.now_s, holder=holder, hold_s=HOLD_S
        )
        return True

    def succeed(self, holder: str = "h") -> None:
        self.enter(holder)
        self.state = breaker.succeeded(
            self.state, now_s=self.now_s, holder=holder, rules=RULES
        )

    def fail(self, holder: str = "h") -> None:
        self.enter(holder)
        self.state = breaker.failed(
            self.state, now_s=self.now_s, holder=holder, rules=RULES
        )

    def block(self) -> None:
        self.state = breaker.blocked(
            self.state, now_s=self.now_s, how="challenge", rules=RULES
        )

    def rest(self, seconds: float = RULES.rest_s) -> None:
        self.now_s += seconds


def after(*steps: Step) -> Circuit:
    circuit = Circuit()
    for step in steps:
        step(circuit)
    return circuit


FAIL, SUCCEED, REST, BLOCK = Circuit.fail, Circuit.succeed, Circuit.rest, Circuit.block
OPENED = (FAIL, FAIL, FAIL)


@pytest.mark.parametrize(
    ("steps", "phase"),
    [
        ((), Phase.CLOSED),
        ((FAIL, FAIL), Phase.CLOSED),
        (OPENED, Phase.OPEN),
        ((FAIL, FAIL, SUCCEED, FAIL, FAIL), Phase.CLOSED),
        ((FAIL, FAIL, SUCCEED, FAIL, FAIL, FAIL), Phase.OPEN),
        ((*OPENED, REST), Phase.HALF_OPEN),
        ((*OPENED, REST, SUCCEED), Phase.HALF_OPEN),
        ((*OPENED, REST, SUCCEED, SUCCEED), Phase.CLOSED),
        ((*OPENED, REST, SUCCEED, SUCCEED, FAIL, FAIL), Phase.CLOSED),
        ((*OPENED, REST, FAIL), Phase.OPEN),
        ((*OPENED, REST, SUCCEED, FAIL), Phase.OPEN),
        ((*OPENED, REST, SUCCEED, FAIL, REST, SUCCEED), Phase.HALF_OPEN),
        ((*OPENED, SUCCEED, SUCCEED), Phase.OPEN),
        ((BLOCK,), Phase.OPEN),
        ((BLOCK, REST), Phase.OPEN),
        ((*OPENED, REST, BLOCK, REST), Phase.OPEN),
    ],
)
def test_the_circuit_is_in_the_phase_its_history_demands(
    steps: tuple[Step, ...], phase: Phase
) -> None:
    assert after(*steps).phase is phase


@pytest.mark.parametrize(
    ("steps", "open_s"),
    [
        (OPENED, 300.0),
        ((*OPENED, REST, FAIL), 300.0),
        ((BLOCK,), 4 * 3600.0),
        ((BLOCK, REST, BLOCK), 4 * 3600.0),
        ((*OPENED, BLOCK), 4 * 3600.0),
    ],
)
def test_an_open_circuit_says_when_to_ask_again(
    steps: tuple[Step, ...], open_s: float
) -> None:
    circuit = after(*steps)

    until = breaker.shut_until(circuit.state, now_s=circuit.now_s, holder="h")

    assert until == circuit.now_s + open_s


def test_a_block_never_shortens_a_longer_rest() -> None:
    far = replace(NEW, open_until=NOW_S + 1e6, opened_at=NOW_S)

    state = breaker.blocked(far, now_s=NOW_S, how="403", rules=RULES)

    assert state.open_until == NOW_S + 1e6
    assert (state.blocked_at, state.block) == (NOW_S, "403")


def test_half_open_lets_one_of_many_through() -> None:
    circuit = after(*OPENED, REST)

    assert [circuit.enter(holder) for holder in "abcd"] == [True, False, False, False]
    assert circuit.enter("a")


def test_the_next_probe_goes_when_the_one_before_has_ended() -> None:
    circuit = after(*OPENED, REST)
    circuit.succeed("a")

    assert [circuit.enter(holder) for holder in "bc"] == [True, False]


def test_a_probe_whose_process_died_is_replaced_after_its_lease() -> None:
    circuit = after(*OPENED, REST)
    circuit.enter("dead")

    circuit.rest(HOLD_S - 1)
    before = circuit.enter("b")
    circuit.rest(1)

    assert not before
    assert circuit.enter("b")


def test_a_probe_that_told_nothing_is_given_back() -> None:
    circuit = after(*OPENED, REST)
    circuit.enter("a")

    circuit.state = breaker.released(circuit.state, holder="a")

    assert circuit.phase is Phase.HALF_OPEN
    assert circuit.enter("b")


def test_nobody_gives_back_the_probe_of_another() -> None:
    circuit = after(*OPENED, REST)
    circuit.enter("a")

    circuit.state = breaker.released(circuit.state, holder="b")

    assert not circuit.enter("b")


@pytest.mark.parametrize("late", [FAIL, SUCCEED])
def test_answers_to_what_was_asked_before_the_circuit_opened_change_nothing(
    late: Callable[[Circuit, str], None],
) -> None:
    resting = after(*OPENED)
    probing = after(*OPENED, REST)
    probing.enter("probe")
    states = resting.state, probing.state

    late(resting, "late")
    late(probing, "late")

    assert (resting.state, probing.state) == states


def test_a_circuit_that_reopens_still_knows_when_it_was_last_closed() -> None:
    circuit = after(*OPENED, REST, FAIL)

    assert circuit.state.opened_at == NOW_S
    assert after(*OPENED, REST, SUCCEED, SUCCEED).state.opened_at is None


def test_a_clock_that_was_set_back_does_not_keep_the_circuit_open() -> None:
    then_s = NOW_S + 365 * 86400.0
    state = replace(
        NEW,
        open_until=then_s + 300,
        opened_at=then_s,
        blocked_at=then_s,
        probe="x",
        probe_until=then_s,
    )

    sane = breaker.sane(state, now_s=NOW_S, rules=RULES)

    assert breaker.shut_until(sane, now_s=NOW_S, holder="h") is None
    assert breaker.was_refused(sane)
    assert max(sane.opened_at or 0.0, sane.blocked_at or 0.0) == NOW_S


def test_a_probe_of_a_clock_that_was_ahead_keeps_nobody_waiting() -> None:
    probing = replace(NEW, open_until=NOW_S, opened_at=NOW_S - 300, probe="x")
    ahead, usual = (
        breaker.sane(replace(probing, probe_until=at_s), now_s=NOW_S, rules=RULES)
        for at_s in (NOW_S + 86400.0, NOW_S + 220.0)
    )

    assert breaker.shut_until(ahead, now_s=NOW_S, holder="h") is None
    assert breaker.shut_until(usual, now_s=NOW_S, holder="h") == NOW_S + 220.0


@given(st.floats(0, RULES.block_s), st.floats(0, 1e6))
def test_a_sane_state_stays_as_it_is(rest_s: float, since_s: float) -> None:
    state = replace(NEW, open_until=NOW_S + rest_s, opened_at=NOW_S - since_s)

    assert breaker.sane(state, now_s=NOW_S, rules=RULES) == state


class ManyCallers(RuleBasedStateMachine):
    """Callers come and go in any order; the laws are kept beside the breaker."""

    def __init__(self) -> None:
        super().__init__()
        self.circuit = Circuit()
        self.under_way: dict[str, bool] = {}  # holder -> admitted as a probe
        self.number = 0
        self.shut_until_s = 0.0
        self.in_a_row = 0

    @rule(seconds=st.sampled_from([0.1, HOLD_S, RULES.rest_s, RULES.block_s]))
    def time_passes(self, seconds: float) -> None:
        self.circuit.rest(seconds)

    @rule()
    def somebody_asks(self) -> None:
        self.number += 1
        holder = str(self.number)
        phase = self.circuit.phase
        passed = self.circuit.enter(holder)

        assert not (passed and self.circuit.now_s < self.shut_until_s)
        assert passed or phase is not Phase.CLOSED
        if passed:
            self.under_way[holder] = phase is Phase.HALF_OPEN

    @precondition(lambda self: self.under_way)
    @rule(data=st.data(), good=st.booleans())
    def an_answer_comes(self, data: st.DataObject, *, good: bool) -> None:
        holder = data.draw(st.sampled_from(sorted(self.under_way)))
        del self.under_way[holder]
        closed = self.circuit.phase is Phase.CLOSED
        judge = breaker.succeeded if good else breaker.failed
        self.circuit.state = judge(
            self.circuit.state, now_s=self.circuit.now_s, holder=holder, rules=RULES
        )
        if closed:
            self.in_a_row = 0 if good else self.in_a_row + 1
        if closed and self.in_a_row == RULES.failures:
            self.in_a_row = 0
            self.shut_until_s = self.circuit.now_s + RULES.rest_s
            assert self.circuit.phase is Phase.OPEN

    @rule()
    def a_challenge_is_met(self) -> None:
        self.circuit.block()
        self.in_a_row = 0
        self.shut_until_s = self.circuit.now_s + RULES.block_s

    @invariant()
    def at_most_one_stranger_may_probe(self) -> None:
        circuit = self.circuit
        if circuit.phase is not Phase.HALF_OPEN:
            return
        live = circuit.now_s < circuit.state.probe_until
        assert circuit.may_pass("stranger") is not live

    @invariant()
    def nothing_passes_while_it_rests(self) -> None:
        if self.circuit.now_s < self.shut_until_s:
            assert not self.circuit.may_pass("stranger")


TestManyCallers = ManyCallers.TestCase
