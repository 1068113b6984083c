"""Photos of made-up rooms, drawn by code: no picture of a real house is needed.

A drawing only has to behave like a photo: decode, hash and shrink like one, differ
from every other room, and stay near its own re-encoded or lightly cropped copy.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageDraw, ImageOps

Colour = tuple[int, int, int]
Point = tuple[float, float]

_QUALITY = 85
_ORIENTATION_TAG = 0x0112
_UPRIGHT = 1
# What has to be done to the upright picture so that a viewer obeying the tag undoes it.
_STORED_AS = {3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_90}
_SMALL_ROOM = 0.2  # of the plan's side: not split any further
_TILE = 128  # side of a texture or noise tile, in pixels; a power of two wraps cheaply

_WALLS: tuple[Colour, ...] = (
    (236, 230, 218),
    (214, 222, 224),
    (226, 206, 180),
    (196, 208, 190),
    (240, 240, 238),
    (204, 190, 186),
    (172, 190, 206),
)
_WOODS: tuple[Colour, ...] = (
    (150, 104, 66),
    (188, 148, 104),
    (98, 66, 46),
    (206, 184, 152),
    (122, 112, 104),
)
_CLOTHS: tuple[Colour, ...] = (
    (96, 104, 122),
    (170, 80, 62),
    (222, 214, 200),
    (70, 98, 88),
    (48, 52, 62),
    (196, 160, 92),
)
_STUCCOS: tuple[Colour, ...] = (
    (222, 198, 164),
    (206, 176, 146),
    (236, 226, 208),
    (190, 170, 150),
    (214, 206, 196),
)
_GLASS: Colour = (236, 246, 255)
_STEEL: Colour = (178, 184, 190)
_WHITE: Colour = (248, 248, 246)
_DARK: Colour = (44, 42, 42)
_LEAF: Colour = (86, 118, 62)


class RoomKind(StrEnum):
    """What a photo shows."""

    KITCHEN = "kitchen"
    LIVING = "living"
    DINING = "dining"
    BEDROOM = "bedroom"
    BATHROOM = "bathroom"
    LAUNDRY = "laundry"
    GARAGE = "garage"
    OFFICE = "office"
    HALLWAY = "hallway"
    FRONT = "front"
    YARD = "yard"
    POOL = "pool"
    FLOOR_PLAN = "floor_plan"


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
    scene = _Scene.blank(
        size, rng=np.random.default_rng((list(RoomKind).index(kind), seed))
    )
    _PAINTERS[kind](scene)
    picture = scene.canvas if kind is RoomKind.FLOOR_PLAN else _lit(scene)
    return _jpeg(_grained(picture, rng=scene.rng), orientation=orientation)


def copy(jpeg: bytes, *, width: int, cropped: float = 0.0, quality: int = 72) -> bytes:
    """Return the same photo again as another upload: smaller, cropped, re-encoded.

    Args:
        jpeg: the photo.
        width: of the copy in pixels; the aspect ratio of the cropped part is kept.
        cropped: share of width and of height cut away, half of it on each side.
        quality: of the new JPEG.
    """
    picture = ImageOps.exif_transpose(Image.open(BytesIO(jpeg)))
    left, top = _margins(picture.size, cropped=cropped)
    part = picture.crop((left, top, picture.width - left, picture.height - top))
    size = copied_size(picture.size, width=width, cropped=cropped)
    return _jpeg(part.resize(size, Image.Resampling.LANCZOS), quality=quality)


def copied_size(
    size: tuple[int, int], *, width: int, cropped: float = 0.0
) -> tuple[int, int]:
    """Return the width and height `copy` gives a photo of *size*."""
    left, top = _margins(size, cropped=cropped)
    return width, round((size[1] - 2 * top) * width / (size[0] - 2 * left))


def _margins(size: tuple[int, int], *, cropped: float) -> tuple[int, int]:
    return round(size[0] * cropped / 2), round(size[1] * cropped / 2)


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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scene:
    """A canvas with coordinates 0..1 in both directions, y downwards."""

    canvas: Image.Image
    pen: ImageDraw.ImageDraw
    rng: np.random.Generator

    @classmethod
    def blank(cls, size: tuple[int, int], *, rng: np.random.Generator) -> "_Scene":
        canvas = Image.new("RGB", size, _WHITE)
        return cls(canvas=canvas, pen=ImageDraw.Draw(canvas), rng=rng)

    def between(self, low: float, high: float) -> float:
        return float(self.rng.uniform(low, high))

    def pick(self, colours: Sequence[Colour]) -> Colour:
        return colours[int(self.rng.integers(len(colours)))]

    def chance(self, share: float) -> bool:
        return float(self.rng.random()) < share

    def area(self, points: Sequence[Point], *, fill: Colour) -> None:
        """Fill a polygon."""
        width, height = self.canvas.size
        self.pen.polygon([(x * width, y * height) for x, y in points], fill=fill)

    def box(self, corner: Point, opposite: Point, *, fill: Colour) -> None:
        """Fill an upright rectangle, its corners in any order."""
        (left, right), (top, bottom) = (
            sorted(pair) for pair in zip(corner, opposite, strict=True)
        )
        corners = [(left, top), (right, top), (right, bottom), (left, bottom)]
        self.area(corners, fill=fill)

    def disc(self, centre: Point, *, radius: float, fill: Colour) -> None:
        """Fill a circle; *radius* is in parts of the picture's width."""
        width, height = self.canvas.size
        x, y, r = centre[0] * width, centre[1] * height, radius * width
        self.pen.ellipse((x - r, y - r, x + r, y + r), fill=fill)

    def ground(
        self, tile: NDArray[np.uint8], *, horizon: Point, top: float, scale: float
    ) -> None:
        """Lay *tile* as a plane seen in one-point perspective, from *top* downwards.

        A row at distance d below the horizon shows depth 1/d, so one division per row
        gives both texture coordinates; tiles wrap.
        """
        width, height = self.canvas.size
        first = max(0, round(top * height))
        rows = np.arange(first, height, dtype=np.float32)
        depth = height / np.maximum(rows - horizon[1] * height, 1.0)
        across = np.arange(width, dtype=np.float32) / width - np.float32(horizon[0])
        u = (across[None, :] * (depth * (_TILE * scale))[:, None]).astype(np.int32)
        v = (depth * (_TILE * scale)).astype(np.int32)
        plane = tile[v[:, None] & (_TILE - 1), u & (_TILE - 1)]
        self.canvas.paste(Image.fromarray(plane), (0, first))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Room:
    """A box-shaped room seen from one end; the back wall is a rectangle.

    A point is (across, up, near): 0..1 across the back wall, 0..1 of the wall's height
    above the floor, and its size compared with the back wall (1 = at the wall).
    """

    scene: _Scene
    left: float
    right: float
    top: float
    bottom: float
    horizon: Point

    def at(self, across: float, up: float, near: float) -> Point:
        """Project a point of the room to the canvas."""
        x = self.left + across * (self.right - self.left)
        y = self.bottom - up * (self.bottom - self.top)
        eye_x, eye_y = self.horizon
        return (eye_x + (x - eye_x) * near, eye_y + (y - eye_y) * near)

    def quad(self, corners: Sequence[tuple[float, float, float]], fill: Colour) -> None:
        """Fill a flat face given by its corners in the room."""
        self.scene.area([self.at(*corner) for corner in corners], fill=fill)

    def block(
        self,
        across: tuple[float, float],
        up: tuple[float, float],
        near: tuple[float, float],
        *,
        fill: Colour,
        top: Colour | None = None,
    ) -> None:
        """Draw a box: the inner sides, its top and the face towards the viewer."""
        (a0, a1), (u0, u1), (n0, n1) = across, up, near
        for a in (a0, a1):
            side = [(a, u0, n0), (a, u1, n0), (a, u1, n1), (a, u0, n1)]
            self.quad(side, fill=_shade(fill, by=0.68))
        for u, by in ((u0, 0.5), (u1, 1.2)):
            # Only one of the two can be seen: the other is covered by the front.
            lid = [(a0, u, n0), (a1, u, n0), (a1, u, n1), (a0, u, n1)]
            colour = top if top and u == u1 else _shade(fill, by=by)
            self.quad(lid, fill=colour)
        self.panel((a0, a1), (u0, u1), near=n1, fill=fill)

    def panel(
        self,
        across: tuple[float, float],
        up: tuple[float, float],
        *,
        near: float = 1.0,
        fill: Colour,
    ) -> None:
        """Fill a rectangle parallel to the back wall."""
        self.scene.box(
            self.at(across[0], up[0], near), self.at(across[1], up[1], near), fill=fill
        )

    def grid(
        self,
        across: tuple[float, float],
        up: tuple[float, float],
        *,
        near: float,
        count: tuple[int, int],
        fill: Colour,
        gap: float = 0.12,
    ) -> None:
        """Fill a rectangle with *count* (columns, rows) equal panels, *gap* between."""
        columns, rows = count
        wide, tall = (across[1] - across[0]) / columns, (up[1] - up[0]) / rows
        for column in range(columns):
            for row in range(rows):
                a, u = across[0] + column * wide, up[0] + row * tall
                self.panel(
                    (a + gap * wide, a + (1 - gap) * wide),
                    (u + gap * tall, u + (1 - gap) * tall),
                    near=near,
                    fill=fill,
                )


