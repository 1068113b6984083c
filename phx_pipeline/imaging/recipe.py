"""The names of the ways standard pictures are made; making one is `standardize`'s."""

from importlib.util import find_spec
from typing import Final

DEFAULT_MAX_SIDE: Final = 1024
HAS_OPENCV: Final = find_spec("cv2") is not None
"""Whether OpenCV is installed; it is not loaded to know."""
_VERSION: Final = "v3" if HAS_OPENCV else "v2"  # of the pixels that come out


def recipe_name(*, max_side: int | None) -> str:
    """Return the name under which PNGs made with *max_side* are stored.

    The version rises whenever the same picture would give other pixels.
    """
    size = "full" if max_side is None else max_side
    return f"png{size}-{_VERSION}"


RECIPE: Final = recipe_name(max_side=DEFAULT_MAX_SIDE)
