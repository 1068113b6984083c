"""Bodies of pictures, some made by hand, and the formats that are opened."""

import struct
import zlib
from collections.abc import Callable

from PIL import Image

MakePicture = Callable[..., Image.Image]
Encode = Callable[..., bytes]

FORMATS = {
    "JPEG": "image/jpeg",
    "PNG": "image/png",
    "WEBP": "image/webp",
    "GIF": "image/gif",
    "AVIF": "image/avif",
}


def chunk(kind: bytes, content: bytes) -> bytes:
    crc = struct.pack(">I", zlib.crc32(kind + content))
    return struct.pack(">I", len(content)) + kind + content + crc


def grey_png(
    size: tuple[int, int],
    *,
    rows: bytes | None = None,
    extra: bytes = b"",
    depth: int = 8,
) -> bytes:
    """Build an 8-bit (or deeper) grey PNG by hand; black unless *rows* are given."""
    if rows is None:
        rows = bytes((size[0] * depth // 8 + 1) * size[1])
    header = struct.pack(">IIBBBBB", *size, depth, 0, 0, 0, 0)
    return b"".join(
        [
            b"\x89PNG\r\n\x1a\n",
            chunk(b"IHDR", header),
            extra,
            chunk(b"IDAT", zlib.compress(rows)),
            chunk(b"IEND", b""),
        ]
    )