def _shade(colour: Colour, *, by: float) -> Colour:
    red, green, blue = (max(0, min(255, round(part * by))) for part in colour)
    return red, green, blue


# --- light and grain ------------------------------------------------------------------


def _lit(scene: _Scene) -> Image.Image:
    """Return the scene under uneven light: soft pools, a slope, dark corners.

    Besides looking like a photo, this keeps large even walls from having gradients so
    weak that JPEG noise decides the bits of a difference hash.
    """
    pools = scene.rng.uniform(0.58, 1.0, size=(5, 6)).astype(np.float32)
    field = Image.fromarray(pools).resize((48, 32), Image.Resampling.BICUBIC)
    y, x = np.mgrid[-1:1:32j, -1:1:48j]
    slope_x, slope_y = scene.between(-0.22, 0.22), scene.between(-0.15, 0.15)
    corners = 1.0 - 0.16 * (x * x + y * y)
    light = np.asarray(field) * corners * (1.0 + slope_x * x + slope_y * y)
    warmth = scene.between(-0.05, 0.05)
    tints = [light * (1.0 + warmth), light, light * (1.0 - warmth)]
    levels = np.stack(tints, axis=-1) * 255.0
    small = Image.fromarray(levels.clip(0, 255).astype(np.uint8))
    gains = small.resize(scene.canvas.size, Image.Resampling.BILINEAR)
    return ImageChops.multiply(scene.canvas, gains)


