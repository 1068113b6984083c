"""JPEG pixels, decoded so that damage is told.

Pillow hears of none of libjpeg's warnings: half a photo passes for a whole one. The
strict decoder gives the same pixels; for what it does not know, Pillow stands alone.
"""

import re
from io import BytesIO
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import simplejpeg
from numpy.typing import NDArray
from PIL import Image
from PIL.ImageFile import ImageFile

from phx_pipeline.errors import ImageError
from phx_pipeline.model.outcome import Verdict

MAX_SCANS: Final = 100  # each is a pass over the whole picture; encoders write 10

_END: Final = b"\xff\xd9"
_SCAN: Final = b"\xff\xda"
_MARKER: Final = re.compile(rb"\xff[\x01-\xcf\xd9-\xfe]")  # but restarts and the start
# What libjpeg says where pixels are missing or wrong. A bad ICC marker costs none.
_DAMAGE: Final = re.compile(
    r"Corrupt JPEG data: (?!bad ICC)|Premature end|Unsupported marker type"
)
_SPACES: Final = MappingProxyType({"RGB": "RGB", "L": "GRAY"})
_AT_ONCE: Final = 16_000_000  # pixels; of more, array and image together are too much
_EIGHTH: Final = MappingProxyType({"min_height": 1, "min_width": 1, "min_factor": 8})


def load(file: ImageFile, body: bytes) -> Image.Image:
    """Return the pixels of the first picture in *body*, which *file* is opened on.

    A lacking end marker and anything behind the end are no damage.

    Raises:
        ImageError: With verdict DAMAGED: pixels are missing or wrong, or there are more
            than `MAX_SCANS` scans.
    """
    whole = _with_end(body)
    space = _SPACES.get(file.mode)
    if space is None or file.width * file.height > _AT_ONCE:
        _strictly(whole, colorspace="GRAY", **_EIGHTH)
        return _by_pillow(file, body, whole=whole)
    pixels = _strictly(whole, colorspace=space)
    if pixels is None:
        return _by_pillow(file, body, whole=whole)
    return Image.fromarray(pixels if file.mode == "RGB" else pixels[:, :, 0])


def _with_end(body: bytes) -> bytes:
    """Return *body* with an end marker, which only some lack; count the scans."""
    scans, at = 0, 2
    while found := _MARKER.search(body, at):
        if found[0] == _END:
            return body
        scans += found[0] == _SCAN
        if scans > MAX_SCANS:
            raise _damaged(f"more than {MAX_SCANS} scans")
        length = int.from_bytes(body[found.end() : found.end() + 2], "big")
        at = found.end() + length
    return body + _END


def _strictly(
    body: bytes, *, colorspace: str, **scale: Any
) -> NDArray[np.uint8] | None:
    """Return all pixels; None where the decoder does not know the kind of JPEG."""
    try:
        pixels: NDArray[np.uint8] = simplejpeg.decode_jpeg(
            body, colorspace=colorspace, strict=True, **scale
        )
    except ValueError as error:
        if _DAMAGE.match(str(error)):
            raise _damaged(str(error)) from error
        return None
    return pixels


def _by_pillow(file: ImageFile, body: bytes, *, whole: bytes) -> Image.Image:
    if whole is not body:
        file = Image.open(BytesIO(whole), formats=("JPEG",))
    file.load()
    return file


def _damaged(why: str) -> ImageError:
    return ImageError(why, verdict=Verdict.DAMAGED)
