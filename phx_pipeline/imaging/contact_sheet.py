"""Many pictures small on one sheet, within a byte budget."""

from collections.abc import Iterable, Sequence
from io import BytesIO
from itertools import islice
from math import ceil, sqrt
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from phx_pipeline.model.counted import counted

_TILES = ((72, 54), (56, 42), (44, 33), (32, 24), (20, 15), (12, 9))
_READ_AT = (144, 144)
_QUALITIES = (60, 40, 25)
_ENOUGH = 3  # pixels each way for one of the largest tile
MAX_PICTURES: Final = 100


def contact_sheet(pictures: Iterable[bytes | Image.Image], *, max_bytes: int) -> bytes:
    """Return a JPEG grid of *pictures* in order, as large as fits *max_bytes*.

    They are PNGs, JPEGs, or what `tile_of` made of their frames. Beyond 100 the first
    100 are shown; one that cannot be read is an empty place. *pictures* may be a
    generator: one is held at a time.
    """
    shown = [
        _small(picture) if isinstance(picture, bytes) else picture
        for picture in islice(pictures, MAX_PICTURES)
    ]
    for tile in _TILES:
        sheet = _grid(shown, tile=tile)
        for quality in _QUALITIES:
            jpeg = _jpeg(sheet, quality=quality)
            if len(jpeg) <= max_bytes:
                return jpeg
    what = counted(len(shown), "picture")
    raise ValueError(f"{what} cannot be put in {counted(max_bytes, 'byte')}")


def tile_of(frame: NDArray[np.uint8]) -> Image.Image:
    """Return the RGB *frame* as small as a sheet shows it; most rows are not read."""
    height, width, _ = frame.shape
    across, down = _TILES[0]
    step = max(1, min(width // across, height // down) // _ENOUGH)
    return ImageOps.fit(Image.fromarray(frame[::step, ::step]), _TILES[0])


def _small(body: bytes) -> Image.Image:
    try:
        with Image.open(BytesIO(body), formats=["PNG", "JPEG"]) as image:
            image.draft("RGB", _READ_AT)  # of a JPEG no more is decoded
            upright = ImageOps.exif_transpose(image)
            return ImageOps.fit(upright.convert("RGB"), _TILES[0])
    except (OSError, SyntaxError, ValueError):  # Pillow's ways to say "damaged"
        return Image.new("RGB", _TILES[0], "white")


def _grid(pictures: Sequence[Image.Image], *, tile: tuple[int, int]) -> Image.Image:
    columns = ceil(sqrt(len(pictures)))
    rows = ceil(len(pictures) / columns)
    sheet = Image.new("RGB", (columns * tile[0], rows * tile[1]), "white")
    for index, picture in enumerate(pictures):
        row, column = divmod(index, columns)
        sheet.paste(picture.resize(tile), (column * tile[0], row * tile[1]))
    return sheet


def _jpeg(image: Image.Image, *, quality: int) -> bytes:
    buffer = BytesIO()
    image.save(buffer, format="JPEG", quality=quality)
    return buffer.getvalue()
