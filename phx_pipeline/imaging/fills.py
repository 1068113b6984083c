"""Zeros where packed pixels should be: what a broken transfer leaves in a full file.

For formats whose decoders go on through them without a word.
"""

from collections.abc import Iterator
from typing import Final

RUN: Final = 512  # bytes; sound lossy pictures had 37 of one kind at the most

_FILLS: Final = (bytes(RUN), b"\xff" * RUN)
_WEBP_CHUNKS: Final = 12  # where the first one starts
_CHUNK_HEADER: Final = 8
_FRAME_HEADER: Final = 16  # of an animation's frame, before its chunks


def has_fill(body: bytes, *, media_type: str) -> bool:
    """Whether a long run of zeros or ones stands in the pixels of a WebP or AVIF.

    Only lossy ones are judged, and an AVIF by its end alone: plain areas and what
    stands beside the pixels may hold such runs.
    """
    if media_type == "image/webp":
        return any(
            body.find(fill, start, end) >= 0
            for start, end in _lossy(body, _WEBP_CHUNKS)
            for fill in _FILLS
        )
    return media_type == "image/avif" and body.endswith(_FILLS)


def _lossy(body: bytes, at: int) -> Iterator[tuple[int, int]]:
    """Yield where the lossy pixels of a WebP's first frame start and end."""
    while at + _CHUNK_HEADER < len(body):
        kind, start = body[at : at + 4], at + _CHUNK_HEADER
        length = int.from_bytes(body[at + 4 : start], "little")
        if kind == b"VP8 ":
            yield start, start + length
            return
        at = start + (_FRAME_HEADER if kind == b"ANMF" else length + length % 2)
