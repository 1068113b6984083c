"""Hashes of what is left of a picture cut to a usual shape around its middle.

Sites cut 4:3 to a square or 16:9; the hashes of whole frames do not see that.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from phx_pipeline.dedup.hashes import HASHED_SIDE, phash_of
from phx_pipeline.model.appearance import THUMBNAIL_SIDE, Appearance

SHAPES: Final = (1.0, 4 / 3, 3 / 2, 16 / 9)  # width / height
UNLIKE: Final = 1.06  # times; shapes nearer than that are compared anyway


def shape_of(look: Appearance, *, width: int, height: int) -> float:
    """Return width / height of what is inside flat borders."""
    across = width * (look.right - look.left)
    return across / (height * (look.bottom - look.top))


def cut_hashes(look: Appearance, *, shape: float) -> NDArray[np.uint64]:
    """Return the pHash of a picture of *shape*, cut to each of `SHAPES`.

    First of what is inside flat borders, then of the frame: who trims an even sky off
    a photo and off its cut trims unlike parts, and their middles lie apart.
    """
    rows = np.frombuffer(look.thumbnail, dtype=np.uint8)
    inner = rows.reshape(THUMBNAIL_SIDE, THUMBNAIL_SIDE)
    across, down = look.right - look.left, look.bottom - look.top
    seen = ((inner, shape), (_framed(inner, look), shape * down / across))
    cut = [_cut(Image.fromarray(it), ours, to) for it, ours in seen for to in SHAPES]
    return np.array(cut, dtype=np.uint64)


def _framed(inner: NDArray[np.uint8], look: Appearance) -> NDArray[np.uint8]:
    """Return the whole frame, with its borders drawn out of what is inside."""
    left, top, right, bottom = (
        round(it * THUMBNAIL_SIDE)
        for it in (look.left, look.top, look.right, look.bottom)
    )
    size = (max(1, right - left), max(1, bottom - top))
    small = np.asarray(Image.fromarray(inner).resize(size, Image.Resampling.BILINEAR))
    below, beside = THUMBNAIL_SIDE - top - size[1], THUMBNAIL_SIDE - left - size[0]
    margins = ((top, max(0, below)), (left, max(0, beside)))
    return np.pad(small, margins, mode="edge")[:THUMBNAIL_SIDE, :THUMBNAIL_SIDE]


def _cut(thumbnail: Image.Image, shape: float, to: float) -> int:
    across, down = (
        min(1.0, it) * THUMBNAIL_SIDE / 2 for it in (to / shape, shape / to)
    )
    middle = THUMBNAIL_SIDE / 2
    box = (middle - across, middle - down, middle + across, middle + down)
    square = thumbnail.resize(
        (HASHED_SIDE, HASHED_SIDE), Image.Resampling.BILINEAR, box=box
    )
    return phash_of(np.asarray(square))
