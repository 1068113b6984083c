"""Tests for telling which of two copies has something laid over it."""

import numpy as np
import pytest

from phx_pipeline.dedup.overlays import marked, overlap, pale
from phx_pipeline.dedup.sights import Sight

_STILL = np.array(((1.0, 0, 0), (0, 1.0, 0)))


def _scene() -> Sight:
    """Return fine lines of all directions."""
    down, across = np.mgrid[:240, :320]
    lines = np.sin(down * 0.9 + across * 0.3) + np.sin(across * 0.8 - down * 0.2)
    grey = (150 + 40 * lines).astype(np.uint8)
    return np.stack((grey, grey, grey), axis=2)


@pytest.mark.parametrize("shade", [20, 235], ids=["dark", "light"])
def test_a_disc_that_lets_the_scene_through_takes_its_contrast(shade: int) -> None:
    scene = _scene()
    down, across = np.mgrid[:240, :320]
    disc = (np.hypot(down - 120, across - 160) < 30)[:, :, None]
    marked = np.where(disc, scene * 0.4 + shade * 0.6, scene).astype(np.uint8)
    assert pale(overlap(scene, marked, _STILL)) == 2
    assert pale(overlap(marked, scene, _STILL)) == 1


def test_thin_lines_that_only_lighten_are_a_mark() -> None:
    """The scene breaks off as much as they do."""
    scene = _scene()
    down, across = np.mgrid[:240, :320]
    lines = ((down + across) % 60 < 4)[:, :, None]
    marked_one = np.where(lines, scene * 0.75 + 64, scene).astype(np.uint8)
    assert marked(overlap(scene, marked_one, _STILL)) == 2
    assert marked(overlap(marked_one, scene, _STILL)) == 1


def test_a_shade_over_a_large_part_takes_its_contrast() -> None:
    """It begins where a bright floor does, so that the clean one breaks off."""
    scene = _scene()
    scene[:180] = scene[:180] * 0.4
    shaded = scene.copy()
    shaded[180:] = shaded[180:] * 0.4
    assert marked(overlap(scene, shaded, _STILL)) == 2
    assert marked(overlap(shaded, scene, _STILL)) == 1
