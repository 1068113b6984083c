"""Scaling a picture down, to the same pixels on every processor.

Both ways reckon in whole numbers. Why these two, and what they cost: `docs/adr`. Where
OpenCV is not installed there is one, that of the recipe before.
"""

from functools import cache
from importlib.util import find_spec
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

# Where two pixels beside each other still stand for what lies between: above it, what
# is skipped shows as steps and patterns.
_LINEAR_UP_TO: Final = 1.5

VERSION: Final = "v3" if find_spec("cv2") else "v2"
"""Of the pixels that come out."""


def scaled_down(
    image: Image.Image,
    size: tuple[int, int],
    *,
    pixels: NDArray[np.uint8] | None = None,
) -> NDArray[np.uint8]:
    """Return the RGB *image* at *size* (width, height), of nearly the same shape.

    *pixels* are those of the image, if they are at hand.
    """
    if (cv2 := _opencv()) and max(image.size) <= _LINEAR_UP_TO * max(size):
        whole = np.asarray(image) if pixels is None else pixels
        scaled: NDArray[np.uint8] = cv2.resize(
            whole, size, interpolation=cv2.INTER_LINEAR_EXACT
        )
        return scaled
    return np.asarray(image.resize(size, Image.Resampling.HAMMING))


@cache
def _opencv() -> Any:
    if find_spec("cv2") is None:
        return None
    import cv2  # noqa: PLC0415 - 0.1 s, and it may be missing

    cv2.setNumThreads(1)  # pictures are worked on side by side already
    return cv2
