"""How many pixels of a picture say something: enlarging and blurring add none.

Which copy wins by it is the cluster's matter.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from phx_pipeline.dedup.steps import before_repeating

_SIDE: Final = 32  # px of a block
_MOST: Final = 14  # blocks along each side; they stand for the whole
_FAINTEST: Final = 9.0  # grey levels a pattern must reach at one megapixel
_MEGAPIXEL: Final = 1e6
_REAL: Final = 0.85  # where pixels were repeated: JPEG draws the edges of those, too
_UNIT: Final = 1 << 10  # of the whole-numbered cosines

Box = tuple[int, int, int, int]


def _cosines() -> NDArray[np.float64]:
    """Return the DCT-II of a block's side, times `_UNIT`, as whole numbers."""
    frequency, position = np.arange(_SIDE)[:, None], np.arange(_SIDE) + 0.5
    basis = np.cos(np.pi / _SIDE * frequency * position) * np.sqrt(2 / _SIDE)
    basis[0] /= np.sqrt(2)
    cosines: NDArray[np.float64] = np.rint(basis * _UNIT)
    return cosines


_COSINES: Final = _cosines()
_COSINES_32: Final = _COSINES.astype(np.float32)


def detail(image: Image.Image, box: Box) -> int:
    """Return the pixels that would hold what is seen inside *box* of a picture.

    A block of n pixels has n frequencies; counted are those above what JPEG leaves of
    nothing. That limit grows with the size, as a pattern does when it is enlarged, so
    that copies of all sizes are asked for the same. Sums of whole numbers below 2**53
    are exact, in float32 below 2**24 as those along the columns are: every machine
    counts the same.
    """
    if size := before_repeating(image, box):
        image = image.crop(box).resize(size, Image.Resampling.NEAREST)
        return round(_REAL * _detail(image, (0, 0, *size)))
    return _detail(image, box)


def _detail(image: Image.Image, box: Box) -> int:
    left, top, right, bottom = box
    lefts, tops = _places(right - left), _places(bottom - top)
    if not (lefts.size and tops.size):
        return 0
    pixels = (right - left) * (bottom - top)
    limit = _UNIT**2 * _FAINTEST * np.sqrt(pixels / _MEGAPIXEL)
    seen = 0
    for row in tops:
        band = image.crop((left, top + int(row), right, top + int(row) + _SIDE))
        grey = band if band.mode == "L" else band.convert("L")  # which would copy it
        seen += _above(np.asarray(grey), lefts, limit=limit)
    return seen * pixels // (lefts.size * tops.size * _SIDE**2)


def _places(length: int) -> NDArray[np.int64]:
    """Return where blocks start along a side, evenly from end to end."""
    count = min(length // _SIDE, _MOST)
    return np.arange(count) * (length - _SIDE) // max(1, count - 1)


def _above(band: NDArray[np.uint8], lefts: NDArray[np.int64], *, limit: float) -> int:
    columns = lefts[:, None] + np.arange(_SIDE)
    blocks = band[:, columns].transpose(1, 0, 2).astype(np.float32)
    spectra = (_COSINES_32 @ blocks).astype(np.float64) @ _COSINES.T
    return int(np.count_nonzero(np.abs(spectra) > limit))
