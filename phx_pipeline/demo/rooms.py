"""Photos of made-up rooms, drawn by code: no picture of a real house is needed.

A drawing only has to behave like a photo: decode, hash and shrink like one, differ
from every other room, and stay near its own re-encoded or lightly cropped copy.
"""

from collections.abc import Callable
from io import BytesIO

import numpy as np
from PIL import Image, ImageOps

from phx_pipeline.demo.indoors import (
    bathroom,
    bedroom,
    dining,
    garage,
    hallway,
    kitchen,
    laundry,
    living,
    office,
)
from phx_pipeline.demo.outdoors import front, pool, yard
from phx_pipeline.demo.scenery import DARK, WHITE, Point, Scene, grained, lit
from phx_pipeline.sources.standins import RoomKind, copied_size, margins

__all__ = ["RoomKind", "copied_size"]

_QUALITY = 85
_ORIENTATION_TAG = 0x0112
_UPRIGHT = 1
# What has to be done to the upright picture so that a viewer obeying the tag undoes it.
_STORED_AS = {3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_90}
_SMALL_ROOM = 0.2  # of the plan's side: not split any further


def draw(
    kind: RoomKind, *, seed: int, size: tuple[int, int], orientation: int = _UPRIGHT
) -> bytes:
    """Return a JPEG of a room; equal arguments give equal bytes (one Pillow version).

    Args:
        kind: what to draw.
        seed: chooses layout, furniture, colours and light.
        size: width and height in pixels of the picture as a viewer shows it.
        orientation: EXIF orientation (1, 3 or 6); the stored pixels are turned so that
            a viewer that obeys the tag shows the picture upright.
    """
    scene = Scene.blank(
        size, rng=np.random.default_rng((list(RoomKind).index(kind), seed))
    )
    _PAINTERS[kind](scene)
    picture = scene.canvas if kind is RoomKind.FLOOR_PLAN else lit(scene)
    return _jpeg(grained(picture, rng=scene.rng), orientation=orientation)


def copy(jpeg: bytes, *, width: int, cropped: float = 0.0, quality: int = 72) -> bytes:
    """Return the same photo again as another upload: smaller, cropped, re-encoded.

    Args:
        jpeg: the photo.
        width: of the copy in pixels; the aspect ratio of the cropped part is kept.
        cropped: share of width and of height cut away, half of it on each side.
        quality: of the new JPEG.
    """
    picture = ImageOps.exif_transpose(Image.open(BytesIO(jpeg)))
    left, top = margins(picture.size, cropped=cropped)
    part = picture.crop((left, top, picture.width - left, picture.height - top))
    size = copied_size(picture.size, width=width, cropped=cropped)
    return _jpeg(part.resize(size, Image.Resampling.LANCZOS), quality=quality)


def fitted(jpeg: bytes, *, size: tuple[int, int], quality: int = 80) -> bytes:
    """Return the photo cut and scaled to exactly *size*, as a CDN's small variants."""
    opened = Image.open(BytesIO(jpeg))
    opened.draft("RGB", size)
    return _jpeg(ImageOps.fit(ImageOps.exif_transpose(opened), size), quality=quality)


def _jpeg(
    picture: Image.Image, *, orientation: int = _UPRIGHT, quality: int = _QUALITY
) -> bytes:
    exif = Image.Exif()
    if orientation != _UPRIGHT:
        picture = picture.transpose(_STORED_AS[orientation])
        exif[_ORIENTATION_TAG] = orientation
    out = BytesIO()
    picture.save(out, "JPEG", quality=quality, exif=exif)
    return out.getvalue()


def _floor_plan(scene: Scene) -> None:
    """Draw walls on white paper: nested splits of one rectangle, doors left open."""
    left, top = scene.between(0.06, 0.22), scene.between(0.06, 0.2)
    right, bottom = scene.between(0.76, 0.94), scene.between(0.8, 0.94)
    scene.box((left, top), (right, bottom), fill=DARK)
    _split(scene, corner=(left, top), opposite=(right, bottom), depth=4)


def _split(scene: Scene, *, corner: Point, opposite: Point, depth: int) -> None:
    (left, top), (right, bottom) = corner, opposite
    wide, tall = right - left, bottom - top
    if depth == 0 or max(wide, tall) < _SMALL_ROOM:
        floor = scene.pick((WHITE, (228, 224, 214), (214, 222, 228)))
        scene.box(
            (left + 0.006, top + 0.008), (right - 0.006, bottom - 0.008), fill=floor
        )
        return
    part = scene.between(0.35, 0.65)
    if wide > tall:
        cut = left + part * wide
        _split(scene, corner=corner, opposite=(cut, bottom), depth=depth - 1)
        _split(scene, corner=(cut, top), opposite=opposite, depth=depth - 1)
        door = top + tall * scene.between(0.1, 0.5)
        scene.box((cut - 0.007, door), (cut + 0.007, door + tall * 0.35), fill=WHITE)
    else:
        cut = top + part * tall
        _split(scene, corner=corner, opposite=(right, cut), depth=depth - 1)
        _split(scene, corner=(left, cut), opposite=opposite, depth=depth - 1)


_PAINTERS: dict[RoomKind, Callable[[Scene], None]] = {
    RoomKind.KITCHEN: kitchen,
    RoomKind.LIVING: living,
    RoomKind.DINING: dining,
    RoomKind.BEDROOM: bedroom,
    RoomKind.BATHROOM: bathroom,
    RoomKind.LAUNDRY: laundry,
    RoomKind.GARAGE: garage,
    RoomKind.OFFICE: office,
    RoomKind.HALLWAY: hallway,
    RoomKind.FRONT: front,
    RoomKind.YARD: yard,
    RoomKind.POOL: pool,
    RoomKind.FLOOR_PLAN: _floor_plan,
}
