"""What surrounds the pixels: format signature, orientation, colour profile.

Pillow parses EXIF, text and animation chunks while it opens a file, and answers odd
ones with warnings or errors about things we throw away. Warnings cannot be silenced for
one thread only, so those parts are taken out before Pillow sees the bytes.
"""

import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

JPEG: Final = "image/jpeg"
PNG: Final = "image/png"
WEBP: Final = "image/webp"
GIF: Final = "image/gif"
AVIF: Final = "image/avif"

UPRIGHT: Final = 1  # the EXIF orientation that means "as stored"

_ORIENTATION_TAG = 0x0112
_MAX_ORIENTATION = 8
_MAX_PROFILE_BYTES = 4_000_000  # inflated; CMYK print profiles reach 2 MB

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PNG_KEPT = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"})

_JPEG_EXIF = re.compile(rb"(\xff\xe1..)Exif\0\0", re.DOTALL)
_AVIF_EXIF = re.compile(rb"(infe[\x02\x03].{7,9})Exif", re.DOTALL)
_UNKNOWN = rb"\1none"

_GIF_EXTENSION, _GIF_FRAME, _GIF_END = 0x21, 0x2C, 0x3B


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """A file reduced to its pixels, and what was read beside them.

    `profile` is set only where the file had to be rebuilt without it (PNG); elsewhere
    Pillow reads it.
    """

    pixels: bytes
    orientation: int = UPRIGHT
    profile: bytes | None = None


def sniff(body: bytes) -> str | None:
    """Return the media type by the first bytes, or None for a format we do not take."""
    if body.startswith(b"\xff\xd8\xff"):
        return JPEG
    if body.startswith(_PNG_SIGNATURE):
        return PNG
    if body.startswith((b"GIF87a", b"GIF89a")):
        return GIF
    if body.startswith(b"RIFF") and body[8:12] == b"WEBP":
        return WEBP
    return AVIF if _is_avif(body) else None


def unwrap(body: bytes, *, media_type: str) -> Envelope:
    """Take the parts out of *body* that Pillow need not see."""
    if media_type == JPEG:
        return _unwrap_jpeg(body)
    if media_type == PNG:
        return _unwrap_png(body)
    if media_type == AVIF:
        # By its standard an AVIF is turned by its own boxes, never by EXIF.
        return Envelope(pixels=_AVIF_EXIF.sub(_UNKNOWN, body))
    return Envelope(pixels=body)


def gif_canvas(body: bytes) -> tuple[int, int]:
    """Return the size Pillow gives to the first frame: the screen, or more.

    It extends the screen when a frame sticks out of it, and warns if that is huge.
    """
    width, height = struct.unpack_from("<HH", body, 6)
    for left, top, frame_width, frame_height in _gif_frame(body):
        width, height = max(width, left + frame_width), max(height, top + frame_height)
    return width, height


def exif_orientation(exif: bytes) -> int:
    """Return the orientation (1 to 8) an EXIF block states, 1 if it states none."""
    tiff = exif.removeprefix(b"Exif\0\0")
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(tiff[:4])
    if order is None:
        return UPRIGHT
    try:
        return next(_orientations(tiff, order=order), UPRIGHT)
    except struct.error:  # the block ends before the directory does
        return UPRIGHT


def _orientations(tiff: bytes, *, order: str) -> Iterator[int]:
    (directory,) = struct.unpack_from(f"{order}I", tiff, 4)
    (count,) = struct.unpack_from(f"{order}H", tiff, directory)
    for entry in range(directory + 2, directory + 2 + 12 * count, 12):
        tag, _kind, _count, value = struct.unpack_from(f"{order}HHIH", tiff, entry)
        if tag == _ORIENTATION_TAG and UPRIGHT <= value <= _MAX_ORIENTATION:
            yield value


def _is_avif(body: bytes) -> bool:
    if body[4:8] != b"ftyp":
        return False
    end = min(int.from_bytes(body[:4], "big"), 1024)
    brands = {body[start : start + 4] for start in (8, *range(16, end, 4))}
    return bool(brands & {b"avif", b"avis"})


def _unwrap_jpeg(body: bytes) -> Envelope:
    # Same length, other identifier: the decoder skips segments it does not know.
    found = _JPEG_EXIF.search(body)
    orientation = UPRIGHT
    if found:
        length = int.from_bytes(body[found.start() + 2 : found.start() + 4], "big")
        orientation = exif_orientation(body[found.start() + 4 :][: length - 2])
    return Envelope(
        pixels=_JPEG_EXIF.sub(_UNKNOWN + rb"\0\0", body), orientation=orientation
    )


def _unwrap_png(body: bytes) -> Envelope:
    kept, orientation, profile = [_PNG_SIGNATURE], UPRIGHT, None
    for kind, chunk in _png_chunks(body):
        if kind in _PNG_KEPT:
            kept.append(chunk)
        elif kind == b"eXIf":
            orientation = exif_orientation(chunk[8:-4])
        elif kind == b"iCCP":
            profile = _inflated_profile(chunk[8:-4])
    return Envelope(pixels=b"".join(kept), orientation=orientation, profile=profile)


def _png_chunks(body: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield (type, whole chunk); the last one may be cut off."""
    start = len(_PNG_SIGNATURE)
    while start < len(body):
        length = int.from_bytes(body[start : start + 4], "big")
        end = start + 12 + length
        yield body[start + 4 : start + 8], body[start:end]
        start = end


def _inflated_profile(content: bytes) -> bytes | None:
    _name, _, packed = content.partition(b"\0")
    inflater = zlib.decompressobj()
    try:
        profile = inflater.decompress(packed[1:], _MAX_PROFILE_BYTES)
    except zlib.error:
        return None
    return profile if inflater.eof else None


def _gif_frame(body: bytes) -> Iterator[tuple[int, int, int, int]]:
    """Yield left, top, width, height of the first frame, if there is one."""
    flags = body[10]
    at = 13 + (3 << (flags & 7) + 1 if flags & 0x80 else 0)
    while at + 9 < len(body) and body[at] != _GIF_END:
        if body[at] == _GIF_FRAME:
            yield struct.unpack_from("<HHHH", body, at + 1)
            return
        at = _after_gif_blocks(body, at + 2) if body[at] == _GIF_EXTENSION else at + 1


def _after_gif_blocks(body: bytes, at: int) -> int:
    while at < len(body) and body[at]:
        at += body[at] + 1
    return at + 1
