"""Whether a picture was enlarged by repeating pixels, and how large it was before.

Repeated lines come at regular distances in both directions, which no scene does.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

_LOOKED_AT: Final = 256  # px across, in the middle
_NEAR: Final = 9  # px that say what is usual
_RAREST: Final = 0.1  # of the lines are repeated; fewer make no picture larger
_SHARE: Final = 0.2  # of how changes vary, at one distance; photos have 0.15 at most
_AGREE: Final = 0.01  # by which both directions may differ in how many are repeated


def before_repeating(image: Image.Image) -> tuple[int, int] | None:
    """Return width and height before pixels were repeated, None where none were."""
    width, height = image.size
    if min(image.size) < _LOOKED_AT:
        return None
    left, top = ((it - _LOOKED_AT) // 2 for it in image.size)
    rows = image.crop((0, top, width, top + _LOOKED_AT)).convert("L")
    across = _repeated(np.asarray(rows))
    if not across:
        return None
    columns = image.crop((left, 0, left + _LOOKED_AT, height)).convert("L")
    down = _repeated(np.asarray(columns).T)
    if abs(across - down) > _AGREE:
        return None
    return round(width * (1 - across)), round(height * (1 - down))


def _repeated(lines: NDArray[np.uint8]) -> float:
    """Return the share of the columns that repeat the one before; 0 for none.

    Where a column is repeated, next to nothing changes: that shows as one frequency in
    how much changes from column to column.
    """
    levels = lines.astype(np.float64)
    change = np.log(((levels[:, 1:] - levels[:, :-1]) ** 2).mean(axis=0) + 1)
    padded = np.pad(change, _NEAR // 2, mode="edge")
    usual = np.convolve(padded, np.full(_NEAR, 1 / _NEAR), "valid")
    power = np.abs(np.fft.rfft(change - usual)) ** 2
    power[: round(_RAREST * change.size)] = 0
    most = int(power.argmax())
    if power[most - 1 : most + 2].sum() < _SHARE * power.sum() or not power.any():
        return 0.0
    return float(most / change.size)
