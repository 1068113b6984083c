"""Tells drawn pictures (floor plans, maps, logos) from photos: by their even ground."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

MEASURE: Final = "drawing-1"
"""Names the measure; its number rises where the same picture would give another."""

DRAWN: Final = 0.7
"""From here on a picture is drawn; of 6,200 photos none comes above 0.66."""

_COLOURS: Final = 3  # of paper, and of rooms on it
_STEP: Final = 2  # every second pixel of every second row will do
_SHIFT: Final = 3  # bits of a channel that tell no two colours apart
_NEAR: Final = 6  # levels between pixels of one ground, JPEG's traces included
_LIGHT: Final = 160  # of the brightest channel: night and black bars are no paper
_CENTRE: Final = 1.5  # lines stand close in the middle: less ground will do there


def ground(picture: NDArray[np.uint8]) -> float:
    """Return how much of an RGB picture is even, light ground (0 to 1).

    It may have a few colours, as floor plans with tinted rooms have. Ground that only
    frames the picture, such as bars beside a photo, does not count.
    """
    is_ground = _ground(picture[::_STEP, ::_STEP])
    height, width = (side // 4 for side in is_ground.shape)
    centre = is_ground[height:-height, width:-width]
    return float(min(is_ground.mean(), _CENTRE * centre.mean()))


def _ground(picture: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Return which pixels have one of the commonest colours, if that is light."""
    red, green, blue = np.moveaxis(picture.astype(np.int32) >> _SHIFT, -1, 0)
    codes = (red << 10) | (green << 5) | blue
    left = np.ones(codes.shape, np.bool_)
    found = np.zeros(codes.shape, np.bool_)
    for _ in range(_COLOURS):
        if not left.any():
            break
        commonest = left & (codes == np.bincount(codes[left]).argmax())
        colour = picture[commonest].mean(axis=0)
        alike = left & (np.abs(picture - colour).max(axis=-1) <= _NEAR)
        left &= ~(alike | commonest)
        if colour.max() >= _LIGHT:
            found |= alike
    return found
