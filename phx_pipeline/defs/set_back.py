"""A clock that was ahead, and what Dagster noted by it.

A sensor whose last look lies ahead would not look before that moment, and a schedule
goes on from there. What the catalogue noted by such a clock belongs to those who decide
by it (`model.moments.has_been`).
"""

import time
from collections.abc import Callable, Iterator
from typing import Any, Final

import dagster as dg

FAR_S: Final = 60.0
"""Less far ahead is no fault: what rests for it goes on by itself."""

_APART_S: Final = 0.001  # between two ticks, so that their order stays
_MOST_TICKS: Final = 10_000


class Watch:
    """Tells how far the clock was set back, by one that nobody sets."""

    def __init__(
        self,
        now: Callable[[], float] = time.time,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self._now = now
        self._steady = steady
        self._furthest = now() - steady()

    def back_s(self) -> float:
        """By how many seconds the clock is behind the furthest it ever was."""
        apart = self._now() - self._steady()
        self._furthest = max(self._furthest, apart)
        return self._furthest - apart


def ahead(instance: dg.DagsterInstance, *, now_s: float) -> Iterator[str]:
    """The names of running sensors and schedules that rest for a moment far ahead."""
    for state in instance.all_instigator_state():
        moments = [it for _, it in _moments(state.instigator_data)]
        if state.is_running and max(moments, default=0.0) > now_s + FAR_S:
            yield state.instigator_name


def pull_back(instance: dg.DagsterInstance, *, now_s: float) -> list[str]:
    """Let all sensors and schedules go on from now; return whose notes lay ahead.

    Only while no daemon of these stores runs: it would go on by what it remembers.
    """
    return [
        state.instigator_name
        for state in instance.all_instigator_state()
        if _pull_back(instance, state, now_s=now_s)
    ]


def _pull_back(instance: dg.DagsterInstance, state: Any, *, now_s: float) -> bool:
    data = pulled_back(state.instigator_data, now_s=now_s)
    moved = _move_ticks(instance, state, data, now_s=now_s)
    if data == state.instigator_data:
        return moved
    instance.update_instigator_state(state.with_data(data))
    return True


def pulled_back(data: Any, *, now_s: float) -> Any:
    """What Dagster knows of a sensor or a schedule, with nothing that lies ahead.

    A schedule forgets when it was last looked at: it goes on after its last tick, so
    none is left out that came due while the clock was ahead.
    """
    new: dict[str, float | None] = {
        name: now_s for name, at_s in _moments(data) if at_s > now_s
    }
    if "last_iteration_timestamp" in new:
        new["last_iteration_timestamp"] = None
    return data._replace(**new) if new else data


def _moments(data: Any) -> list[tuple[str, float]]:
    """Its fields that hold seconds since 1970."""
    fields = data._asdict() if data else {}
    return [
        (name, at_s)
        for name, at_s in fields.items()
        if name.endswith("_timestamp") and at_s is not None
    ]


def _move_ticks(
    instance: dg.DagsterInstance, state: Any, data: Any, *, now_s: float
) -> bool:
    """Whether there were ticks ahead; those of a schedule come after its last real one.

    Else it would go on after them.
    """
    its = (state.instigator_origin_id, state.selector_id)
    found = instance.get_ticks(*its, after=now_s, limit=_MOST_TICKS)
    if not found:
        return False
    last = instance.get_ticks(*its, before=now_s, limit=1)
    to_s = _resumed_s(data, [it.timestamp for it in last], now_s=now_s)
    for number, tick in enumerate(found):  # the newest is first
        at_s = to_s - number * _APART_S
        moved = tick.tick_data._replace(timestamp=at_s, end_timestamp=at_s)
        instance.update_tick(tick._replace(tick_data=moved))
    return True


def _resumed_s(data: Any, ticks_s: list[float], *, now_s: float) -> float:
    """Where the newest tick that lay ahead belongs: before all that is still to come.

    Half a second after the last real one, which Dagster would else do again.
    """
    started_s: float | None = getattr(data, "start_timestamp", None)  # of schedules
    if started_s is None:
        return now_s
    return max([started_s, *ticks_s]) + 0.5
