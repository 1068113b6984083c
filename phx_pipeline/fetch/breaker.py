"""The circuit breaker: a pure state machine over `SourceState`.

closed → open after some failures in a row → half-open when its rest is over: one probe
at a time, over all processes → closed after some successes, open again after one
failure. A block opens it from any phase, for hours. Half-open is not stored: it is
what an open circuit becomes at `open_until`.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial

from phx_pipeline.model.moments import sane_end_s
from phx_pipeline.model.source_state import SourceState


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerRules:
    """When the circuit opens, for how long, and what closes it.

    `failures` and `content_faults` count whatever failed in a row: the circuit opens at
    a failure of the kind whose limit is reached. `probe_wait_s` is how long others wait
    for a probe under way to end; none holds longer than `probe_s`.
    """

    failures: int = 3
    content_faults: int = 5
    rest_s: float = 300.0
    successes: int = 2
    block_s: float = 4 * 3600.0
    probe_wait_s: float = 15.0
    probe_s: float = 900.0


class Phase(StrEnum):
    """The three phases of a circuit."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


def phase(state: SourceState, *, now_s: float) -> Phase:
    """Return the phase at *now_s*."""
    if state.open_until is None:
        return Phase.CLOSED
    return Phase.OPEN if now_s < state.open_until else Phase.HALF_OPEN


def shut_until(state: SourceState, *, now_s: float, holder: str) -> float | None:
    """Return when *holder* may ask again, or None if it may pass now.

    In half-open everybody but the holder of a live probe waits for it to end.
    """
    match phase(state, now_s=now_s):
        case Phase.OPEN:
            return state.open_until
        case Phase.HALF_OPEN if now_s < state.probe_until and state.probe != holder:
            return state.probe_until
        case _:
            return None


def claimed(
    state: SourceState, *, now_s: float, holder: str, hold_s: float
) -> SourceState:
    """Let *holder* pass, in half-open as the one probe for the next *hold_s*.

    Ask `shut_until` first; the two belong into one transaction.
    """
    if phase(state, now_s=now_s) is not Phase.HALF_OPEN:
        return state
    return replace(state, probe=holder, probe_until=now_s + hold_s)


def released(state: SourceState, *, holder: str) -> SourceState:
    """Give a probe back that told nothing about the source."""
    if not holder or state.probe != holder:
        return state
    return replace(state, probe="", probe_until=0.0)


def succeeded(
    state: SourceState, *, now_s: float, holder: str, rules: BreakerRules
) -> SourceState:
    """Note a usable answer; one that was asked for before the circuit opened is late.

    So while it is not closed, only the probe counts.
    """
    match phase(state, now_s=now_s):
        case Phase.CLOSED:
            return replace(state, failures=0)
        case Phase.HALF_OPEN if state.probe == holder:
            if state.successes + 1 >= rules.successes:
                return _closed(state)
            more = replace(state, successes=state.successes + 1)
            return released(more, holder=holder)
        case _:
            return state


def failed(
    state: SourceState,
    *,
    now_s: float,
    holder: str,
    rules: BreakerRules,
    by_content: bool = False,
    has_spare: bool = False,
) -> SourceState:
    """Note a failure that says something about the source.

    One that has a spare never opens the circuit by itself: what else can be had of the
    same thing is asked for first, and by then decides.

    Args:
        state: the circuit's.
        now_s: the store's clock.
        holder: whose attempt it was.
        rules: the limits.
        by_content: an answer came, but not what was asked for.
        has_spare: the same thing may be had elsewhere, and will be asked for.
    """
    limit = rules.content_faults if by_content else rules.failures
    match phase(state, now_s=now_s):
        case Phase.CLOSED if has_spare:
            return replace(state, failures=min(state.failures + 1, limit - 1))
        case Phase.HALF_OPEN if has_spare:
            return released(state, holder=holder)
        case Phase.CLOSED if state.failures + 1 < limit:
            return replace(state, failures=state.failures + 1)
        case Phase.CLOSED:
            return _opened(state, now_s=now_s, until=now_s + rules.rest_s)
        case Phase.HALF_OPEN if state.probe == holder:
            return _opened(state, now_s=now_s, until=now_s + rules.rest_s)
        case _:
            return state


def blocked(
    state: SourceState, *, now_s: float, how: str, rules: BreakerRules
) -> SourceState:
    """Note a refusal or a challenge: whoever met it, nobody asks for hours."""
    until = max(now_s + rules.block_s, state.open_until or 0.0)
    state = replace(state, blocked_at=now_s, block=how)
    return _opened(state, now_s=now_s, until=until)


def was_refused(state: SourceState) -> bool:
    """Whether a refusal came since requests went through as usual."""
    is_known = state.blocked_at is not None and state.opened_at is not None
    return is_known and (state.blocked_at or 0.0) >= (state.opened_at or 0.0)


def sane(state: SourceState, *, now_s: float, rules: BreakerRules) -> SourceState:
    """End now what only a clock that was ahead can have put this far ahead."""
    if state.blocked_at is not None:
        state = replace(state, blocked_at=min(state.blocked_at, now_s))
    if state.open_until is None:
        return state
    end = partial(sane_end_s, now_s=now_s)
    longest_s = max(rules.rest_s, rules.block_s)
    return replace(
        state,
        open_until=end(state.open_until, longest_s=longest_s),
        probe_until=end(state.probe_until, longest_s=rules.probe_s),
        opened_at=min(now_s if state.opened_at is None else state.opened_at, now_s),
    )


def _opened(state: SourceState, *, now_s: float, until: float) -> SourceState:
    return replace(
        state,
        failures=0,
        successes=0,
        opened_at=now_s if state.opened_at is None else state.opened_at,
        open_until=until,
        probe="",
        probe_until=0.0,
    )


def _closed(state: SourceState) -> SourceState:
    return replace(
        state,
        failures=0,
        successes=0,
        opened_at=None,
        open_until=None,
        probe="",
        probe_until=0.0,
    )
