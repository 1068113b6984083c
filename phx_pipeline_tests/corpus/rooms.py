"""Rooms, walls and maps drawn alike: twins of one template, each one of its own.

Flat pages, such as plans, are `pages`.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from phx_pipeline_tests.corpus.pictures import Page, Random, coin, font

_SIZE: Final = (1000, 750)
_TWINS: Final = 2  # pictures of one template
_TOWN: Final = (3000, 2250)
_STREETS: Final = ("Mesa", "Saguaro", "Palo Verde", "Ocotillo", "Juniper", "Cholla")


def twin_room(rng: Random, number: int) -> Image.Image:
    """Return one of two rooms of a builder: the same shell, other things in it."""
    shared = np.random.default_rng((7, number // _TWINS))
    room, paint = _shell(shared)
    _window(paint, shared)
    _bed(paint, rng)
    for _ in range(int(rng.integers(2, 5))):
        _picture(paint, rng)
    return _grained(room, rng)


def wall(rng: Random, number: int) -> Image.Image:
    """Return one of two walls of a room: one paint and light, other small things."""
    shared = np.random.default_rng((8, number // _TWINS))
    paint_of_room = shared.uniform(140, 235, 3)
    near, far = (float(level) for level in shared.uniform(0.75, 1.1, 2))
    light = np.linspace(near, far, _SIZE[0])[None, :, None]
    plane = np.broadcast_to(paint_of_room * light, (_SIZE[1], _SIZE[0], 3))
    image = Image.fromarray(plane.clip(0, 255).astype(np.uint8))
    paint = ImageDraw.Draw(image)
    skirting = _SIZE[1] - shared.uniform(40, 90)
    paint.rectangle((0, skirting, *_SIZE), fill=(240, 240, 238))
    for _ in range(int(rng.integers(1, 4))):
        x, y = rng.uniform((60, 200), (900, 560))
        paint.rounded_rectangle((x, y, x + 34, y + 54), 5, (245, 245, 240), (150,) * 3)
        paint.line((x + 17, y + 14, x + 17, y + 40), fill=(90, 90, 90), width=3)
    if coin(rng):
        _picture(paint, rng)
    return _grained(image, rng)


def town_map(rng: Random, number: int) -> Image.Image:
    """Return one of two maps of a town: another part of it, or another scale."""
    town = _town(np.random.default_rng((9, number // _TWINS)))
    scale = (1.0, 1.6)[number % _TWINS] if coin(rng) else 1.0
    width, height = (round(side * scale) for side in _SIZE)
    corner = (np.array(_TOWN) - (width, height)) * (0.35, 0.5)
    left, top = (corner + (number % _TWINS) * np.array((280, 120))).astype(int)
    view = town.crop((left, top, left + width, top + height)).resize(_SIZE)
    pin = rng.uniform(0.35, 0.65, 2) * _SIZE
    box = (pin[0] - 16, pin[1] - 44, pin[0] + 16, pin[1] - 12)
    paint = ImageDraw.Draw(view)
    paint.ellipse(box, fill=(210, 40, 40))
    paint.polygon(
        ((box[0], pin[1] - 26), (box[2], pin[1] - 26), tuple(pin)), (210, 40, 40)
    )
    return view


ROOMS: Final[Mapping[str, Page]] = MappingProxyType(
    {"twin room": twin_room, "wall": wall, "map": town_map}
)


def _shell(shared: Random) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    """Return floor, ceiling and three walls, in their own colours."""
    width, height = _SIZE
    room = Image.new("RGB", _SIZE, _levels(shared, 170, 230))
    paint = ImageDraw.Draw(room)
    left, right = shared.uniform(0.15, 0.3) * width, shared.uniform(0.7, 0.85) * width
    top, bottom = shared.uniform(0.1, 0.2) * height, shared.uniform(0.6, 0.72) * height
    sides = (
        ((0, 0), (width, 0), (right, top), (left, top)),
        ((0, height), (width, height), (right, bottom), (left, bottom)),
        ((0, 0), (left, top), (left, bottom), (0, height)),
        ((width, 0), (right, top), (right, bottom), (width, height)),
    )
    for side in sides:
        paint.polygon(side, fill=_levels(shared, 120, 235), outline=(90, 85, 80))
    for board in np.linspace(-0.6, 1.6, 16):
        foot = (width * board, height)
        head = (left + (right - left) * (0.5 + (board - 0.5) * 0.5), bottom)
        paint.line((foot, head), fill=(110, 95, 80), width=2)
    return room, paint


def _window(paint: ImageDraw.ImageDraw, shared: Random) -> None:
    x, y = shared.uniform((350, 170), (480, 230))
    box = (x, y, x + 170, y + 190)
    paint.rectangle(box, fill=(225, 238, 250), outline=(250, 250, 250), width=8)
    for bar in (x + 57, x + 113):
        paint.line((bar, y, bar, y + 190), fill=(250, 250, 250), width=5)


def _bed(paint: ImageDraw.ImageDraw, rng: Random) -> None:
    x, y = rng.uniform((180, 430), (520, 520))
    width, height = rng.uniform((230, 120), (380, 200))
    paint.rectangle((x, y - 70, x + width, y + 20), fill=_levels(rng, 40, 140))
    paint.rounded_rectangle((x, y, x + width, y + height), 18, _levels(rng, 60, 240))
    for row in range(int(rng.integers(2, 7))):
        at = y + 50 + row * rng.uniform(14, 24)
        paint.line((x, at, x + width, at), fill=_levels(rng, 30, 250), width=6)
    for pillow in range(int(rng.integers(1, 4))):
        left = x + 15 + pillow * width / 3
        box = (left, y + 4, left + width / 4, y + 40)
        paint.rounded_rectangle(box, 9, _levels(rng, 120, 255))


def _picture(paint: ImageDraw.ImageDraw, rng: Random) -> None:
    """Hang a framed picture somewhere: bands of colour."""
    x, y = rng.uniform((120, 140), (780, 330))
    width, height = rng.uniform((60, 50), (150, 130))
    box = (x, y, x + width, y + height)
    paint.rectangle(box, fill=_levels(rng, 60, 240), outline=(50, 40, 35), width=6)
    for band in range(1, 4):
        at = y + height * band / 4
        paint.line((x + 8, at, x + width - 8, at), fill=_levels(rng, 0, 255), width=7)


def _town(shared: Random) -> Image.Image:
    town = Image.new("RGB", _TOWN, (241, 238, 232))
    paint = ImageDraw.Draw(town)
    for _ in range(14):
        x, y, w, h = shared.uniform((0, 0, 120, 90), (2800, 2100, 420, 300))
        paint.rectangle((x, y, x + w, y + h), fill=(200, 224, 190))
    for axis in range(2):
        for at in np.cumsum(shared.uniform(80, 260, 20)):
            lean, road = shared.uniform(-80, 80), int(shared.integers(6, 22))
            ends = (
                ((at, 0), (at + lean, 2250))
                if axis == 0
                else ((0, at), (3000, at + lean))
            )
            paint.line(ends, fill=(190, 185, 178), width=road + 3)
            paint.line(ends, fill=(255, 255, 255), width=road)
    for _ in range(90):
        name = f"{shared.integers(1, 99)} {_STREETS[shared.integers(len(_STREETS))]} St"
        place = shared.uniform((0, 0), _TOWN)
        paint.text(tuple(place), name, (90, 90, 90), font=font(17))
    return town


def _levels(rng: Random, low: int, high: int) -> tuple[int, int, int]:
    red, green, blue = (int(level) for level in rng.integers(low, high, 3))
    return red, green, blue


def _grained(image: Image.Image, rng: Random) -> Image.Image:
    """Add what a camera adds: soft edges, light that falls off, grain."""
    soft = np.asarray(image.filter(ImageFilter.GaussianBlur(0.8)), dtype=np.float32)
    rows, columns = np.ogrid[-1 : 1 : soft.shape[0] * 1j, -1 : 1 : soft.shape[1] * 1j]
    light = 1.05 - 0.15 * (rows**2 + columns**2)
    grain = rng.normal(0, 3, soft.shape[:2])
    lit = soft * light[:, :, None] + grain[:, :, None]
    return Image.fromarray(lit.clip(0, 255).astype(np.uint8))
