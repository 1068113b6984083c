"""Small parts of a picture at its full size, kept to see its grain.

Grain averages out in a sight. What it tells of two copies is the concern of `rounding`.
"""

import math
from dataclasses import dataclass
from itertools import product
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from phx_pipeline.dedup.planes import Plane

SIDE: Final = 64  # px of a tile
UNIT: Final = 8  # px of a JPEG block; tiles begin where one does
_ALONG: Final = 6  # tiles along each side

Place = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tiles:
    """Grey tiles of a picture of *size* (width, height); evenly laid from end to end.

    `places` are their left upper corners, of as many tiles in every picture, so that
    those of one number show the same in copies of one frame.
    """

    size: tuple[int, int]
    places: tuple[Place, ...]
    levels: NDArray[np.uint8]  # shape (tiles, SIDE, SIDE)


def tiles_of(image: Image.Image) -> Tiles | None:
    """Return the tiles of a decoded picture, None of one that is too small."""
    if min(image.size) < SIDE + UNIT:
        return None
    lefts, tops = (_starts(it) for it in image.size)
    places = tuple((left, top) for top, left in product(tops, lefts))
    parts = (image.crop((x, y, x + SIDE, y + SIDE)).convert("L") for x, y in places)
    return Tiles(size=image.size, places=places, levels=np.stack([*map(_grey, parts)]))


def _grey(part: Image.Image) -> NDArray[np.uint8]:
    return np.asarray(part)


def _starts(length: int) -> list[int]:
    steps = (length - SIDE) / UNIT / (_ALONG - 1)
    return [int(at * steps) * UNIT for at in range(_ALONG)]


def blocks(tiles: Tiles) -> Plane:
    """Return all JPEG blocks of the tiles, shape (blocks, UNIT, UNIT)."""
    return np.concatenate([_cut(it.astype(np.float32)) for it in tiles.levels])


def blocks_shared(large: Tiles, small: Tiles) -> tuple[Plane, Plane]:
    """Return the JPEG blocks of *small* that both show, and *large* reduced to those.

    Both show one frame. Of each tile those are returned that lie within both.
    """
    across, down = (p / q for p, q in zip(large.size, small.size, strict=True))
    ours, theirs = [], []
    for (x, y), (u, v), levels, there in zip(
        large.places, small.places, large.levels, small.levels, strict=True
    ):
        left, right = _within(x, u, across)
        top, bottom = _within(y, v, down)
        if left >= right or top >= bottom:
            continue
        begins = (u + left) * across - x, (v + top) * down - y
        ends = (u + right) * across - x, (v + bottom) * down - y
        reduced = Image.fromarray(levels.astype(np.float32)).resize(
            (right - left, bottom - top), Image.Resampling.HAMMING, (*begins, *ends)
        )
        ours.append(_cut(np.asarray(reduced)))
        theirs.append(_cut(there[top:bottom, left:right].astype(np.float32)))
    none = np.empty((0, UNIT, UNIT), np.float32)
    return np.concatenate((none, *ours)), np.concatenate((none, *theirs))


def _within(large: int, small: int, factor: float) -> Place:
    """Return where the blocks of a small tile begin and end that the large one shows.

    The other way round where it shows none.
    """
    least, most = large / factor - small, (large + SIDE) / factor - small
    first = max(0, math.ceil(least / UNIT) * UNIT)
    return first, min(SIDE, math.floor(most / UNIT) * UNIT)


def _cut(plane: Plane) -> Plane:
    rows, columns = (it // UNIT for it in plane.shape)
    lines = plane.reshape(rows, UNIT, columns, UNIT).transpose(0, 2, 1, 3)
    return lines.reshape(-1, UNIT, UNIT)
