"""How fast a source is asked: a pure state machine over `SourceState`.

Slots are handed out by `next_slot = max(next_slot, now) + period` (GCRA without a
burst), so processes that share the row take turns. The period grows when the source
asks for patience and shrinks slowly afterwards. With a base of 0 nothing is paced and
only Retry-After holds: that is how photos are asked for.
"""

from dataclasses import dataclass, replace

from phx_pipeline.model.moments import sane_end_s
from phx_pipeline.model.source_state import SourceState

LONGEST_RETRY_AFTER_S = 86400.0
"""A Retry-After beyond a day is cut to it: more likely a slip than a wish."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PacingRules:
    """The period's floor and ceiling, its factors, and how long a caller waits.

    Attributes:
        jitter_s: shortest and longest pause before a page, as a reader would make.
        patience_s: a longer wait for a slot is refused, and no slot is used up.
    """

    base_s: float
    ceiling_s: float = 60.0
    on_limited: float = 2.0
    on_unavailable: float = 3.0
    on_success: float = 0.95
    jitter_s: tuple[float, float] = (0.5, 3.0)
    patience_s: float = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """A slot, by the catalogue's clock, and how many seconds it is away."""

    slot: float
    wait_s: float


def period_s(state: SourceState, *, rules: PacingRules) -> float:
    """Return the seconds between two slots, within floor and ceiling."""
    return min(max(state.period_s, rules.base_s), max(rules.ceiling_s, rules.base_s))


def reserved(
    state: SourceState, *, now_s: float, rules: PacingRules
) -> tuple[SourceState, Turn]:
    """Take the next slot, unless it is further away than the patience.

    Where nothing is paced no slot is used up, and no row changes.
    """
    slot = max(now_s, state.next_slot, state.not_before)
    turn = Turn(slot=slot, wait_s=slot - now_s)
    period = period_s(state, rules=rules)
    if turn.wait_s > rules.patience_s or not period:
        return state, turn
    return replace(state, next_slot=slot + period), turn


def confirmed(
    state: SourceState, slot: float, *, now_s: float, rules: PacingRules
) -> tuple[SourceState, Turn]:
    """Look again after the wait for *slot*; take another if it is no longer good.

    A slot is good unless a Retry-After came meanwhile, the clock was set back, or the
    slot was slept through: so every request leaves less than a period after its slot,
    and however late sleepers wake, none of them bunch up. Slots of a second and a
    period make at most rate + 1 requests in any second.
    """
    earliest = max(state.not_before, now_s - period_s(state, rules=rules))
    if earliest <= slot <= now_s + rules.patience_s:
        return state, Turn(slot=slot, wait_s=max(slot - now_s, 0.0))
    return reserved(state, now_s=now_s, rules=rules)


def scaled(state: SourceState, factor: float, *, rules: PacingRules) -> SourceState:
    """Multiply the period, within floor and ceiling."""
    longer = replace(state, period_s=period_s(state, rules=rules) * factor)
    return replace(state, period_s=period_s(longer, rules=rules))


def postponed(
    state: SourceState, retry_after_s: float | None, *, now_s: float
) -> SourceState:
    """Note a Retry-After; a shorter one never cuts a longer one."""
    if not retry_after_s or retry_after_s <= 0:
        return state
    wish_s = min(retry_after_s, LONGEST_RETRY_AFTER_S)
    return replace(state, not_before=max(state.not_before, now_s + wish_s))


def sane(state: SourceState, *, now_s: float, rules: PacingRules) -> SourceState:
    """End now what only a clock that was ahead can have put this far ahead."""
    furthest = now_s + rules.patience_s + max(rules.ceiling_s, rules.base_s)
    wished = sane_end_s(state.not_before, now_s=now_s, longest_s=LONGEST_RETRY_AFTER_S)
    return replace(
        state,
        next_slot=state.next_slot if state.next_slot <= furthest else now_s,
        not_before=wished,
    )
