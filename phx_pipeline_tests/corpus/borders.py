"""Whether a photo has a border of its own: what cuts that off makes a cleaner copy.

Such a photo has no clean copy that shows more; the corpus makes no pairs of it that
are about frames. How the pipeline tells borders is not decided here.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

_SIDE: Final = 320  # px, the longest side at which is looked
_DEEPEST: Final = 0.15  # of a side
_BRIGHT: Final = 240.0  # grey levels of white paper, or more
_DARK: Final = 16.0  # grey levels of black bars, or less
_EVEN: Final = 6.0  # grey levels by which paper varies
_BARE: Final = 0.95  # share of the outermost line that is paper
_ACROSS: Final = 3  # px over which a border ends
_JUMP: Final = 12.0  # grey levels across its end
_LONG: Final = 0.75  # share of that line at which there is such a jump


def has_border(photo: Image.Image) -> bool:
    """Whether a side is of one white or black paper that ends along all of it."""
    small = photo.convert("L")
    small.thumbnail((_SIDE, _SIDE), Image.Resampling.BOX)
    lines = np.asarray(small, dtype=np.float32)
    return any(_ends(it) for it in (lines, lines[::-1], lines.T, lines.T[::-1]))


def _ends(lines: NDArray[np.float32]) -> bool:
    outermost = lines[0]
    paper = float(np.median(outermost))
    if _DARK < paper < _BRIGHT or (np.abs(outermost - paper) < _EVEN).mean() < _BARE:
        return False
    first = lines[: round(_DEEPEST * len(lines)) + _ACROSS]
    jumps = np.abs(first[_ACROSS:] - first[:-_ACROSS]) > _JUMP
    return bool(jumps.mean(axis=1).max() > _LONG)
