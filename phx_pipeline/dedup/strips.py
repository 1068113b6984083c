"""Whether what one copy shows above or below another is no part of the scene.

A caption with text is no flat border, so nobody has trimmed it.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from phx_pipeline.model.appearance import THUMBNAIL_SIDE, Appearance

_HALF: Final = THUMBNAIL_SIDE / 2  # rows per unit of u
_BLUR: Final = 0.3  # rows on the outer side of an edge that both parts reach into
_CLEAR: Final = 0.7  # rows on the inner side
_JUMP: Final = 40.0  # grey levels from row to row; cropping bares 39 at the most
_STEEP: Final = 2.8  # times what rows as far apart differ by within the picture

Plane = NDArray[np.float64]


def has_strip(look: Appearance, *, top: float, bottom: float) -> bool:
    """Whether rows of *look* outside *top* to *bottom* are a strip.

    These are where another copy ends, from -1 to 1 of the trimmed frame. Scenes go on
    across that line; at a strip the next row is another matter.
    """
    rows = np.frombuffer(look.thumbnail, dtype=np.uint8).astype(np.float64)
    plane = rows.reshape(THUMBNAIL_SIDE, THUMBNAIL_SIDE)
    above, below = (top + 1) * _HALF, (1 - bottom) * _HALF
    return _breaks(plane, at=above) or _breaks(plane[::-1], at=below)


def _breaks(plane: Plane, *, at: float) -> bool:
    """Whether the picture breaks off at that row from the start."""
    outer, inner = int(np.floor(at - _BLUR)) - 1, int(np.ceil(at + _CLEAR))
    gap = inner - outer
    if outer < 0 or inner + gap >= len(plane):
        return False
    jump = np.abs(plane[outer] - plane[inner]).mean()
    usual = np.median(np.abs(plane[inner + gap :] - plane[inner:-gap]).mean(axis=1))
    return bool(jump > max(_JUMP, _STEEP * usual))
