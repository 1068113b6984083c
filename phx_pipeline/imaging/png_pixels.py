"""A PNG with nothing in it but what its pixels need.

Pillow refuses whole pictures for what stands beside them: long texts and profiles, an
end cut off, an animation that does not count right. And it leaves black what is not
there, so what is there is counted here.
"""

import struct
import zlib
from collections.abc import Iterator
from types import MappingProxyType
from typing import Final

SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"

_PIXELS: Final = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT"})
_BESIDE: Final = frozenset({b"iCCP", b"eXIf", b"zTXt", b"tEXt"})
_EXIF_AS_TEXT: Final = b"Raw profile type exif\0"
_MAX_UNPACKED: Final = 1_000_000  # bytes; Pillow takes little more
_END: Final = struct.pack(">I4sI", 0, b"IEND", zlib.crc32(b"IEND"))

_HEADER: Final = struct.Struct(">IIBBBBB")
_HEADER_AT: Final = 16  # the header comes first
_LEVELS: Final = MappingProxyType({0: 1, 2: 3, 3: 1, 4: 2, 6: 4})  # by kind of colour
_AT_ONCE: Final = 1 << 20  # bytes unpacked
# Where each pass of an interlaced picture starts, and its steps: x, y, x, y.
_PASSES: Final = (
    (0, 0, 8, 8),
    (4, 0, 8, 8),
    (0, 4, 4, 8),
    (2, 0, 4, 4),
    (0, 2, 2, 4),
    (1, 0, 2, 2),
    (0, 1, 1, 2),
)


def pixels_only(body: bytes) -> bytes:
    """Return the PNG *body* as a still picture, with profile and EXIF if they are sane.

    What is missing of the pixels stays missing.

    Raises:
        ValueError: A chunk the pixels need does not match its checksum.
    """
    kept = [chunk for kind, chunk in _chunks(body) if _is_wanted(kind, chunk)]
    return b"".join([SIGNATURE, *kept, _END])


def has_all_rows(png: bytes) -> bool:
    """Whether what `pixels_only` returned unpacks to as much as its header states.

    Raises:
        LookupError: Its kind of colour is unknown.
        zlib.error: It does not unpack.
    """
    lacking = _unpacked_size(png)
    unpacker = zlib.decompressobj()
    for kind, chunk in _chunks(png):
        packed = chunk[8:-4] if kind == b"IDAT" else b""
        while packed and lacking > 0:
            lacking -= len(unpacker.decompress(packed, _AT_ONCE))
            packed = unpacker.unconsumed_tail
    return lacking <= 0


def _unpacked_size(png: bytes) -> int:
    """Return how many bytes the rows take, each with the number of its filter."""
    header = _HEADER.unpack_from(png, _HEADER_AT)
    width, height, depth, colour, _, _, interlaced = header
    size = 0
    for x, y, across, down in _PASSES if interlaced else ((0, 0, 1, 1),):
        columns, rows = -(-(width - x) // across), -(-(height - y) // down)
        size += rows * (1 + -(-columns * depth * _LEVELS[colour] // 8))
    return size


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
        if not _matches_checksum(chunk):
            raise ValueError(f"the checksum of {kind.decode()} is wrong")
        return True
    if kind not in _BESIDE or len(chunk) > _MAX_UNPACKED:
        return False
    content = chunk[8:-4]
    if not _matches_checksum(chunk):
        return False
    if kind in {b"zTXt", b"tEXt"} and not content.startswith(_EXIF_AS_TEXT):
        return False
    return kind not in {b"iCCP", b"zTXt"} or _unpacks_to_little(content)


def _matches_checksum(chunk: bytes) -> bool:
    return zlib.crc32(chunk[4:-4]) == int.from_bytes(chunk[-4:], "big")


def _unpacks_to_little(content: bytes) -> bool:
    """Whether what is packed behind the name and the method is no bomb."""
    packed = content.partition(b"\0")[2][1:]
    unpacker = zlib.decompressobj()
    try:
        unpacker.decompress(packed, _MAX_UNPACKED)
    except zlib.error:
        return False
    return not unpacker.unconsumed_tail
