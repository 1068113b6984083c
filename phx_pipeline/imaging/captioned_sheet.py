"""Many pictures on one sheet, each whole and with a line below it, of bounded size."""

from collections.abc import Iterable
from io import BytesIO
from itertools import islice
from math import ceil, sqrt
from typing import Final

from PIL import Image, ImageDraw, ImageFont, ImageOps

from phx_pipeline.errors import ImageError
from phx_pipeline.imaging.decode import decode

MOST_PICTURES: Final = 500

_TILES = ((100, (240, 180)), (250, (160, 120)), (MOST_PICTURES, (120, 90)))
_LINE = 16  # pixels below a picture, for its caption
_FONT_PX = 11
_GAP = 4
_QUALITY = 80
_PAPER, _INK, _LACKING = "white", "#333333", "#dddddd"


def captioned_sheet(
    pictures: Iterable[tuple[bytes, str]], *, count: int, max_bytes: int
) -> bytes:
    """Return a JPEG of *pictures* with their captions, in order, row by row.

    Beyond `MOST_PICTURES` the rest is left out; a picture that cannot be read is a grey
    place. *pictures* may be a generator: one is held at a time.

    Args:
        pictures: Bytes of any format `decode` reads, and the caption.
        count: How many there are.
        max_bytes: A sheet with more is made half as wide and high, until it fits.
    """
    count = min(count, MOST_PICTURES)
    tile = next(size for most, size in _TILES if count <= most)
    sheet = _Sheet(count, tile=tile)
    for body, caption in islice(pictures, count):
        sheet.add(_small(body, tile), caption)
    image = sheet.image
    while len(jpeg := _jpeg(image)) > max_bytes:
        image = image.reduce(2)
    return jpeg


class _Sheet:
    def __init__(self, count: int, *, tile: tuple[int, int]) -> None:
        self._tile = tile
        self._columns = max(1, ceil(sqrt(count)))
        self._step = (tile[0] + _GAP, tile[1] + _LINE)
        rows = max(1, ceil(count / self._columns))
        size = (self._columns * self._step[0], rows * self._step[1])
        self.image = Image.new("RGB", size, _PAPER)
        self._font = ImageFont.load_default(_FONT_PX)
        self._filled = 0

    def add(self, picture: Image.Image, caption: str) -> None:
        row, column = divmod(self._filled, self._columns)
        left, top = column * self._step[0], row * self._step[1]
        width, height = self._tile
        inside = (left + (width - picture.width) // 2, top + height - picture.height)
        self.image.paste(picture, inside)
        # Cut to its place: the next one has the pixels beyond.
        line = Image.new("RGB", (width, _LINE), _PAPER)
        ImageDraw.Draw(line).text((2, 1), caption, fill=_INK, font=self._font)
        self.image.paste(line, (left, top + height))
        self._filled += 1


def _small(body: bytes, tile: tuple[int, int]) -> Image.Image:
    try:
        return ImageOps.contain(decode(body).image, tile, Image.Resampling.BOX)
    except ImageError:
        return Image.new("RGB", tile, _LACKING)


def _jpeg(image: Image.Image) -> bytes:
    buffer = BytesIO()
    image.save(buffer, format="JPEG", quality=_QUALITY)
    return buffer.getvalue()
