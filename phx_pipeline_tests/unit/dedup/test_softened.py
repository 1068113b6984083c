"""Tests for telling a copy that is less sharp in a large part."""

import numpy as np
import pytest

from phx_pipeline.dedup.planes import Plane, blurred
from phx_pipeline.dedup.softened import softened

_SHOWN = np.ones((240, 320), dtype=bool)


def _scene() -> Plane:
    """Return lines of all directions, as sharp everywhere."""
    down, across = np.mgrid[:240, :320].astype(np.float32)
    lines = np.sin(down * 0.9 + across * 0.3) + np.sin(across * 0.8 - down * 0.2)
    scene: Plane = (128 + 40 * lines).astype(np.float32)
    return scene


def _with(part: Plane, *, rows: int, columns: int) -> Plane:
    mixed = _scene()
    mixed[:rows, :columns] = part[:rows, :columns]
    return mixed


def _noise() -> Plane:
    noise = np.random.default_rng(2).normal(0, 14, (240, 320))
    return _scene() + noise.astype(np.float32)


def test_a_quarter_that_is_the_others_blurred_is_softer() -> None:
    soft = _with(blurred(_scene(), 2), rows=120, columns=160)
    assert softened(_scene(), soft, _SHOWN) == 2
    assert softened(soft, _scene(), _SHOWN) == 1


@pytest.mark.parametrize(
    "other",
    [
        _noise(),
        _with(np.full((240, 320), 190, np.float32), rows=120, columns=160),
        _with(blurred(_scene(), 2), rows=240, columns=20),
    ],
    ids=["noise all over", "a covered part", "a line"],
)
def test_noise_and_marks_soften_no_part(other: Plane) -> None:
    assert softened(_scene(), other, _SHOWN) == 0
