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
from phx_pipeline.imaging.jpeg_ending import ends_rightly
from phx_pipeline.imaging.jpeg_scans import END, MAX_SCANS, Scans, scans_of
from phx_pipeline.imaging.memory import MAX_PIXELS, weighed_scans
from phx_pipeline.model.counted import counted
from phx_pipeline.model.outcome import Verdict

# What libjpeg says where pixels are missing or wrong.
_DAMAGE: Final = re.compile(
    r"Corrupt JPEG data: (?!bad ICC)|Premature end|Unsupported marker type"
)
_SPACES: Final = MappingProxyType({"RGB": "RGB", "L": "GRAY"})
_AT_ONCE: Final = 8_000_000  # pixels; of more, array and image together are too much
_MOST_PASSED: Final = 400_000_000  # pixels of all scans together: about a second
_EIGHTH: Final = MappingProxyType({"min_height": 1, "min_width": 1, "min_factor": 8})


def load(
    file: ImageFile, body: bytes, *, at_least: int | None = None
) -> tuple[Image.Image, NDArray[np.uint8] | None]:
    """Return the pixels of the first picture in *body*, which *file* is opened on.

    Of RGB there is the array beside the image, unless both would take too much memory.
    A lacking end marker and anything behind the end are no damage. With *at_least*, RGB
    and grey may come reduced, both sides of so many pixels or more; damage is told all
    the same.

    Raises:
        ImageError: With verdict DAMAGED: pixels are missing or wrong, scans lack, or
            there are more than `MAX_SCANS` of them.
    """
    scans = scans_of(body)
    if scans.count > MAX_SCANS:
        raise _damaged(f"more than {MAX_SCANS} scans")
    _check_effort(file.width * file.height, scans)
    if not scans.finished:
        raise _damaged("scans are missing or out of order")
    space = _SPACES.get(file.mode)
    large = at_least is None and file.width * file.height > _AT_ONCE
    if space is None or large:
        _judge(body, scans, colorspace="GRAY", **_EIGHTH)
        return _by_pillow(body, scans), None
    sides = {"min_width": at_least or 0, "min_height": at_least or 0}
    pixels = _judge(body, scans, colorspace=space, **sides)
    if pixels is None:
        return _by_pillow(body, scans), None
    if file.mode == "L":
        return Image.fromarray(pixels[:, :, 0]), None
    return Image.fromarray(pixels), pixels


def _check_effort(pixels: int, scans: Scans) -> None:
    too_much = pixels * scans.count > _MOST_PASSED
    if too_much or weighed_scans(pixels, count=scans.count) > MAX_PIXELS:
        told = f"{counted(pixels, 'pixel')} in {counted(scans.count, 'scan')}"
        raise ImageError(told, verdict=Verdict.TOO_LARGE)


def _judge(
    body: bytes, scans: Scans, *, colorspace: str, **scale: Any
) -> NDArray[np.uint8] | None:
    """Return all pixels; None where the strict decoder does not tell what lacks.

    Raises:
        ImageError: Pixels are missing or wrong.
    """
    pixels = _strictly(scans.bare, colorspace=colorspace, **scale)
    # It knows arithmetic coding, but not where such data end.
    asked = pixels is None or scans.arithmetic
    if asked and not ends_rightly(body, scans):
        raise _damaged("the data do not end where the picture ends")
    return pixels


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


def _by_pillow(body: bytes, scans: Scans) -> Image.Image:
    if not body.startswith(END, scans.data_end):
        body = body[: scans.data_end] + END
    file = Image.open(BytesIO(body), formats=("JPEG",))
    file.load()
    return file


def _damaged(why: str) -> ImageError:
    return ImageError(why, verdict=Verdict.DAMAGED)
