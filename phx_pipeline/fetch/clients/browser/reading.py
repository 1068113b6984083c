"""How a reader goes through a page: turns of the wheel and pauses, from a seed. Pure.

What is sent to a browser, and when it has been enough, belongs to `page`.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil
from typing import Final

MOST_STEPS: Final = 120
NOTCH: Final = 120
"""Pixels a page moves for one notch of a wheel."""

_FIRST_LOOK_S: Final = (0.4, 1.1)
_BETWEEN_NOTCHES_S: Final = (0.015, 0.06)
_LOOK_S: Final = (0.25, 0.8)
_USUAL_NOTCHES: Final = 3
_MOST_NOTCHES: Final = 12
_TURNS_BACK: Final = 0.12  # of all looks


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Move the page by *delta_y* pixels, then look at it for *pause_s* seconds."""

    delta_y: int
    pause_s: float


def first_look_s(seed: str) -> float:
    """Return how long the top of a page is looked at before anything is moved."""
    return _dice("look", seed).uniform(*_FIRST_LOOK_S)


def steps(seed: str, *, distance: int, most_s: float) -> list[Step]:
    """Return how a reader gets down a page, the same for the same arguments.

    Long pages are skimmed: more notches before each look. At the end of the time or of
    the page he stops, wherever he is.

    Args:
        seed: another one is another reader.
        distance: pixels of the page below what the window shows.
        most_s: all pauses together are no longer.
    """
    found: list[Step] = []
    at, left_s = 0, most_s
    for step in _endless(_dice("read", seed), distance=distance, most_s=most_s):
        moved = Step(
            delta_y=max(-at, min(step.delta_y, distance - at)), pause_s=step.pause_s
        )
        left_s -= moved.pause_s
        if at >= distance or left_s < 0 or len(found) == MOST_STEPS:
            break
        at += moved.delta_y
        found.append(moved)
    return found


def _endless(dice: random.Random, *, distance: int, most_s: float) -> Iterator[Step]:
    usual = _notches(distance, most_s=most_s)
    while True:
        for _ in range(dice.randint(max(1, usual - 1), usual + 1)):
            yield Step(delta_y=NOTCH, pause_s=dice.uniform(*_BETWEEN_NOTCHES_S))
        back = -NOTCH if dice.random() < _TURNS_BACK else NOTCH
        yield Step(delta_y=back, pause_s=dice.uniform(*_LOOK_S))


def _notches(distance: int, *, most_s: float) -> int:
    """Return how many notches come before a look, to see all of the page in time."""
    looks = max(1.0, most_s / sum(_LOOK_S) * 2)
    return min(_MOST_NOTCHES, max(_USUAL_NOTCHES, ceil(distance / NOTCH / looks)))


def _dice(use: str, seed: str) -> random.Random:
    return random.Random(f"{use} {seed}")  # noqa: S311 - no secret hangs on it
