"""Cards that stand where a photo is missing, and drawn pages that are not cards."""

from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from typing import Final

import numpy as np
from PIL import Image, ImageDraw

from phx_pipeline_tests.corpus.pictures import (
    Made,
    Random,
    coin,
    draws,
    font,
    jpeg,
    webp,
)

_PHRASES: Final = (
    "Photo coming soon",
    "No image available",
    "NO PHOTO",
    "Photos coming soon!",
    "Image not available",
    "Photo unavailable",
    "Sorry, we don't have a photo of this home yet",
    "Muy pronto",
    "Sin fotos disponibles",
    "Foto non disponibile",
    "Pas de photo",
    "Kein Bild vorhanden",
    "Geen foto beschikbaar",
    "Under construction",
    "Agent declined photos",
    "Street View not available",
)
_BROKERS: Final = (
    "DESERT SUN REALTY",
    "Copper Valley Homes",
    "Saguaro & Sons",
    "Mesa Builders LLC",
    "HOMESTEAD",
)
_SHAPES: Final = (
    *((640, 480), (1024, 768), (1600, 1200), (2048, 1365), (1280, 720), (400, 300)),
    *((320, 240), (800, 800), (600, 900), (768, 1024), (300, 300), (1024, 576)),
    *((260, 200), (480, 640)),
)
_Colour = tuple[int, int, int]
_Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Style:
    """What all marks of a card share: the place they are in and their colours."""

    ink: _Colour
    accent: _Colour
    ground: _Colour


def card(number: int, *, seed: int) -> Made:
    """Return the *number*th card: its ground, marks, size and coding are drawn."""
    rng = draws(f"card {number}", "card", seed=seed)
    size = _SHAPES[int(rng.integers(len(_SHAPES)))]
    style = _style(rng)
    image = _ground(rng, size, style)
    _mark(rng, image, style)
    return Made(identity=f"card {number}", kind="card", body=_encoded(rng, image))


def street_map(number: int, *, seed: int) -> Made:
    """Return a street map: blocks, roads and their names, a pin on the house."""
    rng = draws(f"map {number}", "map", seed=seed)
    image = Image.new("RGB", (1000, 750), (241, 238, 232))
    paint = ImageDraw.Draw(image)
    for _ in range(int(rng.integers(2, 5))):
        x, y, w, h = rng.uniform((0, 0, 120, 90), (800, 600, 350, 260))
        paint.rectangle((x, y, x + w, y + h), fill=(200, 224, 190))
    for axis in range(2):
        for _ in range(int(rng.integers(4, 8))):
            at, lean = rng.uniform(0, (1000, 750)[axis]), rng.uniform(-60, 60)
            ends = (
                ((at, 0), (at + lean, 750))
                if axis == 0
                else ((0, at), (1000, at + lean))
            )
            width = int(rng.integers(6, 22))
            paint.line(ends, fill=(190, 185, 178), width=width + 3)
            paint.line(ends, fill=(255, 255, 255), width=width)
    for _ in range(12):
        paint.text(
            tuple(rng.uniform((0, 0), (900, 720))),
            "W Street Rd",
            (90, 90, 90),
            font=font(15),
        )
    _pin(
        paint,
        (470, 330, 530, 420),
        _Style(ink=(210, 40, 40), accent=(255, 255, 255), ground=(255, 255, 255)),
    )
    return Made(
        identity=f"map {number}",
        kind="map",
        body=jpeg(image, int(rng.integers(60, 93))),
    )


def _style(rng: Random) -> _Style:
    ground: _Colour = _colour(rng, 0, 256)
    if coin(rng):
        level = int(rng.integers(215, 256))
        ground = (level, level, level)
    dark = sum(ground) < 3 * 128
    ink = _colour(rng, 190, 256) if dark else _colour(rng, 0, 120)
    return _Style(ink=ink, accent=_colour(rng, 0, 256), ground=ground)


def _colour(rng: Random, low: int, high: int) -> _Colour:
    red, green, blue = (int(level) for level in rng.integers(low, high, 3))
    return red, green, blue


def _ground(rng: Random, size: tuple[int, int], style: _Style) -> Image.Image:
    """Return a flat ground, one that fades, or a flat one with a frame or a bar."""
    return _GROUNDS[int(rng.integers(len(_GROUNDS)))](rng, size, style)


def _flat(_rng: Random, size: tuple[int, int], style: _Style) -> Image.Image:
    return Image.new("RGB", size, style.ground)


def _with_bar(rng: Random, size: tuple[int, int], style: _Style) -> Image.Image:
    image = Image.new("RGB", size, style.ground)
    thick = size[1] * rng.uniform(0.06, 0.14)
    top = 0 if coin(rng) else size[1] - thick
    box = (0, top, size[0], top + thick)
    ImageDraw.Draw(image).rectangle(box, fill=style.accent)
    return image


def _with_frame(rng: Random, size: tuple[int, int], style: _Style) -> Image.Image:
    image = Image.new("RGB", size, style.ground)
    gap = round(min(size) * rng.uniform(0, 0.04))
    box = (gap, gap, size[0] - gap - 1, size[1] - gap - 1)
    width = max(1, round(min(size) / 200))
    ImageDraw.Draw(image).rectangle(box, outline=style.ink, width=width)
    return image


