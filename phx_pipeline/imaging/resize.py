"""Scaling a picture down, to the same pixels on every processor.

Both ways reckon in whole numbers. Why these two, and what they cost: `docs/adr`. Where
OpenCV is not installed there is one, that of the recipe before.
"""

from functools import cache
from threading import Lock
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from phx_pipeline.errors import InputError
from phx_pipeline.imaging.recipe import HAS_OPENCV

# Where two pixels beside each other still stand for what lies between: above it, what
# is skipped shows as steps and patterns.
_LINEAR_UP_TO: Final = 1.5

_LOADING: Final = Lock()


def scaled_down(
    image: Image.Image,
    size: tuple[int, int],
    *,
    pixels: NDArray[np.uint8] | None = None,
) -> NDArray[np.uint8]:
    """Return the RGB *image* at *size* (width, height), of nearly the same shape.

    *pixels* are those of the image, if they are at hand.
    """
    if (cv2 := load_opencv()) and max(image.size) <= _LINEAR_UP_TO * max(size):
        whole = np.asarray(image) if pixels is None else pixels
        scaled: NDArray[np.uint8] = cv2.resize(
            whole, size, interpolation=cv2.INTER_LINEAR_EXACT
        )
        return scaled
    return np.asarray(image.resize(size, Image.Resampling.HAMMING))


def load_opencv() -> Any:
    """Return OpenCV, None where it is not installed; threads wait for one another.

    Raises:
        InputError: it is installed, and cannot be loaded.
    """
    with _LOADING:
        return _loaded() if HAS_OPENCV else None


@cache
def _loaded() -> Any:
    try:
        import cv2  # noqa: PLC0415 - 0.1 s, and it may be missing
    except ImportError as error:
        raise InputError(
            f"OpenCV is installed, and cannot be loaded ({error}): install what it "
            "lacks, or `pip uninstall opencv-python-headless`: then pictures are "
            "scaled without it"
        ) from error
    cv2.setNumThreads(1)  # pictures are worked on side by side already
    return cv2
