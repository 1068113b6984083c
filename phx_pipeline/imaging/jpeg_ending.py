"""Whether a JPEG's data end where its picture ends, told without a strict decoder.

A decoder goes on with made-up bits where data lack, and leaves alone what is too much.
So other bytes behind the end must change nothing, and in place of the last ones they
must change something. It takes three decodings, or six: for rare kinds alone.
"""

import random
import zlib
from io import BytesIO
from typing import Final

import simplejpeg
from PIL import Image

from phx_pipeline.imaging.jpeg_scans import END, Scans

_LENGTH: Final = 64  # bytes put behind the end: more than a block needs
_NEEDED: Final = 4  # bytes at the end, of which some decide on a pixel
_SPARED: Final = 3  # the last third: an arithmetic coder ends plain areas early
_EIGHTH: Final = 8
_REDUCED_ABOVE: Final = 16_000_000  # pixels


def ends_rightly(body: bytes, scans: Scans) -> bool:
    """Tell of the first picture in *body*; of a progressive one, of its last scan.

    That may be all but empty, and large pictures are looked at at an eighth of the
    size: of both is only told whether data lack. Nothing is told of progressive ones
    in arithmetic coding, which spends no whole bit on what it expects.
    """
    if scans.progressive and scans.arithmetic:
        return True
    data = body[: scans.data_end].rstrip(b"\xff")
    if scans.arithmetic:
        return len({_seen_arithmetic(data + pad) for pad in _PADS}) == 1
    with Image.open(BytesIO(body), formats=("JPEG",)) as file:
        reduced = file.width * file.height > _REDUCED_ABOVE
    if len({_seen(data + pad, reduced=reduced) for pad in _PADS}) > 1:
        return False
    if reduced or scans.progressive:
        return True
    shorter = data[:-_NEEDED]
    return len({_seen(shorter + pad, reduced=reduced) for pad in _PADS}) > 1


def _seen(data: bytes, *, reduced: bool) -> int:
    """Return a checksum of all pixels."""
    with Image.open(BytesIO(data + END), formats=("JPEG",)) as file:
        if reduced:
            file.draft(None, (file.width // _EIGHTH, file.height // _EIGHTH))
        try:
            file.load()
        except OSError:
            return -1
        return zlib.crc32(file.tobytes())


def _seen_arithmetic(data: bytes) -> int:
    """Return a checksum of the upper rows; Pillow reads no such file in portions."""
    try:
        pixels = simplejpeg.decode_jpeg(data + END, colorspace="GRAY", strict=False)
    except ValueError:
        return -1
    return zlib.crc32(pixels[: len(pixels) - len(pixels) // _SPARED].tobytes())


def _noise() -> bytes:
    """Return bytes of no pattern, none of which begins a marker."""
    drawn = random.Random(1)  # noqa: S311 - the same ones each time
    return bytes(drawn.randrange(1, 255) for _ in range(_LENGTH))


_NOISE: Final = _noise()
_PADS: Final = (bytes(_LENGTH), _NOISE, bytes(255 - byte for byte in _NOISE))
