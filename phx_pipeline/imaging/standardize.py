"""The one PNG every kept picture becomes; a pure function of picture and recipe."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from phx_pipeline.imaging.decode import Picture
from phx_pipeline.imaging.png import encode_png
from phx_pipeline.imaging.recipe import DEFAULT_MAX_SIDE
from phx_pipeline.imaging.resize import scaled_down

Frame = NDArray[np.uint8]
"""The pixels of a standard picture: height x width x 3, RGB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standardized:
    """A standard PNG, with its size in pixels."""

    png: bytes
    width: int
    height: int


def standardize(
    picture: Picture, *, max_side: int | None = DEFAULT_MAX_SIDE
) -> Standardized:
    """Return *picture* as RGB PNG without metadata, never enlarged."""
    return encode(standard_frame(picture, max_side=max_side))


def standard_frame(
    picture: Picture, *, max_side: int | None = DEFAULT_MAX_SIDE
) -> Frame:
    """Return the pixels of *picture*, the longest side at most *max_side*.

    Without one they are the picture's own.
    """
    image, pixels = picture.image, picture.pixels
    size = standard_size(image.size, max_side=max_side)
    if size != image.size:
        return scaled_down(image, size, pixels=pixels)
    return np.asarray(image) if pixels is None else pixels


def encode(frame: Frame) -> Standardized:
    """Return *frame* as PNG."""
    height, width, _ = frame.shape
    return Standardized(png=encode_png(frame), width=width, height=height)


def standard_size(size: tuple[int, int], *, max_side: int | None) -> tuple[int, int]:
    """Return *size* cut to *max_side* on the longest side, the other rounded down."""
    longest = max(size)
    if max_side is None or longest <= max_side:
        return size
    width, height = (max(1, side * max_side // longest) for side in size)
    return width, height
