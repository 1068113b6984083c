"""Plans, documents and blank pages: much alike, and each one of its own."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

import numpy as np
from PIL import Image, ImageDraw

from phx_pipeline_tests.corpus.pictures import (
    Made,
    Page,
    Random,
    coin,
    draws,
    font,
    jpeg,
    to_width,
)
from phx_pipeline_tests.corpus.rooms import ROOMS

_PAGE: Final = (1000, 760)  # pixels
_WORDS: Final = ("kitchen", "bath", "bedroom", "garage", "living", "closet", "den")


def pages(kind: str, *, number: int, seed: int) -> Iterator[Made]:
    """Yield two copies of a made-up page: large, and 640 px wide with strong JPEG.

    *kind* is one of `DRAWN`. Sheets of one template differ in their inner walls only.
    """
    name = f"{kind} {number}"
    page = DRAWN[kind](draws(name, "page", seed=seed), number)
    yield Made(identity=name, kind=kind, body=jpeg(page, 92))
    rng = draws(name, "copy", seed=seed)
    small = to_width(page, int(rng.integers(600, 680)))
    yield Made(identity=name, kind=kind, body=jpeg(small, int(rng.integers(60, 76))))


def _plan(rng: Random, _number: int) -> Image.Image:
    page, paint = _blank_page()
    _draw_walls(paint, rng, outline=(60, 50, _PAGE[0] - 60, _PAGE[1] - 50))
    return page


def _template_plan(rng: Random, number: int) -> Image.Image:
    """Return a plan whose outline, title and scale it shares with three others."""
    page, paint = _blank_page()
    shared = np.random.default_rng(number // 4)
    left, top = shared.uniform(40, 160, 2)
    right, bottom = _PAGE - shared.uniform(120, 200, 2)
    paint.rectangle((700, 690, 980, 745), outline=(0, 0, 0), width=2)
    paint.text((712, 700), f"MODEL {number // 4}", (0, 0, 0), font=font(24))
    _draw_walls(paint, rng, outline=(left, top, right, bottom))
    return page


def _storey(rng: Random, number: int) -> Image.Image:
    """Return one of two storeys: outer walls, stairs and half of the walls shared."""
    page, paint = _blank_page()
    shared = np.random.default_rng((6, number // 2))
    outline = (60, 50, _PAGE[0] - 60, _PAGE[1] - 90)
    _draw_walls(paint, shared, outline=outline)
    left, top = shared.uniform((100, 100), (700, 450))
    for step in range(9):
        box = (left + 12 * step, top, left + 12 * step + 12, top + 70)
        paint.rectangle(box, outline=(0, 0, 0), width=2)
    _draw_walls(paint, rng, outline=outline)
    title = ("FIRST FLOOR", "SECOND FLOOR")[number % 2]
    paint.text((70, _PAGE[1] - 70), title, (0, 0, 0), font=font(26))
    return page


def _tinted_plan(rng: Random, number: int) -> Image.Image:
    """Return a plan with coloured rooms and furniture signs, as apps draw them."""
    page, paint = _blank_page()
    box = (60, 50, _PAGE[0] - 60, _PAGE[1] - 50)
    for _ in range(int(rng.integers(4, 9))):
        x = np.sort(rng.uniform(box[0], box[2], 2))
        y = np.sort(rng.uniform(box[1], box[3], 2))
        fill = tuple(int(level) for level in rng.integers(190, 250, 3))
        paint.rectangle((x[0], y[0], x[1], y[1]), fill=fill)
    _draw_walls(paint, rng, outline=box)
    for _ in range(12):
        across, down = rng.uniform(80, 900), rng.uniform(80, 680)
        sign = (across, down, across + 40, down + 25)
        paint.ellipse(sign, outline=(90, 90, 90), width=2)
    del number
    return page


def _document(rng: Random, _number: int) -> Image.Image:
    page, paint = _blank_page()
    letters = font(17)
    for line in range(int(rng.integers(18, 33))):
        words = [_word(rng) for _ in range(int(rng.integers(4, 15)))]
        paint.text((60, 40 + line * 21), " ".join(words), (25, 25, 25), font=letters)
    return page


def _blank(rng: Random, _number: int) -> Image.Image:
    top, bottom = rng.uniform(60, 250), rng.uniform(60, 250)
    levels = np.linspace(top, bottom, _PAGE[1])[:, None]
    noisy = levels + rng.normal(0, 2, (_PAGE[1], _PAGE[0]))
    return Image.fromarray(noisy.clip(0, 255).astype(np.uint8)).convert("RGB")


PAGES: Final[Mapping[str, Page]] = MappingProxyType(
    {
        "plan": _plan,
        "template plan": _template_plan,
        "storey plan": _storey,
        "tinted plan": _tinted_plan,
        "document": _document,
        "blank": _blank,
    }
)
DRAWN: Final[Mapping[str, Page]] = MappingProxyType({**PAGES, **ROOMS})


def _blank_page() -> tuple[Image.Image, ImageDraw.ImageDraw]:
    page = Image.new("RGB", _PAGE, "white")
    return page, ImageDraw.Draw(page)


def _draw_walls(
    paint: ImageDraw.ImageDraw, rng: Random, *, outline: tuple[float, ...]
) -> None:
    left, top, right, bottom = outline
    paint.rectangle((left, top, right, bottom), outline=(0, 0, 0), width=8)
    for _ in range(int(rng.integers(5, 11))):
        x, y = rng.uniform(left, right), rng.uniform(top, bottom)
        if coin(rng):
            end = min(bottom, y + rng.uniform(80, 400))
            paint.line((x, y, x, end), fill=(0, 0, 0), width=6)
        else:
            end = min(right, x + rng.uniform(80, 500))
            paint.line((x, y, end, y), fill=(0, 0, 0), width=6)
    for _ in range(4):
        place = (rng.uniform(left, right - 90), rng.uniform(top, bottom - 30))
        word = _WORDS[rng.integers(len(_WORDS))]
        paint.text(place, word, (0, 0, 0), font=font(20))


def _word(rng: Random) -> str:
    letters = rng.integers(97, 123, int(rng.integers(2, 10)))
    return bytes(letters.tolist()).decode()
