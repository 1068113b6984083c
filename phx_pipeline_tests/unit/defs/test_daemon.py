"""How long the sensors rest."""

from threading import Event
from typing import cast

import pytest

from phx_pipeline.defs import daemon
from phx_pipeline.defs.daemon import News, Rest


class Clock:
    """Stands for the module `time` and the event of the end; waiting moves it."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def monotonic(self) -> float:
        return self.now_s

    def wait(self, timeout: float) -> bool:
        self.now_s += timeout
        return False

    def is_set(self) -> bool:
        return False


def test_where_nothing_changes_for_a_minute_the_sensors_rest_longer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = Clock()
    monkeypatch.setattr(daemon, "time", clock)
    told = News("job", (1, 1))
    rest = Rest(cast("Event", clock), lambda: told)
    rested = []

    for changed in (False,) * 13 + (True, False):
        told = News("job", (1, 2)) if changed else told
        began_s = clock.now_s
        rest.wait(5.0)
        rested.append(clock.now_s - began_s)

    # The change is noticed a second after the rest began, and is no job to hurry for.
    assert rested == [5.0] * 11 + [15.0, 15.0, 5.0, 5.0]


def test_a_new_job_ends_also_a_longer_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr(daemon, "time", clock)
    rest = Rest(cast("Event", clock), lambda: News(f"job {clock.now_s >= 102.5}"))

    clock.now_s = 100.0
    rest.wait(5.0)

    assert clock.now_s == 103.0
