"""A picture as networks look at it: small, square, whole."""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from phx_pipeline.imaging.decode import decode

SIDE: Final = 224


def glimpse(body: bytes) -> NDArray[np.uint8]:
    """Return the picture in *body* as RGB of shape (224, 224, 3), without its shape.

    Raises:
        ImageError: it is not a usable picture.
    """
    small = decode(body).image.resize((SIDE, SIDE), Image.Resampling.HAMMING)
    return np.asarray(small)
