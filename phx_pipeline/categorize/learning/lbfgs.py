"""Limited-memory BFGS for smooth convex functions (Nocedal and Wright, algorithm 7.4).

Knows nothing of what is fitted.
"""

from collections import deque
from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]
Objective = Callable[[Vector], tuple[float, Vector]]
"""A point -> the value there and its gradient."""

_REMEMBERED: Final = 12
_SUFFICIENT: Final = 1e-4  # of the decrease that the slope promises
_HALVINGS: Final = 40
_MOST_STEPS: Final = 500


def minimize(objective: Objective, start: Vector, *, tolerance: float) -> Vector:
    """Return where *objective* is least.

    Ends where no entry of the gradient is above *tolerance*, or no step helps.
    """
    at, (value, slope) = start, objective(start)
    pairs: deque[tuple[Vector, Vector]] = deque(maxlen=_REMEMBERED)
    for _ in range(_MOST_STEPS):
        if np.abs(slope).max() <= tolerance:
            break
        found = _step(objective, at, value, slope, _direction(slope, pairs))
        if found is None:
            break
        new_at, value, new_slope = found
        moved, turned = new_at - at, new_slope - slope
        if moved @ turned > 0:
            pairs.append((moved, turned))
        at, slope = new_at, new_slope
    return at


def _direction(slope: Vector, pairs: deque[tuple[Vector, Vector]]) -> Vector:
    """Return minus the inverse Hessian, as the last steps tell it, times the slope."""
    if not pairs:
        return -slope / max(1.0, float(np.linalg.norm(slope)))
    rest, shares = slope.copy(), []
    for moved, turned in reversed(pairs):
        share = (moved @ rest) / (moved @ turned)
        rest -= share * turned
        shares.append(share)
    moved, turned = pairs[-1]
    rest *= (moved @ turned) / (turned @ turned)
    for (moved, turned), share in zip(pairs, reversed(shares), strict=True):
        rest += (share - (turned @ rest) / (moved @ turned)) * moved
    return -rest


def _step(
    objective: Objective, at: Vector, value: float, slope: Vector, towards: Vector
) -> tuple[Vector, float, Vector] | None:
    """Return the next point, its value and gradient; None where none is lower."""
    promised = float(slope @ towards)
    length = 1.0
    for _ in range(_HALVINGS):
        point = at + length * towards
        new_value, new_slope = objective(point)
        if new_value <= value + _SUFFICIENT * length * promised:
            return point, new_value, new_slope
        length /= 2
    return None
