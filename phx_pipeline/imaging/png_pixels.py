"""A PNG with nothing in it but what its pixels need.

Pillow refuses whole pictures for what stands beside them: long texts and profiles, an
end cut off, an animation that does not count right.
"""

import struct
import zlib
from collections.abc import Iterator
from typing import Final

SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"

_PIXELS: Final = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT"})
_BESIDE: Final = frozenset({b"iCCP", b"eXIf", b"zTXt", b"tEXt"})
_EXIF_AS_TEXT: Final = b"Raw profile type exif\0"
_MAX_UNPACKED: Final = 1_000_000  # bytes; Pillow takes little more
_END: Final = struct.pack(">I4sI", 0, b"IEND", zlib.crc32(b"IEND"))


def pixels_only(body: bytes) -> bytes:
    """Return the PNG *body* as a still picture, with profile and EXIF if they are sane.

    What is missing of the pixels stays missing.
    """
    kept = [chunk for kind, chunk in _chunks(body) if _is_wanted(kind, chunk)]
    return b"".join([SIGNATURE, *kept, _END])


def _chunks(body: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield kind and chunk up to the end; one whose checksum is cut off gets it."""
    at = len(SIGNATURE)
    while at + 8 < len(body):
        length, kind = struct.unpack_from(">I4s", body, at)
        if kind == b"IEND":
            return
        chunk = body[at : at + length + 12]
        if len(chunk) < length + 12:
            content = chunk[8 : 8 + length]
            chunk = struct.pack(">I4s", len(content), kind) + content
            chunk += struct.pack(">I", zlib.crc32(content, zlib.crc32(kind)))
        yield kind, chunk
        at += length + 12


def _is_wanted(kind: bytes, chunk: bytes) -> bool:
    if kind in _PIXELS:
        return True
    if kind not in _BESIDE or len(chunk) > _MAX_UNPACKED:
        return False
    content = chunk[8:-4]
    if zlib.crc32(content, zlib.crc32(kind)) != int.from_bytes(chunk[-4:], "big"):
        return False
    if kind in {b"zTXt", b"tEXt"} and not content.startswith(_EXIF_AS_TEXT):
        return False
    return kind not in {b"iCCP", b"zTXt"} or _unpacks_to_little(content)


def _unpacks_to_little(content: bytes) -> bool:
    """Whether what is packed behind the name and the method is no bomb."""
    packed = content.partition(b"\0")[2][1:]
    unpacker = zlib.decompressobj()
    try:
        unpacker.decompress(packed, _MAX_UNPACKED)
    except zlib.error:
        return False
    return not unpacker.unconsumed_tail
