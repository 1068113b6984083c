"""Draws a table of counts as a picture: what was there against what it was called."""

from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import Final

from PIL import Image, ImageDraw, ImageFont

_CELL: Final = 46
_FONT_PX: Final = 14
_GAP: Final = 8
_PAPER: Final = "white"
_INK: Final = "#222222"
_RIGHT, _WRONG = (46, 125, 50), (198, 40, 40)

Counts = Mapping[tuple[str, str], int]
"""How often a row's name was called by a column's."""


def matrix_png(
    counts: Counts, rows: Sequence[str], columns: Sequence[str], *, title: str
) -> bytes:
    """Return a PNG: what is shown down the side, what it was named along the top.

    A cell is the darker the more of its row it holds: green where both names are the
    same, else red.
    """
    font = ImageFont.load_default(_FONT_PX)
    side = int(max(map(font.getlength, [*rows, "shown"]))) + 2 * _GAP
    top = int(max(map(font.getlength, columns))) + 2 * _GAP
    title_height = _FONT_PX + 2 * _GAP
    width = max(side + _CELL * len(columns), int(font.getlength(title))) + 2 * _GAP
    height = title_height + top + _CELL * len(rows) + _GAP
    image = Image.new("RGB", (width, height), _PAPER)
    draw = ImageDraw.Draw(image)
    draw.text((_GAP, _GAP), title, fill=_INK, font=font)
    for place, name in enumerate(columns):
        at = (side + _CELL * place + (_CELL - _FONT_PX) // 2, title_height)
        image.paste(_upright(name, height=top, font=font), at)
    for place, row in enumerate(rows):
        y = title_height + top + _CELL * place
        draw.text((_GAP, y + _CELL / 2), row, fill=_INK, font=font, anchor="lm")
        _draw_row(draw, counts, row, columns, corner=(side, y))
    buffer = BytesIO()
    image.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def _draw_row(
    draw: ImageDraw.ImageDraw,
    counts: Counts,
    row: str,
    columns: Sequence[str],
    *,
    corner: tuple[int, int],
) -> None:
    font = ImageFont.load_default(_FONT_PX)
    total = sum(counts.get((row, name), 0) for name in columns)
    for place, name in enumerate(columns):
        count = counts.get((row, name), 0)
        share = count / total if total else 0.0
        x, y = corner[0] + _CELL * place, corner[1]
        box = (x, y, x + _CELL - 2, y + _CELL - 2)
        colour = _shade(_RIGHT if name == row else _WRONG, share)
        draw.rectangle(box, fill=colour, outline="#cccccc")
        if count:
            ink = "white" if share > 0.5 else _INK  # noqa: PLR2004 - half dark
            middle = (x + _CELL / 2 - 1, y + _CELL / 2 - 1)
            draw.text(middle, str(count), fill=ink, font=font, anchor="mm")


def _shade(colour: tuple[int, int, int], share: float) -> tuple[int, int, int]:
    red, green, blue = (round(255 - (255 - it) * share) for it in colour)
    return red, green, blue


def _upright(
    text: str, *, height: int, font: ImageFont.FreeTypeFont | ImageFont.ImageFont
) -> Image.Image:
    """Return text that reads from below to above."""
    line = Image.new("RGB", (height, _FONT_PX + 6), _PAPER)
    ImageDraw.Draw(line).text((_GAP, 0), text, fill=_INK, font=font)
    return line.transpose(Image.Transpose.ROTATE_90)
