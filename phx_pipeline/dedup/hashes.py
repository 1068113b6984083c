"""pHash and dHash as 64-bit integers, of the full and of the border-trimmed frame.

The bits are those of `imagehash.phash` and `imagehash.dhash`; the one luminance plane
is shared. Trimming finds the picture inside letterbox bars and caption strips, so
that copies with and without them meet.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from phx_pipeline.dedup.lanczos import Plane, shrunk
from phx_pipeline.model.photo import PictureHashes

_SIDE: Final = 8  # bits per side of a hash
HASHED_SIDE: Final = 32  # px of the square that pHash looks at
_TRIM_WIDTH: Final = 256  # px; borders are looked for at this width, or up to twice it
_BAND: Final = 64  # rows
_LARGE: Final = 8_000_000  # pixels
_FLAT_BELOW: Final = 6.0  # standard deviation of a border line, in grey levels
_LEAST_BOX: Final = 40 / 256  # of the width; a smaller rest says nothing

_Box = tuple[int, int, int, int]


def picture_hashes(image: Image.Image, grey: Plane | None = None) -> PictureHashes:
    """Return the four hashes of a picture in any mode; *grey* is its `luminance`."""
    plane = luminance(image) if grey is None else grey
    full = _pair(plane)
    box = _content_box(plane)
    if box is None:
        return _hashes(full, trimmed=full)
    left, top, right, bottom = box
    return _hashes(full, trimmed=_pair(plane[top:bottom, left:right]))


def distance(a: int, b: int) -> int:
    """Return in how many of 64 bits two hashes differ."""
    return (a ^ b).bit_count()


def luminance(image: Image.Image) -> Plane:
    """Return the luminance plane (height x width).

    Of a large picture band by band, because on the way to numpy Pillow makes two more
    copies.
    """
    width, height = image.size
    if width * height <= _LARGE:
        return np.asarray(image.convert("L"))
    plane = np.empty((height, width), dtype=np.uint8)
    for top in range(0, height, _BAND):
        band = image.crop((0, top, width, min(top + _BAND, height)))
        plane[top : top + _BAND] = np.asarray(band.convert("L"))
    return plane


def _pair(plane: Plane) -> tuple[int, int]:
    square, strip = shrunk(
        plane, sizes=[(HASHED_SIDE, HASHED_SIDE), (_SIDE + 1, _SIDE)]
    )
    return phash_of(square), _dhash(strip)


def _hashes(full: tuple[int, int], *, trimmed: tuple[int, int]) -> PictureHashes:
    return PictureHashes(
        phash=full[0],
        dhash=full[1],
        trimmed_phash=trimmed[0],
        trimmed_dhash=trimmed[1],
    )


def _folds() -> NDArray[np.float64]:
    """Return the half (29 x 32) of the DCT in whole numbers: mirror sums, differences.

    Rows: 16 differences of the plane with its mirror image, 8 and 4 of the plane folded
    once and twice, 1 sum of everything.
    """
    plane, rows = np.eye(HASHED_SIDE, dtype=np.int64), []
    for _ in range(3):
        near, far = plane[: len(plane) // 2], plane[len(plane) // 2 :][::-1]
        rows.append(near - far)
        plane = near + far
    folds = np.concatenate([*rows, plane.sum(axis=0, keepdims=True)])
    return folds.astype(np.float64)


def _cosines() -> NDArray[np.float64]:
    """Return the other half (8 x 29): `_cosines() @ _folds()` is the DCT-II.

    These are the first 8 rows of the unnormalised 32-point DCT-II.
    """
    frequency, position = np.arange(_SIDE)[:, None], np.arange(HASHED_SIDE) + 0.5
    full = np.cos(np.pi / HASHED_SIDE * frequency * position)
    cosines = np.zeros((_SIDE, 29))
    cosines[1::2, :16] = full[1::2, :16]
    cosines[2::4, 16:24] = full[2::4, :8]
    cosines[4, 24:28] = full[4, :4]
    cosines[0, 28] = 1.0
    return cosines


_FOLDS: Final = _folds()
_COSINES: Final = _cosines()
_MIDDLE: Final = np.array((31, 32))  # places of the two median values of 64


def phash_of(plane: Plane) -> int:
    """Return the pHash of a square of `HASHED_SIDE` pixels."""
    # Folding first, in whole numbers that floats have exactly, keeps what cancels zero.
    # A plain product leaves rounding noise there, and the bits of flat and symmetric
    # pictures become random.
    folded = _FOLDS @ plane.astype(np.float64) @ _FOLDS.T
    spectrum = _COSINES @ folded @ _COSINES.T
    middle = np.partition(spectrum, _MIDDLE, axis=None)[_MIDDLE]  # as `np.median` does
    return _pack(spectrum > (middle[0] + middle[1]) / 2)


def _dhash(plane: Plane) -> int:
    return _pack(plane[:, 1:] > plane[:, :-1])


def _pack(bits: NDArray[np.bool_]) -> int:
    """Return the bits as one integer, the top left one first."""
    return int.from_bytes(np.packbits(bits).tobytes(), "big")


def _content_box(plane: Plane) -> _Box | None:
    """Return the frame without flat borders, or None when the full frame is to be used.

    Rows and columns count as border while their standard deviation stays below
    `_FLAT_BELOW`, at most a third of the frame from each side.
    """
    full_height, full_width = plane.shape
    factor = max(1, full_width // _TRIM_WIDTH)
    small = Image.fromarray(plane).reduce(factor)
    pixels = np.asarray(small, dtype=np.float32)
    height, width = pixels.shape
    left, right = _inner_span(pixels.std(axis=0))
    top, bottom = _inner_span(pixels.std(axis=1))
    if (right - left, bottom - top) == (width, height):
        return None
    if min(right - left, bottom - top) <= _LEAST_BOX * width:
        return None
    return (
        left * factor,
        top * factor,
        min(right * factor, full_width),
        min(bottom * factor, full_height),
    )


def _inner_span(deviations: NDArray[np.float32]) -> tuple[int, int]:
    flat = deviations < _FLAT_BELOW
    limit = len(flat) // 3
    return _leading(flat, limit=limit), len(flat) - _leading(flat[::-1], limit=limit)


def _leading(flat: NDArray[np.bool_], *, limit: int) -> int:
    """Return how many lines from the start are flat, at most *limit*."""
    busy = np.flatnonzero(~flat[:limit])
    return int(busy[0]) if busy.size else limit
