"""One byte over and over where packed pixels should be: a broken transfer's rest.

For formats whose decoders go on through them without a word.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np

RUN: Final = 512  # bytes; sound lossy pictures had 37 of one kind at the most
LOSSLESS_RUN: Final = 65_536  # bytes; plain areas are packed into such runs as well

_WEBP_CHUNKS: Final = 12  # where the first one starts
_CHUNK_HEADER: Final = 8
_FRAME_HEADER: Final = 16  # of an animation's frame, before its chunks


def has_fill(body: bytes, *, media_type: str) -> bool:
    """Whether a long run of one byte stands in the pixels of a WebP or AVIF.

    Lossless ones and AVIF are judged by their end alone: plain areas and what stands
    beside the pixels may hold such runs.
    """
    if media_type == "image/avif":
        return _ends_in_run(body, RUN)
    if media_type != "image/webp":
        return False
    return any(
        _longest_run(pixels) >= RUN
        if kind == b"VP8 "
        else _ends_in_run(pixels, LOSSLESS_RUN)
        for kind, pixels in _pixels(body, _WEBP_CHUNKS)
    )


def _longest_run(data: bytes) -> int:
    if not data:
        return 0
    values = np.frombuffer(data, dtype=np.uint8)
    changes = np.flatnonzero(values[1:] != values[:-1]) + 1
    return int(np.diff(changes, prepend=0, append=len(values)).max())


def _ends_in_run(data: bytes, size: int) -> bool:
    return len(data) >= size and data.endswith(data[-1:] * size)


def _pixels(body: bytes, at: int) -> Iterator[tuple[bytes, bytes]]:
    """Yield the kind and the packed pixels of a WebP's first frame."""
    while at + _CHUNK_HEADER < len(body):
        kind, start = body[at : at + 4], at + _CHUNK_HEADER
        length = int.from_bytes(body[at + 4 : start], "little")
        if kind in {b"VP8 ", b"VP8L"}:
            yield kind, body[start : start + length]
            return
        at = start + (_FRAME_HEADER if kind == b"ANMF" else length + length % 2)
