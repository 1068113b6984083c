"""Pictures that look alike without being copies: plans, documents, blanks, logos.

Hashes see little more than "white page, lines" there. Told by their few grey levels,
by the paper that shows between the lines, or by having no pattern at all.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

MIN_ENTROPY: Final = 5.5  # bits per pixel; 5.6 was the least of 1,604 photos
MAX_PAPER: Final = 0.46  # share of near-white pixels; 0.445 was the most
MIN_ENTROPY_PHOTO: Final = 7.0  # bits; 6.9 was the most of 36 drawn rooms and walls
MIN_BUSY: Final = 0.1  # share of blocks with a pattern; 0.34 was the least

_PAPER: Final = 235  # grey level
_BLOCK: Final = 8  # px at the 128 px this is measured at
_PATTERN: Final = 8.0  # standard deviation in grey levels


def is_low_information(luminance: NDArray[np.uint8]) -> bool:
    """Tell from the luminance of the content, longest side 128 px or a little more."""
    return (
        entropy(luminance) < MIN_ENTROPY
        or paper_share(luminance) > MAX_PAPER
        or busy_share(luminance) < MIN_BUSY
    )


def is_photo(luminance: NDArray[np.uint8]) -> bool:
    """Whether it has more grey levels than what is drawn; faint photos have fewer."""
    return entropy(luminance) >= MIN_ENTROPY_PHOTO


def entropy(luminance: NDArray[np.uint8]) -> float:
    """Return the Shannon entropy of the grey levels, 0 to 8 bits."""
    counts = np.bincount(luminance.ravel(), minlength=256)
    shares = counts[counts > 0] / luminance.size
    return float(-(shares * np.log2(shares)).sum())


def paper_share(luminance: NDArray[np.uint8]) -> float:
    """Return the share of pixels as bright as paper."""
    return float((luminance >= _PAPER).mean())


def busy_share(luminance: NDArray[np.uint8]) -> float:
    """Return the share of whole 8 x 8 blocks that show a pattern, not just noise."""
    rows, columns = (side // _BLOCK for side in luminance.shape)
    whole = luminance[: rows * _BLOCK, : columns * _BLOCK].astype(np.float32)
    blocks = whole.reshape(rows, _BLOCK, columns, _BLOCK).swapaxes(1, 2)
    deviations = blocks.reshape(rows * columns, _BLOCK * _BLOCK).std(axis=1)
    return float((deviations > _PATTERN).mean()) if deviations.size else 0.0
