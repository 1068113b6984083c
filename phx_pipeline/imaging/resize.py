"""Scaling a picture down, to the same pixels on every processor.

Both ways reckon in whole numbers. Why these two, and what they cost: `docs/adr`.
"""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

# Where two pixels beside each other still stand for what lies between: above it, what
# is skipped shows as steps and patterns.
_LINEAR_UP_TO: Final = 1.5

cv2.setNumThreads(1)  # pictures are worked on side by side already


def scaled_down(
    image: Image.Image,
    size: tuple[int, int],
    *,
    pixels: NDArray[np.uint8] | None = None,
) -> NDArray[np.uint8]:
    """Return the RGB *image* at *size* (width, height), of nearly the same shape.

    *pixels* are those of the image, if they are at hand.
    """
    if max(image.size) <= _LINEAR_UP_TO * max(size):
        whole = np.asarray(image) if pixels is None else pixels
        scaled = cv2.resize(whole, size, interpolation=cv2.INTER_LINEAR_EXACT)
        return scaled.astype(np.uint8, copy=False)
    return np.asarray(image.resize(size, Image.Resampling.HAMMING))
