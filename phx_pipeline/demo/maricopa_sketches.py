"""Drawings of the made-up houses' buildings, as an assessor keeps them: one outline."""

from functools import lru_cache
from io import BytesIO

import numpy as np
from PIL import Image, ImageDraw

from phx_pipeline.sources.standins import House

_SIZE = (820, 1234)  # as captured ones
_INK = (20, 20, 20)
_FAINT = (150, 150, 150)
_LINE = 3
_FEET_WIDE = 60  # of the drawing
_LEFT, _TOP = 6, 12  # feet beside and above a house
_GARAGE = (20, 22)  # feet


@lru_cache(maxsize=64)
def sketches_of(house: House) -> tuple[bytes, ...]:
    """Return the pages of a house, as PNG; a flat has none."""
    return () if house.unit else (_png(_drawn(house)),)


def draw_all(house: House) -> int:
    """Draw what may be asked for, so that it is at hand; return how many pages."""
    return len(sketches_of(house))


def _drawn(house: House) -> Image.Image:
    """Return the walls with their lengths in feet, the garage in front, a grid."""
    rng = np.random.default_rng(house.home_id)
    page = Image.new("RGB", _SIZE, "white")
    pen = ImageDraw.Draw(page)
    wide, notch = int(rng.integers(34, 48)), int(rng.integers(6, 16))
    deep = max(round(house.sqft / wide), notch + 1)
    end = _TOP + deep
    feet_high = end + _GARAGE[1] + _TOP
    scale = min(_SIZE[0] / _FEET_WIDE, _SIZE[1] / feet_high)
    _grid(pen, step=round(scale * 5))
    right = _LEFT + wide
    _outline(
        pen,
        [
            *((_LEFT, _TOP), (right, _TOP), (right, end - notch)),
            *((right - notch, end - notch), (right - notch, end), (_LEFT, end)),
        ],
        scale=scale,
    )
    garage = (_LEFT, end, _LEFT + _GARAGE[0], end + _GARAGE[1])
    pen.rectangle([foot * scale for foot in garage], outline=_INK, width=_LINE)
    _write(pen, f"GARAGE {house.garage}", (_LEFT + 1, end + 2), scale=scale)
    middle = (_LEFT + wide / 3, _TOP + deep / 2)
    _write(pen, f"1S {house.sqft} SF", middle, scale=scale)
    return page


def _outline(
    pen: ImageDraw.ImageDraw, walls: list[tuple[int, int]], *, scale: float
) -> None:
    pen.polygon([(x * scale, y * scale) for x, y in walls], outline=_INK, width=_LINE)
    for one, two in zip(walls, walls[1:] + walls[:1], strict=True):
        length = abs(one[0] - two[0]) + abs(one[1] - two[1])
        middle = ((one[0] + two[0] + 1) / 2, (one[1] + two[1] + 1) / 2)
        _write(pen, str(length), middle, scale=scale)


def _write(
    pen: ImageDraw.ImageDraw, text: str, at: tuple[float, float], *, scale: float
) -> None:
    pen.text((at[0] * scale, at[1] * scale), text, fill=_INK)


def _grid(pen: ImageDraw.ImageDraw, *, step: int) -> None:
    for x in range(0, _SIZE[0], step):
        pen.line([(x, 0), (x, _SIZE[1])], fill=_FAINT)
    for y in range(0, _SIZE[1], step):
        pen.line([(0, y), (_SIZE[0], y)], fill=_FAINT)


def _png(page: Image.Image) -> bytes:
    out = BytesIO()
    page.save(out, "PNG")
    return out.getvalue()
