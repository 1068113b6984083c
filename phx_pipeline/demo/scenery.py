"""What drawn rooms are made of: canvas, walls in perspective, light and textures."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageDraw

Colour = tuple[int, int, int]
Point = tuple[float, float]

_TILE = 128  # side of a texture or noise tile, in pixels; a power of two wraps cheaply

WALLS: tuple[Colour, ...] = (
    (236, 230, 218),
    (214, 222, 224),
    (226, 206, 180),
    (196, 208, 190),
    (240, 240, 238),
    (204, 190, 186),
    (172, 190, 206),
)
WOODS: tuple[Colour, ...] = (
    (150, 104, 66),
    (188, 148, 104),
    (98, 66, 46),
    (206, 184, 152),
    (122, 112, 104),
)
CLOTHS: tuple[Colour, ...] = (
    (96, 104, 122),
    (170, 80, 62),
    (222, 214, 200),
    (70, 98, 88),
    (48, 52, 62),
    (196, 160, 92),
)
STUCCOS: tuple[Colour, ...] = (
    (222, 198, 164),
    (206, 176, 146),
    (236, 226, 208),
    (190, 170, 150),
    (214, 206, 196),
)
GLASS: Colour = (236, 246, 255)
STEEL: Colour = (178, 184, 190)
WHITE: Colour = (248, 248, 246)
DARK: Colour = (44, 42, 42)
LEAF: Colour = (86, 118, 62)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A canvas with coordinates 0..1 in both directions, y downwards."""

    canvas: Image.Image
    pen: ImageDraw.ImageDraw
    rng: np.random.Generator

    @classmethod
    def blank(cls, size: tuple[int, int], *, rng: np.random.Generator) -> "Scene":
        """An empty canvas, and the dice that decide all that is drawn on it."""
        canvas = Image.new("RGB", size, WHITE)
        return cls(canvas=canvas, pen=ImageDraw.Draw(canvas), rng=rng)

    def between(self, low: float, high: float) -> float:
        """A number between two, by the dice."""
        return float(self.rng.uniform(low, high))

    def pick(self, colours: Sequence[Colour]) -> Colour:
        """One of some colours, by the dice."""
        return colours[int(self.rng.integers(len(colours)))]

    def chance(self, share: float) -> bool:
        """True in this share of all scenes."""
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
class Room:
    """A box-shaped room seen from one end; the back wall is a rectangle.

    A point is (across, up, near): 0..1 across the back wall, 0..1 of the wall's height
    above the floor, and its size compared with the back wall (1 = at the wall).
    """

    scene: Scene
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
            self.quad(side, fill=shade(fill, by=0.68))
        for u, by in ((u0, 0.5), (u1, 1.2)):
            # Only one of the two can be seen: the other is covered by the front.
            lid = [(a0, u, n0), (a1, u, n0), (a1, u, n1), (a0, u, n1)]
            colour = top if top and u == u1 else shade(fill, by=by)
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


def shade(colour: Colour, *, by: float) -> Colour:
    """Return the colour made lighter or darker, each channel times *by*."""
    red, green, blue = (max(0, min(255, round(part * by))) for part in colour)
    return red, green, blue


# --- light and grain ------------------------------------------------------------------


def lit(scene: Scene) -> Image.Image:
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


def grained(picture: Image.Image, *, rng: np.random.Generator) -> Image.Image:
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


def planks(scene: Scene) -> NDArray[np.uint8]:
    """A floor of boards with grain."""
    rng = scene.rng
    boards = np.repeat(rng.uniform(0.82, 1.1, 8), _TILE // 8)
    grain = rng.normal(1.0, 0.04, (_TILE, _TILE)).cumsum(axis=0)
    grain = 1.0 + 0.02 * (grain - grain.mean(axis=0)) / grain.std()
    levels = grain * boards[None, :]
    levels[:, :: _TILE // 8] *= 0.6
    return _coloured(levels, colour=scene.pick(WOODS))


def tiles(scene: Scene) -> NDArray[np.uint8]:
    """A floor of tiles with joints."""
    levels = np.kron(scene.rng.uniform(0.9, 1.06, (4, 4)), np.ones((32, 32)))
    levels[:: _TILE // 4] *= 0.7
    levels[:, :: _TILE // 4] *= 0.7
    return _coloured(levels, colour=scene.pick(((214, 204, 190), (176, 168, 160))))


def carpet(scene: Scene) -> NDArray[np.uint8]:
    """A floor of one soft colour."""
    levels = scene.rng.normal(1.0, 0.09, (_TILE, _TILE))
    return _coloured(levels, colour=scene.pick(((186, 172, 152), (150, 150, 154))))


def gravel(scene: Scene) -> NDArray[np.uint8]:
    """Ground of small stones."""
    levels = np.kron(scene.rng.normal(1.0, 0.14, (64, 64)), np.ones((2, 2)))
    return _coloured(levels, colour=scene.pick(((196, 168, 138), (180, 160, 146))))


def lawn(scene: Scene) -> NDArray[np.uint8]:
    """Ground of grass."""
    levels = scene.rng.normal(1.0, 0.16, (_TILE, _TILE))
    return _coloured(levels, colour=scene.pick(((104, 136, 66), (134, 146, 84))))


def concrete(scene: Scene) -> NDArray[np.uint8]:
    """Ground of slabs."""
    levels = scene.rng.normal(1.0, 0.03, (_TILE, _TILE))
    levels[:2] *= 0.8
    return _coloured(levels, colour=(176, 172, 166))


Texture = Callable[[Scene], NDArray[np.uint8]]
