"""Whether a picture was enlarged by repeating pixels, and how large it was before.

Repeated lines come at regular distances in both directions, which no scene does.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from phx_pipeline.dedup.tiles import SIDE, Tiles

_LOOKED_AT: Final = 256  # px across, in the middle
_NEAR: Final = 9  # px that say what is usual
_RAREST: Final = 0.1  # of the lines are repeated; fewer make no picture larger
_SHARE: Final = 0.2  # of how changes vary, at one distance; photos have 0.15 at most
_AGREE: Final = 0.01  # by which both directions may differ in how many are repeated
_LARGER: Final = 1.05  # times the pixels a side
_REPEATED: Final = (
    0.55  # times as much change; 0.46 at most, of JPEG blocks 0.64 or more
)
_NOTHING: Final = 1e-3  # grey levels, of no moment


def before_repeating(
    image: Image.Image, box: tuple[int, int, int, int]
) -> tuple[int, int] | None:
    """Return width and height before pixels were repeated, None where none were.

    Args:
        image: of any size: only two bands of it are copied.
        box: what is looked at: left, top, right and bottom, in pixels.
    """
    left, top, right, bottom = box
    width, height = right - left, bottom - top
    if min(width, height) < _LOOKED_AT:
        return None
    begins = top + (height - _LOOKED_AT) // 2
    rows = image.crop((left, begins, right, begins + _LOOKED_AT)).convert("L")
    across = _repeated(np.asarray(rows))
    if not across:
        return None
    begins = left + (width - _LOOKED_AT) // 2
    columns = image.crop((begins, top, begins + _LOOKED_AT, bottom)).convert("L")
    down = _repeated(np.asarray(columns).T)
    if abs(across - down) > _AGREE:
        return None
    return round(width * (1 - across)), round(height * (1 - down))


def _repeated(lines: NDArray[np.uint8]) -> float:
    """Return the share of the columns that repeat the one before; 0 for none.

    Where a column is repeated, next to nothing changes: that shows as one frequency in
    how much changes from column to column.
    """
    levels = lines.astype(np.int16)  # small: pictures are of up to 40 megapixels
    steps = np.abs(levels[:, 1:] - levels[:, :-1]).astype(np.uint16)
    steps *= steps  # 65,025 at most
    change = np.log(steps.sum(axis=0, dtype=np.uint32) / lines.shape[0] + 1)
    padded = np.pad(change, _NEAR // 2, mode="edge")
    usual = np.convolve(padded, np.full(_NEAR, 1 / _NEAR), "valid")
    power = np.abs(np.fft.rfft(change - usual)) ** 2
    power[: round(_RAREST * change.size)] = 0
    most = int(power.argmax())
    if power[most - 1 : most + 2].sum() < _SHARE * power.sum() or not power.any():
        return 0.0
    return float(most / change.size)


def repeats(large: Tiles, small: Tiles) -> bool:
    """Whether the larger of two copies of one frame repeats pixels of the smaller.

    Which of its lines are repeated follows from both sizes, so that little tells it:
    even where most of what is repeated was drawn anew by JPEG, less changes there.
    """
    return all(_change(large, small, axis) < _REPEATED for axis in (0, 1))


def _change(large: Tiles, small: Tiles, axis: int) -> float:
    """Return how much changes at lines that would be repeated, for that at others."""
    factor = large.size[axis] / small.size[axis]
    if factor < _LARGER:
        return 1.0
    levels = large.levels.astype(np.float32)
    steps = np.abs(np.diff(levels, axis=2 - axis)).mean(axis=1 + axis)
    starts = np.array(large.places)[:, axis, None] + np.arange(SIDE - 1)
    first, second = (np.floor((starts + it) / factor) for it in (0.5, 1.5))
    repeated = first == second
    if repeated.all() or not repeated.any():
        return 1.0
    return float(steps[repeated].mean() / (steps[~repeated].mean() + _NOTHING))
