"""A PNG encoder for photos: one filter for all rows, packed by ISA-L's deflate.

Why not Pillow's: `docs/adr` has the measurements.
"""

import struct
from typing import Final

import numpy as np
from isal import isal_zlib
from numpy.typing import NDArray

_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_EIGHT_BIT_RGB: Final = (8, 2, 0, 0, 0)
_AVERAGE: Final = 3  # the filter that predicts the mean of left and upper neighbour
_LEVEL: Final = 1
_STEP: Final = 3  # bytes from a sample to its left neighbour
_BAND: Final = 32  # rows filtered at once: what fits the processor's cache


def encode_png(pixels: NDArray[np.uint8]) -> bytes:
    """Return *pixels* (height x width x 3, RGB) as PNG without metadata.

    The same pixels give the same bytes on one kind of processor; on another kind the
    bytes may differ, the pixels never.
    """
    height, width, _ = pixels.shape
    packed = isal_zlib.compress(_filtered(pixels.reshape(height, -1)), _LEVEL)
    header = struct.pack(">II5B", width, height, *_EIGHT_BIT_RGB)
    chunks = ((b"IHDR", header), (b"IDAT", packed), (b"IEND", b""))
    return b"".join([_SIGNATURE, *(part for it in chunks for part in _chunk(*it))])


def _filtered(rows: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return each row as its filter's number and its differences from the prediction.

    Left of and above the picture lie zeros, as the PNG standard has it.
    """
    height, size = rows.shape
    lines = np.empty((height, 1 + size), dtype=np.uint8)
    lines[:, 0] = _AVERAGE
    lines[0, 1 : 1 + _STEP] = rows[0, :_STEP]
    np.subtract(rows[0, _STEP:], rows[0, :-_STEP] >> 1, out=lines[0, 1 + _STEP :])
    for top in range(1, height, _BAND):
        band = rows[top : top + _BAND]
        above = rows[top - 1 : top - 1 + len(band)]
        differences = lines[top : top + _BAND, 1:]
        differences[:, :_STEP] = band[:, :_STEP] - (above[:, :_STEP] >> 1)
        mean = _mean(band[:, :-_STEP], above[:, _STEP:])
        np.subtract(band[:, _STEP:], mean, out=differences[:, _STEP:])
    return lines


def _mean(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the mean, rounded down, without leaving eight bits."""
    mean = a ^ b
    mean >>= 1
    mean += a & b
    return mean


def _chunk(kind: bytes, content: bytes) -> tuple[bytes, ...]:
    """Return a chunk in parts, so that its content is copied only once."""
    checksum = isal_zlib.crc32(content, isal_zlib.crc32(kind))
    length = struct.pack(">I", len(content))
    return length, kind, content, struct.pack(">I", checksum)