def _fading(rng: Random, size: tuple[int, int], style: _Style) -> Image.Image:
    width, height = size
    down, across = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j]
    way = rng.uniform(-1, 1, 2)
    share = way[0] * down + way[1] * across
    if coin(rng):
        share = np.hypot(down - 0.5, across - 0.5)
    levels = np.array(style.ground) + share[:, :, None] * rng.uniform(-70, 70, 3)
    return Image.fromarray(levels.clip(0, 255).round().astype(np.uint8))


_Ground = Callable[[Random, tuple[int, int], _Style], Image.Image]
_GROUNDS: Final[tuple[_Ground, ...]] = (_flat, _fading, _fading, _with_bar, _with_frame)


def _mark(rng: Random, image: Image.Image, style: _Style) -> None:
    width, height = image.size
    paint = ImageDraw.Draw(image)
    sign = _SIGNS[int(rng.integers(len(_SIGNS)))]
    side = min(width, height) * rng.uniform(0.15, 0.4)
    middle, top = width / 2, height * rng.uniform(0.15, 0.3)
    if sign is not None:
        sign(paint, (middle - side / 2, top, middle + side / 2, top + side), style)
        top += side * 1.15
    text = _PHRASES[int(rng.integers(len(_PHRASES)))]
    _write(
        paint,
        text,
        at=(middle, top),
        within=width * rng.uniform(0.4, 0.8),
        fill=style.ink,
    )
    if coin(rng):
        broker = _BROKERS[int(rng.integers(len(_BROKERS)))]
        _write(
            paint, broker, at=(middle, height * 0.8), within=width * 0.3, fill=style.ink
        )


def _write(
    paint: ImageDraw.ImageDraw,
    text: str,
    *,
    at: tuple[float, float],
    within: float,
    fill: _Colour,
) -> None:
    """Write *text* on one line around `at`, as large as fits *within* pixels."""
    letters = font(40)
    letters = font(40 * within / max(1, paint.textlength(text, font=letters)))
    paint.text(at, text, fill, font=letters, anchor="ma")


def _house(paint: ImageDraw.ImageDraw, box: _Box, style: _Style) -> None:
    left, top, right, bottom = box
    middle, eaves = (left + right) / 2, top + (bottom - top) * 0.45
    paint.polygon(((left, eaves), (middle, top), (right, eaves)), fill=style.ink)
    wall = (right - left) * 0.12
    paint.rectangle((left + wall, eaves, right - wall, bottom), fill=style.ink)
    paint.rectangle(
        (middle - wall, eaves * 0.4 + bottom * 0.6, middle + wall, bottom),
        fill=style.ground,
    )


def _camera(paint: ImageDraw.ImageDraw, box: _Box, style: _Style) -> None:
    left, top, right, bottom = box
    side = right - left
    body = (left, top + side * 0.25, right, bottom - side * 0.1)
    line = max(2, round(side / 18))
    paint.rounded_rectangle(body, radius=side / 10, outline=style.ink, width=line)
    middle, centre = (left + right) / 2, (body[1] + body[3]) / 2
    lens = side * 0.2
    paint.ellipse(
        (middle - lens, centre - lens, middle + lens, centre + lens),
        outline=style.ink,
        width=line,
    )
    paint.line((left, bottom, right, top), fill=style.ink, width=line)


def _pin(paint: ImageDraw.ImageDraw, box: _Box, style: _Style) -> None:
    left, top, right, bottom = box
    side = right - left
    paint.ellipse((left, top, right, top + side), fill=style.ink)
    points = (
        (left + side * 0.06, top + side * 0.7),
        (right - side * 0.06, top + side * 0.7),
        ((left + right) / 2, bottom + side * 0.2),
    )
    paint.polygon(points, fill=style.ink)
    hole = side * 0.3
    paint.ellipse(
        (left + hole, top + hole, right - hole, top + side - hole), fill=style.accent
    )


def _picture(paint: ImageDraw.ImageDraw, box: _Box, style: _Style) -> None:
    left, top, right, bottom = box
    side = right - left
    paint.rectangle(box, outline=style.ink, width=max(2, round(side / 20)))
    hills = (
        (left + side * 0.1, bottom - side * 0.1),
        (left + side * 0.4, top + side * 0.4),
        (left + side * 0.6, top + side * 0.65),
        (left + side * 0.75, top + side * 0.5),
        (right - side * 0.1, bottom - side * 0.1),
    )
    paint.polygon(hills, fill=style.ink)
    paint.ellipse(
        (right - side * 0.35, top + side * 0.15, right - side * 0.2, top + side * 0.3),
        fill=style.ink,
    )


def _logo(paint: ImageDraw.ImageDraw, box: _Box, style: _Style) -> None:
    left, top, right, bottom = box
    paint.ellipse(box, fill=style.accent)
    middle = (left + right) / 2
    _write(
        paint,
        "DS",
        at=(middle, top * 0.75 + bottom * 0.25),
        within=(right - left) * 0.5,
        fill=style.ground,
    )


_Sign = Callable[[ImageDraw.ImageDraw, _Box, _Style], None]
_SIGNS: Final[tuple[_Sign | None, ...]] = (None, _house, _camera, _pin, _picture, _logo)


def _encoded(rng: Random, image: Image.Image) -> bytes:
    kind, quality = int(rng.integers(8)), int(rng.integers(30, 96))
    if kind == 0:
        file = BytesIO()
        image.save(file, "PNG", compress_level=1)
        return file.getvalue()
    return webp(image, quality) if kind == 1 else jpeg(image, quality)