def _grained(picture: Image.Image, *, rng: np.random.Generator) -> Image.Image:
    """Return the picture with sensor noise (sigma 3 grey levels)."""
    width, height = picture.size
    tile = (128.0 + 3.0 * rng.standard_normal((_TILE, _TILE))).astype(np.uint8)
    repeats = (-(-height // _TILE), -(-width // _TILE))
    grain = Image.fromarray(np.tile(tile, repeats)[:height, :width])
    return ImageChops.add(
        picture, Image.merge("RGB", (grain,) * 3), scale=1.0, offset=-128
    )


# --- textures -------------------------------------------------------------------------


def _coloured(levels: NDArray[np.floating], *, colour: Colour) -> NDArray[np.uint8]:
    """Return a texture: *colour* multiplied by *levels* (1.0 = as it is)."""
    tinted = levels[..., None] * np.array(colour, dtype=np.float64)
    return np.asarray(tinted.clip(0, 255), dtype=np.uint8)


def _planks(scene: _Scene) -> NDArray[np.uint8]:
    rng = scene.rng
    boards = np.repeat(rng.uniform(0.82, 1.1, 8), _TILE // 8)
    grain = rng.normal(1.0, 0.04, (_TILE, _TILE)).cumsum(axis=0)
    grain = 1.0 + 0.02 * (grain - grain.mean(axis=0)) / grain.std()
    levels = grain * boards[None, :]
    levels[:, :: _TILE // 8] *= 0.6
    return _coloured(levels, colour=scene.pick(_WOODS))


def _tiles(scene: _Scene) -> NDArray[np.uint8]:
    levels = np.kron(scene.rng.uniform(0.9, 1.06, (4, 4)), np.ones((32, 32)))
    levels[:: _TILE // 4] *= 0.7
    levels[:, :: _TILE // 4] *= 0.7
    return _coloured(levels, colour=scene.pick(((214, 204, 190), (176, 168, 160))))


def _carpet(scene: _Scene) -> NDArray[np.uint8]:
    levels = scene.rng.normal(1.0, 0.09, (_TILE, _TILE))
    return _coloured(levels, colour=scene.pick(((186, 172, 152), (150, 150, 154))))


def _gravel(scene: _Scene) -> NDArray[np.uint8]:
    levels = np.kron(scene.rng.normal(1.0, 0.14, (64, 64)), np.ones((2, 2)))
    return _coloured(levels, colour=scene.pick(((196, 168, 138), (180, 160, 146))))


def _lawn(scene: _Scene) -> NDArray[np.uint8]:
    levels = scene.rng.normal(1.0, 0.16, (_TILE, _TILE))
    return _coloured(levels, colour=scene.pick(((104, 136, 66), (134, 146, 84))))


def _concrete(scene: _Scene) -> NDArray[np.uint8]:
    levels = scene.rng.normal(1.0, 0.03, (_TILE, _TILE))
    levels[:2] *= 0.8
    return _coloured(levels, colour=(176, 172, 166))


_Texture = Callable[[_Scene], NDArray[np.uint8]]


# --- rooms ----------------------------------------------------------------------------


def _room(
    scene: _Scene,
    *,
    floors: Sequence[_Texture],
    wide: tuple[float, float] = (0.42, 0.78),
) -> _Room:
    """Draw an empty room: floor, ceiling and walls, one wall perhaps painted."""
    width, left = scene.between(*wide), scene.between(0.06, 0.3)
    top, bottom = scene.between(0.06, 0.3), scene.between(0.54, 0.8)
    right = min(left + width, 0.95)
    horizon = (
        scene.between(left + 0.08, right - 0.08),
        scene.between(top + 0.12, bottom - 0.1),
    )
    room = _Room(
        scene=scene, left=left, right=right, top=top, bottom=bottom, horizon=horizon
    )
    floor = floors[int(scene.rng.integers(len(floors)))](scene)
    scene.ground(floor, horizon=horizon, top=bottom, scale=scene.between(0.6, 1.2))
    _walls(room)
    return room


def _walls(room: _Room) -> None:
    scene = room.scene
    paint = scene.pick(_WALLS)
    far = 9.0  # near enough to the viewer to lie outside the canvas
    ceiling = _shade(_WHITE, by=scene.between(0.82, 1.0))
    room.quad([(0, 1, 1), (1, 1, 1), (1, 1, far), (0, 1, far)], fill=ceiling)
    for across in (0.0, 1.0):
        side = [(across, 0, 1), (across, 1, 1), (across, 1, far), (across, 0, far)]
        room.quad(side, fill=_shade(paint, by=scene.between(0.6, 0.98)))
    accent = scene.pick(_CLOTHS) if scene.chance(0.35) else paint
    room.panel((0, 1), (0, 1), fill=_shade(accent, by=scene.between(0.9, 1.05)))
    room.panel((0, 1), (0, 0.04), fill=_WHITE)


def _window(
    room: _Room, *, across: tuple[float, float], up: tuple[float, float]
) -> None:
    """Draw a window in the back wall: frame, bright panes, perhaps the land outside."""
    room.panel(across, up, fill=_WHITE)
    panes = 2 + int(room.scene.rng.integers(2))
    room.grid(across, up, near=1.0, count=(panes, 2), fill=_GLASS, gap=0.06)
    if room.scene.chance(0.5):
        land = (up[0] + 0.04, up[0] + 0.35 * (up[1] - up[0]))
        room.grid(across, land, near=1.0, count=(panes, 1), fill=(150, 168, 130))


def _side_window(room: _Room, *, across: float) -> None:
    """Draw a window in a side wall, and the light it throws on the floor."""
    near, far = room.scene.between(1.5, 2.1), room.scene.between(1.1, 1.3)
    low, high = room.scene.between(0.25, 0.4), room.scene.between(0.75, 0.9)
    frame = [(across, low, far), (across, high, far)]
    frame += [(across, high, near), (across, low, near)]
    room.quad(frame, fill=_GLASS)
    inward = 0.5 if across == 0.0 else -0.5
    patch = [(across + inward * 0.3, 0, far), (across + inward, 0, far)]
    patch += [(across + inward * 1.1, 0, near), (across + inward * 0.4, 0, near)]
    room.quad(patch, fill=(250, 240, 214))


def _openings(room: _Room) -> None:
    """Give the room its daylight: in the back wall, in a side wall, or in both."""
    scene = room.scene
    start = scene.between(0.05, 0.6)
    if scene.chance(0.65):
        stop = start + scene.between(0.2, 0.38)
        low = scene.between(0.3, 0.5)
        _window(room, across=(start, stop), up=(low, scene.between(0.75, 0.92)))
    if scene.chance(0.6):
        _side_window(room, across=float(scene.rng.integers(2)))


def _pictures(room: _Room) -> None:
    scene = room.scene
    for _ in range(1 + int(scene.rng.integers(3))):
        start, low = scene.between(0.05, 0.8), scene.between(0.48, 0.62)
        across = (start, start + scene.between(0.08, 0.18))
        up = (low, low + scene.between(0.12, 0.25))
        room.panel(across, up, fill=_DARK)
        room.grid(across, up, near=1.0, count=(1, 1), fill=scene.pick(_CLOTHS), gap=0.1)


def _lamp(room: _Room, *, across: float, near: float) -> None:
    x, y = room.at(across, 0.82, near)
    top = room.at(across, 1.0, near)
    room.scene.box((x - 0.003, y), (x + 0.003, top[1]), fill=_DARK)
    room.scene.disc((x, y), radius=0.018 * near, fill=(255, 246, 214))


def _rug(room: _Room) -> None:
    scene = room.scene
    a0, n0 = scene.between(0.0, 0.35), scene.between(1.2, 1.5)
    a1, n1 = a0 + scene.between(0.4, 0.7), n0 + scene.between(0.5, 1.1)
    colour = scene.pick(_CLOTHS)
    room.quad([(a0, 0, n0), (a1, 0, n0), (a1, 0, n1), (a0, 0, n1)], fill=colour)
    inner = [(a0 + 0.06, 0, n0 + 0.08), (a1 - 0.06, 0, n0 + 0.08)]
    inner += [(a1 - 0.06, 0, n1 - 0.1), (a0 + 0.06, 0, n1 - 0.1)]
    room.quad(inner, fill=_shade(colour, by=1.3))


def _kitchen(scene: _Scene) -> None:
    room = _room(scene, floors=(_tiles, _planks))
    wood = _WHITE if scene.chance(0.4) else scene.pick(_WOODS)
    stone: Colour = _DARK if scene.chance(0.4) else (226, 222, 216)
    doors = _shade(wood, by=0.9)
    room.grid((0, 1), (0.4, 0.62), near=1.0, count=(16, 4), fill=_WALLS[4], gap=0.06)
    hole = scene.between(0.2, 0.7)
    _window(room, across=(hole, hole + 0.2), up=(0.48, 0.85))
    for across in ((0.0, hole - 0.02), (hole + 0.22, 1.0)):
        room.block(across, (0.62, 0.96), (1.0, 1.08), fill=wood)
        count = (max(1, round((across[1] - across[0]) * 8)), 1)
        room.grid(across, (0.62, 0.96), near=1.08, count=count, fill=doors)
    room.block((0, 1), (0, 0.38), (1.0, 1.16), fill=wood, top=stone)
    room.grid((0, 1), (0.03, 0.34), near=1.16, count=(8, 1), fill=doors)
    oven = scene.between(0.1, 0.75)
    room.panel((oven, oven + 0.16), (0.02, 0.36), near=1.17, fill=_STEEL)
    room.panel((oven + 0.02, oven + 0.14), (0.08, 0.24), near=1.17, fill=_DARK)
    _fridge(room, across=(-0.02, 0.17) if scene.chance(0.5) else (0.84, 1.02))
    if scene.chance(0.75):
        _island(room, wood=wood, stone=stone)


def _fridge(room: _Room, *, across: tuple[float, float]) -> None:
    room.block(across, (0, 0.82), (1.0, 1.3), fill=_STEEL)
    room.grid(across, (0, 0.82), near=1.3, count=(2, 1), fill=_shade(_STEEL, by=1.1))


def _island(room: _Room, *, wood: Colour, stone: Colour) -> None:
    scene = room.scene
    start, near = scene.between(0.05, 0.4), scene.between(1.55, 1.9)
    stop = start + scene.between(0.35, 0.6)
    room.block((start, stop), (0, 0.34), (near, near + 0.5), fill=wood)
    slab = (start - 0.03, stop + 0.03)
    room.block(slab, (0.34, 0.38), (near - 0.05, near + 0.55), fill=stone, top=stone)
    for across in (start + 0.1, stop - 0.1):
        _lamp(room, across=across, near=near + 0.2)


def _living(scene: _Scene) -> None:
    room = _room(scene, floors=(_planks, _carpet, _tiles))
    _openings(room)
    _pictures(room)
    if scene.chance(0.45):
        _fireplace(room)
    _rug(room)
    cloth = scene.pick(_CLOTHS)
    start, near = scene.between(-0.1, 0.4), scene.between(1.3, 1.8)
    stop = start + scene.between(0.4, 0.65)
    room.block((start, stop), (0, 0.34), (near, near + 0.12), fill=cloth)
    room.block((start, stop), (0, 0.17), (near + 0.12, near + 0.45), fill=cloth)
    room.grid(
        (start, stop),
        (0.17, 0.32),
        near=near + 0.13,
        count=(3, 1),
        fill=_shade(scene.pick(_CLOTHS), by=1.1),
    )
    table = scene.between(0.1, 0.7)
    room.block(
        (table, table + 0.25),
        (0, 0.12),
        (near + 0.5, near + 0.75),
        fill=scene.pick(_WOODS),
    )


def _fireplace(room: _Room) -> None:
    start = room.scene.between(0.1, 0.65)
    room.block((start, start + 0.28), (0, 1), (1.0, 1.06), fill=(168, 156, 146))
    room.panel((start + 0.06, start + 0.22), (0.04, 0.28), near=1.06, fill=_DARK)
    room.panel(
        (start + 0.1, start + 0.18), (0.05, 0.15), near=1.06, fill=(240, 150, 60)
    )
    room.panel((start + 0.03, start + 0.25), (0.48, 0.72), near=1.06, fill=_DARK)


def _dining(scene: _Scene) -> None:
    room = _room(scene, floors=(_planks, _tiles))
    _openings(room)
    _pictures(room)
    start, near = scene.between(0.1, 0.4), scene.between(1.4, 1.7)
    stop, wood, cloth = start + 0.5, scene.pick(_WOODS), scene.pick(_CLOTHS)
    for across in np.linspace(start + 0.02, stop - 0.12, 3):
        seat = (float(across), float(across) + 0.1)
        room.block(seat, (0, 0.42), (near - 0.2, near - 0.15), fill=cloth)
    for leg in (start + 0.03, stop - 0.06):
        room.block((leg, leg + 0.03), (0, 0.28), (near + 0.5, near + 0.55), fill=wood)
    room.block((start, stop), (0.28, 0.32), (near, near + 0.6), fill=wood)
    for across in np.linspace(start + 0.04, stop - 0.14, 2):
        seat = (float(across), float(across) + 0.1)
        room.block(seat, (0, 0.4), (near + 0.75, near + 0.8), fill=cloth)
    _lamp(room, across=(start + stop) / 2, near=near + 0.2)


def _bedroom(scene: _Scene) -> None:
    room = _room(scene, floors=(_carpet, _planks))
    _openings(room)
    _pictures(room)
    if scene.chance(0.5):
        _rug(room)
    start = scene.between(0.02, 0.5)
    stop = start + scene.between(0.34, 0.5)
    cloth, wood = scene.pick(_CLOTHS), scene.pick(_WOODS)
    room.panel((start - 0.02, stop + 0.02), (0, scene.between(0.4, 0.6)), fill=wood)
    for across in ((start - 0.16, start - 0.03), (stop + 0.03, stop + 0.16)):
        room.block(across, (0, 0.24), (1.0, 1.15), fill=wood)
        x, y = room.at(sum(across) / 2, 0.36, 1.08)
        scene.disc((x, y), radius=0.02, fill=(255, 244, 206))
    foot = scene.between(1.6, 2.2)
    room.block((start, stop), (0, 0.2), (1.02, foot), fill=cloth)
    pillows = _shade(_WHITE, by=scene.between(0.85, 1.0))
    room.grid((start, stop), (0.2, 0.34), near=1.1, count=(2, 1), fill=pillows)
    middle = (1.1 + foot) / 2
    throw = [
        (start, 0.2, middle),
        (stop, 0.2, middle),
        (stop, 0.2, foot),
        (start, 0.2, foot),
    ]
    room.quad(throw, fill=scene.pick(_CLOTHS))


def _bathroom(scene: _Scene) -> None:
    room = _room(scene, floors=(_tiles,), wide=(0.36, 0.6))
    room.grid((0, 1), (0.04, 0.5), near=1.0, count=(12, 5), fill=_WALLS[1], gap=0.05)
    start, wood = scene.between(0.0, 0.45), scene.pick(_WOODS)
    stop = start + scene.between(0.35, 0.5)
    room.panel((start, stop), (0.5, 0.9), fill=_STEEL)
    room.grid((start, stop), (0.5, 0.9), near=1.0, count=(1, 1), fill=_GLASS, gap=0.05)
    room.block((start, stop), (0, 0.36), (1.0, 1.25), fill=wood, top=_WHITE)
    room.grid(
        (start, stop), (0.04, 0.3), near=1.25, count=(3, 1), fill=_shade(wood, by=0.8)
    )
    if scene.chance(0.6):
        wider_right = start < 1 - stop
        tub = (stop + 0.02, 1.0) if wider_right else (0.0, start - 0.02)
        room.block(tub, (0, 0.28), (1.2, 2.0), fill=_WHITE, top=(206, 220, 226))
    else:
        seat = stop + 0.08 if start < 1 - stop else start - 0.22
        room.block((seat, seat + 0.13), (0.2, 0.42), (1.0, 1.1), fill=_WHITE)
        room.block((seat, seat + 0.13), (0, 0.2), (1.1, 1.35), fill=_WHITE)
    if scene.chance(0.5):
        _side_window(room, across=float(scene.rng.integers(2)))
    _lamp(room, across=(start + stop) / 2, near=1.1)


def _laundry(scene: _Scene) -> None:
    room = _room(scene, floors=(_tiles,), wide=(0.4, 0.6))
    wood, start = scene.pick(_WOODS), scene.between(0.02, 0.3)
    room.block((0, 1), (0.66, 0.95), (1.0, 1.12), fill=wood)
    room.grid((0, 1), (0.66, 0.95), near=1.12, count=(5, 1), fill=_shade(wood, by=1.15))
    for left in (start, start + 0.34):
        room.block((left, left + 0.32), (0, 0.42), (1.0, 1.35), fill=_WHITE)
        centre = room.at(left + 0.16, 0.2, 1.35)
        radius = 0.13 * (room.right - room.left)
        scene.disc(centre, radius=radius, fill=_STEEL)
        scene.disc(centre, radius=radius * 0.75, fill=_DARK)


def _garage(scene: _Scene) -> None:
    room = _room(scene, floors=(_concrete,), wide=(0.55, 0.8))
    start = scene.between(0.02, 0.3)
    stop, high = start + scene.between(0.45, 0.65), scene.between(0.68, 0.85)
    room.panel((start, stop), (0, high), fill=_STEEL)
    room.grid((start, stop), (0, high), near=1.0, count=(5, 4), fill=_WHITE, gap=0.08)
    shelf = (0.0, 0.14) if start > 1 - stop else (0.86, 1.0)
    for low in (0.15, 0.4, 0.65):
        room.block(shelf, (low, low + 0.16), (1.0, 1.3), fill=scene.pick(_CLOTHS))
    body, near = scene.pick(_CLOTHS), scene.between(1.3, 1.6)
    car = scene.between(0.1, 0.5)
    room.block((car, car + 0.4), (0.05, 0.26), (near, near + 0.7), fill=body)
    room.block((car + 0.04, car + 0.36), (0.26, 0.42), (near, near + 0.4), fill=_DARK)


def _office(scene: _Scene) -> None:
    room = _room(scene, floors=(_planks, _carpet))
    _openings(room)
    shelf = scene.between(0.0, 0.7)
    room.block((shelf, shelf + 0.26), (0, 0.9), (1.0, 1.08), fill=scene.pick(_WOODS))
    for row in range(4):
        for book in range(6):
            left, low = shelf + 0.02 + book * 0.037, 0.05 + row * 0.21
            high = low + scene.between(0.1, 0.17)
            room.panel(
                (left, left + 0.03), (low, high), near=1.08, fill=scene.pick(_CLOTHS)
            )
    desk, near = scene.between(0.05, 0.5), scene.between(1.3, 1.7)
    room.block(
        (desk, desk + 0.45), (0, 0.28), (near, near + 0.35), fill=scene.pick(_WOODS)
    )
    room.panel((desk + 0.1, desk + 0.34), (0.32, 0.52), near=near + 0.1, fill=_DARK)
    room.block(
        (desk + 0.15, desk + 0.3), (0, 0.4), (near + 0.5, near + 0.6), fill=_DARK
    )


def _hallway(scene: _Scene) -> None:
    room = _room(scene, floors=(_planks, _tiles, _carpet), wide=(0.2, 0.34))
    room.panel((0.2, 0.8), (0, 0.8), fill=scene.pick(_WOODS))
    for across in (0.0, 1.0):
        for far in (1.15, 2.0):
            if scene.chance(0.7):
                near = far * scene.between(1.25, 1.5)
                door = [(across, 0, far), (across, 0.8, far)]
                door += [(across, 0.8, near), (across, 0, near)]
                room.quad(door, fill=scene.pick((_WHITE, *_WOODS, _GLASS)))
    for near in (1.2, 2.0, 3.2):
        x, y = room.at(0.5, 1.0, near)
        scene.disc((x, y), radius=0.012 * near, fill=(255, 248, 224))


# --- outdoors -------------------------------------------------------------------------


def _sky(scene: _Scene, *, horizon: float) -> None:
    """Draw a clear or evening sky, some clouds and a range of hills."""
    high: Colour = (92, 148, 214) if scene.chance(0.7) else (206, 138, 112)
    for step in range(24):
        part = step / 24
        mixed = [round(a + (238 - a) * part) for a in high]
        colour = (mixed[0], mixed[1], mixed[2])
        scene.box((0, part * horizon), (1, (step + 1) / 24 * horizon), fill=colour)
    for _ in range(int(scene.rng.integers(5))):
        x, y = scene.between(0, 1), scene.between(0.02, horizon * 0.7)
        for puff in range(4):
            centre = (x + puff * 0.04, y + scene.between(-0.02, 0.02))
            scene.disc(centre, radius=scene.between(0.02, 0.05), fill=_WHITE)
    ridge = [(x, horizon - scene.between(0.01, 0.16)) for x in np.linspace(0, 1, 9)]
    hills: Colour = (150, 124, 118)
    scene.area([(0.0, horizon), *ridge, (1.0, horizon)], fill=hills)


def _palm(scene: _Scene, *, foot: Point, tall: float) -> None:
    x, y = foot
    scene.box((x - 0.008, y - tall), (x + 0.008, y), fill=(120, 92, 66))
    for angle in np.linspace(0, 2 * np.pi, 9):
        tip = (x + 0.09 * float(np.cos(angle)), y - tall + 0.07 * float(np.sin(angle)))
        scene.area([(x, y - tall - 0.015), tip, (x, y - tall + 0.015)], fill=_LEAF)


def _cactus(scene: _Scene, *, foot: Point, tall: float) -> None:
    x, y = foot
    scene.box((x - 0.012, y - tall), (x + 0.012, y), fill=_LEAF)
    scene.box((x - 0.05, y - tall * 0.5), (x, y - tall * 0.42), fill=_LEAF)
    scene.box((x - 0.05, y - tall * 0.8), (x - 0.034, y - tall * 0.42), fill=_LEAF)


def _plants(scene: _Scene, *, ground: float) -> None:
    for _ in range(2 + int(scene.rng.integers(4))):
        foot = (scene.between(0.02, 0.98), ground + scene.between(0.02, 0.2))
        plant = _palm if scene.chance(0.5) else _cactus
        plant(scene, foot=foot, tall=scene.between(0.2, 0.5))
    for _ in range(int(scene.rng.integers(6))):
        centre = (scene.between(0, 1), ground + scene.between(0.0, 0.12))
        scene.disc(centre, radius=scene.between(0.02, 0.06), fill=_shade(_LEAF, by=0.8))


def _outside(scene: _Scene, *, horizon: float, ground: _Texture) -> None:
    _sky(scene, horizon=horizon)
    eye = (scene.between(0.3, 0.7), horizon - 0.06)
    scene.ground(ground(scene), horizon=eye, top=horizon, scale=1.4)


def _front(scene: _Scene) -> None:
    base = scene.between(0.55, 0.72)
    _outside(scene, horizon=base, ground=_gravel if scene.chance(0.6) else _lawn)
    stucco, roof = scene.pick(_STUCCOS), scene.pick(((150, 84, 62), (110, 104, 100)))
    left, right = scene.between(0.04, 0.22), scene.between(0.76, 0.97)
    eaves = base - scene.between(0.22, 0.36)
    scene.box((left, eaves), (right, base), fill=stucco)
    ridge = eaves - scene.between(0.1, 0.2)
    peak = (scene.between(left + 0.1, right - 0.25), ridge)
    edge = [(left - 0.03, eaves), peak, (peak[0] + 0.2, ridge), (right + 0.03, eaves)]
    scene.area(edge, fill=roof)
    on_left = scene.chance(0.5)
    door = left + 0.03 if on_left else right - 0.33
    _garage_door(scene, left=door, top=eaves + 0.06, bottom=base)
    drive = [(door, base), (door + 0.3, base), (door + 0.45, 1.0), (door - 0.2, 1.0)]
    scene.area(drive, fill=(190, 186, 180))
    entry = door + 0.34 if on_left else door - 0.1
    scene.box((entry, eaves + 0.09), (entry + 0.06, base), fill=scene.pick(_WOODS))
    for step in (0.1, 0.24):
        pane = entry + step if on_left else entry - step
        scene.box((pane, eaves + 0.08), (pane + 0.09, base - 0.1), fill=(70, 88, 104))
    _plants(scene, ground=base)


def _garage_door(scene: _Scene, *, left: float, top: float, bottom: float) -> None:
    colour = scene.pick((_WHITE, *_WOODS))
    scene.box((left, top), (left + 0.3, bottom), fill=colour)
    tall = (bottom - top) / 4
    for row in range(4):
        edge = top + row * tall
        scene.box((left, edge), (left + 0.3, edge + 0.004), fill=_shade(colour, by=0.6))


def _fence(scene: _Scene, *, base: float) -> None:
    top, colour = base - scene.between(0.08, 0.16), scene.pick(_STUCCOS)
    scene.box((0, top), (1, base), fill=_shade(colour, by=0.85))
    for post in np.arange(scene.between(0.0, 0.1), 1.0, 0.16):
        scene.box((float(post), top - 0.01), (float(post) + 0.02, base), fill=colour)


def _yard(scene: _Scene) -> None:
    base = scene.between(0.42, 0.66)
    _outside(scene, horizon=base, ground=_lawn if scene.chance(0.6) else _gravel)
    _fence(scene, base=base)
    _plants(scene, ground=base)
    if scene.chance(0.65):
        _patio(scene, on_left=scene.chance(0.5))


def _patio(scene: _Scene, *, on_left: bool) -> None:
    """Draw the corner of the house with a covered patio at one edge."""
    stucco, deep = scene.pick(_STUCCOS), scene.between(0.3, 0.5)
    inner, outer = (deep, 0.0) if on_left else (1.0 - deep, 1.0)
    eaves = scene.between(0.12, 0.28)
    scene.area(
        [(outer, 0), (outer, 1), (inner, 0.74), (inner, eaves)],
        fill=_shade(stucco, by=0.8),
    )
    roof = [(outer, 0), (inner, eaves), (inner + (0.1 if on_left else -0.1), eaves)]
    scene.area([*roof, (outer, -0.1)], fill=(120, 82, 64))
    third = (inner - outer) / 3
    pane = [(outer + third, 0.4), (outer + third, 0.86)]
    pane += [(outer + 2 * third, 0.76), (outer + 2 * third, 0.42)]
    scene.area(pane, fill=(64, 80, 98))


def _pool(scene: _Scene) -> None:
    base = scene.between(0.38, 0.55)
    _outside(scene, horizon=base, ground=_concrete)
    _fence(scene, base=base)
    _plants(scene, ground=base - 0.02)
    centre, far = scene.between(0.35, 0.65), base + scene.between(0.06, 0.14)
    near, bend = scene.between(0.84, 0.98), scene.between(-0.1, 0.1)
    angles = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    for swell, colour in ((1.08, (226, 214, 196)), (1.0, (52, 152, 186))):
        rim = [
            (
                centre + swell * float((0.36 + bend * np.sin(2 * a)) * np.cos(a)),
                (far + near) / 2 + swell * (near - far) / 2 * float(np.sin(a)),
            )
            for a in angles
        ]
        scene.area(rim, fill=colour)
    for _ in range(26):
        x, y = scene.between(-0.2, 0.2), scene.between(far + 0.03, near - 0.04)
        long = scene.between(0.02, 0.07)
        bright = _shade((96, 198, 222), by=scene.between(0.8, 1.15))
        scene.box((centre + x, y), (centre + x + long, y + 0.006), fill=bright)
    if scene.chance(0.5):
        _patio(scene, on_left=scene.chance(0.5))


def _floor_plan(scene: _Scene) -> None:
    """Draw walls on white paper: nested splits of one rectangle, doors left open."""
    left, top = scene.between(0.06, 0.22), scene.between(0.06, 0.2)
    right, bottom = scene.between(0.76, 0.94), scene.between(0.8, 0.94)
    scene.box((left, top), (right, bottom), fill=_DARK)
    _split(scene, corner=(left, top), opposite=(right, bottom), depth=4)


def _split(scene: _Scene, *, corner: Point, opposite: Point, depth: int) -> None:
    (left, top), (right, bottom) = corner, opposite
    wide, tall = right - left, bottom - top
    if depth == 0 or max(wide, tall) < _SMALL_ROOM:
        floor = scene.pick((_WHITE, (228, 224, 214), (214, 222, 228)))
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
        scene.box((cut - 0.007, door), (cut + 0.007, door + tall * 0.35), fill=_WHITE)
    else:
        cut = top + part * tall
        _split(scene, corner=corner, opposite=(right, cut), depth=depth - 1)
        _split(scene, corner=(left, cut), opposite=opposite, depth=depth - 1)


_PAINTERS: dict[RoomKind, Callable[[_Scene], None]] = {
    RoomKind.KITCHEN: _kitchen,
    RoomKind.LIVING: _living,
    RoomKind.DINING: _dining,
    RoomKind.BEDROOM: _bedroom,
    RoomKind.BATHROOM: _bathroom,
    RoomKind.LAUNDRY: _laundry,
    RoomKind.GARAGE: _garage,
    RoomKind.OFFICE: _office,
    RoomKind.HALLWAY: _hallway,
    RoomKind.FRONT: _front,
    RoomKind.YARD: _yard,
    RoomKind.POOL: _pool,
    RoomKind.FLOOR_PLAN: _floor_plan,
}
