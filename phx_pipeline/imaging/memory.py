"""How much memory a picture takes while it is decoded, told before it is.

Decoders differ: some hold coefficients, some a second canvas. So pixels are counted as
so many plain ones as take the same memory. The factors were measured with the largest
files of each kind, turned by EXIF.
"""

import struct
from typing import Final

from PIL.ImageFile import ImageFile

MAX_PIXELS: Final = 40_000_000
"""Of a plain picture: an RGB or grey one of 8 bits in one pass; 7 bytes for each."""

_PLAIN: Final = 1.0
_SCANS: Final = 1.4  # a JPEG in several passes: all its coefficients
_INKS: Final = 1.7  # CMYK, and the same
_WIDE: Final = 2.0  # transparency, or more than 8 bits
_CANVASES: Final = 2.9  # formats whose decoders keep whole canvases: WebP, AVIF

_PNG_HEADER: Final = struct.Struct(">IIBB")
_PNG_HEADER_AT: Final = 16
_GREY: Final = 0
_WITH_ALPHA: Final = frozenset({4, 6})  # kinds of colour
_EIGHT_BIT: Final = 8


def weighed_pixels(file: ImageFile) -> int:
    """Return the plain pixels that take as much memory as *file*, opened only."""
    return round(file.width * file.height * _factor(file))


def weighed_scans(pixels: int, *, count: int) -> int:
    """Return the same for a JPEG of so many *pixels* in *count* passes."""
    return round(pixels * (_SCANS if count > 1 else _PLAIN))


def weighed_png(png: bytes) -> int:
    """Return the same for a PNG by its header: texts behind that may be bombs.

    Raises:
        struct.error: the header is cut off.
    """
    header: tuple[int, ...] = _PNG_HEADER.unpack_from(png, _PNG_HEADER_AT)
    width, height, depth, colour = header
    keyed = png.find(b"tRNS", 0, png.find(b"IDAT")) >= 0
    deep = depth > _EIGHT_BIT and colour == _GREY  # Pillow cuts deep colours itself
    wide = keyed or deep or colour in _WITH_ALPHA
    return round(width * height * (_WIDE if wide else _PLAIN))


def _factor(file: ImageFile) -> float:
    if file.format in {"WEBP", "AVIF"}:
        return _CANVASES
    if file.mode == "CMYK":
        return _INKS
    if "progressive" in file.info:
        return _SCANS
    wide = file.mode.startswith("I") or file.has_transparency_data
    return _WIDE if wide else _PLAIN
