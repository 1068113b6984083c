"""A picture as small as a network looks at it. Nothing is judged by what comes out."""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from phx_pipeline.imaging.decode import decode

SIDE: Final = 224


def glimpse(body: bytes) -> NDArray[np.uint8]:
    """Return the picture in *body* as RGB of shape (224, 224, 3), upright.

    All of it is in there, so its shape is lost.

    Raises:
        ImageError: As `decode` does.
    """
    image = decode(body, at_least=SIDE).image
    return np.asarray(image.resize((SIDE, SIDE), Image.Resampling.BILINEAR))
