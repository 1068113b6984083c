"""Copies of a photo as listing sites make them, and with one operation each."""

from collections.abc import Callable, Collection, Iterator, Mapping
from types import MappingProxyType
from typing import Final

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter

from phx_pipeline_tests.corpus.frames import FRAMES, shaped
from phx_pipeline_tests.corpus.marks import MARKS
from phx_pipeline_tests.corpus.pictures import (
    Made,
    Random,
    Step,
    coin,
    draws,
    font,
    identity,
    jpeg,
    to_width,
    webp,
)

_BRANDS: Final = ((255, 255, 255), (0, 0, 0), (160, 32, 33), (0, 106, 255))
_BARS: Final = ((255, 255, 255), (230, 230, 230), (0, 0, 0))
_BRANDED: Final = (
    *("text strip below", "text strip over", "caption", "date stamp", "logo"),
    *("logo", "agent card", "diagonal mark"),
)
_TILES: Final = (4 / 3, 4 / 3, 3 / 2, 16 / 9, 1.0)
_SHAPES: Final = (1.0, 4 / 3, 3 / 2, 16 / 9)


def site_copies(
    photo: Image.Image, *, name: str, seed: int, rounds: int = 1
) -> Iterator[Made]:
    """Yield a copy in each of the three site styles, *rounds* times."""
    for turn in range(rounds):
        for style, make in _STYLES.items():
            kind = f"{style}-{turn}"
            body = make(photo, draws(name, kind, seed=seed))
            yield Made(identity=identity(name), kind=kind, body=body)


def marked_copies(photo: Image.Image, *, name: str, seed: int) -> Iterator[Made]:
    """Yield a copy as an agent's site marks it, and one as a portal's tiles show it."""
    for style, make in (("branded", _style_branded), ("tile", _style_tile)):
        body = make(photo, draws(name, style, seed=seed))
        yield Made(identity=identity(name), kind=style, body=body)


def single_copies(
    photo: Image.Image, *, name: str, seed: int, kinds: Collection[str] = ()
) -> Iterator[Made]:
    """Yield one copy per operation (all by default), with exactly that operation."""
    for kind in kinds or SINGLES:
        rng = draws(name, kind, seed=seed)
        body = jpeg(SINGLES[kind](photo, rng), int(rng.integers(85, 91)))
        yield Made(identity=identity(name), kind=kind, body=body)


def _style_large(photo: Image.Image, rng: Random) -> bytes:
    changed = _now_and_then(photo, rng, ((0.1, _crop), (0.1, _sharpen), (0.1, _relit)))
    sized = to_width(changed, int(rng.integers(1024, 1537)))
    quality = int(rng.integers(75, 93))
    return webp(sized, quality) if coin(rng) else jpeg(sized, quality)


def _style_badged(photo: Image.Image, rng: Random) -> bytes:
    changed = _now_and_then(
        photo, rng, ((0.33, _crop), (0.33, _relit), (0.33, _sharpen))
    )
    sized = to_width(changed, int(rng.integers(640, 1025)))
    marked = _now_and_then(sized, rng, ((0.5, _badge), (0.05, _letterbox)))
    return jpeg(marked, int(rng.integers(65, 89)))


def _style_small(photo: Image.Image, rng: Random) -> bytes:
    changed = _now_and_then(photo, rng, ((0.45, _crop), (0.33, _relit)))
    sized = to_width(changed, int(rng.integers(640, 801)))
    steps = ((0.33, _badge), (0.1, _letterbox), (0.1, _strip), (0.1, _centre_mark))
    return jpeg(_now_and_then(sized, rng, steps), int(rng.integers(60, 81)))


def _style_branded(photo: Image.Image, rng: Random) -> bytes:
    changed = _now_and_then(photo, rng, ((0.2, _crop), (0.2, _relit)))
    sized = to_width(changed, int(rng.integers(800, 1537)))
    mark = MARKS[_BRANDED[rng.integers(len(_BRANDED))]]
    marked = mark(sized, rng) if rng.random() < 0.8 else sized
    return jpeg(marked, int(rng.integers(65, 92)))


def _style_tile(photo: Image.Image, rng: Random) -> bytes:
    cut = shaped(_TILES[rng.integers(len(_TILES))])(photo, rng)
    sized = to_width(cut, int(rng.integers(384, 801)))
    steps = ((0.2, MARKS["gradient box"]), (0.05, MARKS["play button"]), (0.3, _relit))
    return jpeg(_now_and_then(sized, rng, steps), int(rng.integers(60, 86)))


_STYLES: Final[Mapping[str, Callable[[Image.Image, Random], bytes]]] = MappingProxyType(
    {"large": _style_large, "badged": _style_badged, "small": _style_small}
)


def _now_and_then(
    image: Image.Image, rng: Random, steps: tuple[tuple[float, Step], ...]
) -> Image.Image:
    for chance, step in steps:
        if rng.random() < chance:
            image = step(image, rng)
    return image


def _crop(
    image: Image.Image, rng: Random, *, share: float | None = None
) -> Image.Image:
    cut = rng.uniform(0.01, 0.04) if share is None else share
    across, down = cut * image.width, cut * image.height
    left, top = across * rng.random(), down * rng.random()
    return image.crop(
        (
            round(left),
            round(top),
            round(image.width - across + left),
            round(image.height - down + top),
        )
    )


def _relit(image: Image.Image, rng: Random) -> Image.Image:
    for enhancer in (
        ImageEnhance.Brightness,
        ImageEnhance.Contrast,
        ImageEnhance.Color,
    ):
        image = enhancer(image).enhance(rng.uniform(0.9, 1.1))
    return image


def _sharpen(image: Image.Image, rng: Random) -> Image.Image:
    radius, percent = rng.uniform(0.6, 1.6), int(rng.integers(40, 121))
    return image.filter(ImageFilter.UnsharpMask(radius, percent, threshold=2))


def _badge(
    image: Image.Image, rng: Random, *, share: float | None = None
) -> Image.Image:
    width = round(image.width * (rng.uniform(0.1, 0.25) if share is None else share))
    height = max(8, round(width * 0.28))
    colour = _BRANDS[rng.integers(len(_BRANDS))]
    ink = (20, 20, 20) if sum(colour) > 380 else (245, 245, 245)
    badge = Image.new("RGB", (width, height), colour)
    text = f"MLS {rng.integers(10**6)}"
    ImageDraw.Draw(badge).text((3, 2), text, ink, font=font(height * 0.55))
    margin = round(image.width * 0.015)
    left = (margin, image.width - width - margin)[rng.integers(2)]
    top = (margin, image.height - height - margin)[rng.integers(2)]
    opacity = Image.new("L", badge.size, round(255 * rng.uniform(0.6, 0.85)))
    marked = image.copy()
    marked.paste(badge, (left, top), opacity)
    return marked


def _centre_mark(image: Image.Image, rng: Random) -> Image.Image:
    layer = Image.new("L", image.size)
    ImageDraw.Draw(layer).text(
        (image.width / 2, image.height / 2),
        "PREVIEW ONLY",
        round(255 * rng.uniform(0.25, 0.4)),
        font=font(image.width / 9),
        anchor="mm",
    )
    marked = image.copy()
    marked.paste((255, 255, 255), mask=layer)
    return marked


def _letterbox(image: Image.Image, rng: Random) -> Image.Image:
    shape = image.width / image.height
    shapes = [wanted for wanted in _SHAPES if abs(wanted / shape - 1) > 0.02]
    wanted = shapes[rng.integers(len(shapes))]
    size = (
        max(image.width, round(image.height * wanted)),
        max(image.height, round(image.width / wanted)),
    )
    boxed = Image.new("RGB", size, _BARS[rng.integers(len(_BARS))])
    place = ((size[0] - image.width) // 2, (size[1] - image.height) // 2)
    boxed.paste(image, place)
    return boxed


def _strip(image: Image.Image, rng: Random, *, text: str = "") -> Image.Image:
    height = round(image.height * rng.uniform(0.04, 0.08))
    white = coin(rng)
    paper, ink = ((255,) * 3, (40,) * 3) if white else ((0,) * 3, (220,) * 3)
    framed = Image.new("RGB", (image.width, image.height + height), paper)
    framed.paste(image)
    place = (round(image.width * 0.02), image.height + height * 0.1)
    ImageDraw.Draw(framed).text(place, text, ink, font=font(height * 0.7))
    return framed


def _texted_strip(image: Image.Image, rng: Random) -> Image.Image:
    return _strip(image, rng, text="Presented by Desert Homes Realty, LLC")


def _stretch(image: Image.Image, rng: Random) -> Image.Image:
    factor = 1.03 if coin(rng) else 1 / 1.03
    return image.resize(
        (image.width, round(image.height * factor)), Image.Resampling.LANCZOS
    )


def _narrowed(image: Image.Image, _rng: Random) -> Image.Image:
    """Return the middle 8/9 of the width: a 3:2 photo as a 4:3 tile."""
    cut = image.width / 18
    return image.crop((round(cut), 0, round(image.width - cut), image.height))


def _bracket(image: Image.Image, rng: Random) -> Image.Image:
    """Return the same frame exposed 0.5 to 1.3 stops darker or brighter."""
    stops = rng.uniform(0.5, 1.3) * rng.choice((-1, 1))
    light = np.asarray(image, dtype=np.float32) / 255
    exposed = (light**2.2 * 2**stops) ** (1 / 2.2)
    return Image.fromarray((exposed.clip(0, 1) * 255).astype(np.uint8))


def _staged(image: Image.Image, rng: Random) -> Image.Image:
    """Return the frame with made-up furniture over 10 to 25 % of it."""
    staged = image.copy()
    paint = ImageDraw.Draw(staged)
    for _ in range(int(rng.integers(2, 5))):
        width, height = rng.uniform(0.15, 0.3, 2) * image.size
        left = rng.uniform(0, image.width - width)
        top = rng.uniform(0.45, 0.95) * image.height - height / 2
        colour = tuple(int(level) for level in rng.integers(30, 230, 3))
        box = (left, top, left + width, top + height)
        paint.rounded_rectangle(box, radius=height / 5, fill=colour)
    return staged


def _twilight(image: Image.Image, rng: Random) -> Image.Image:
    """Return the frame as edited to dusk: dark blue above, warm light below."""
    light = np.asarray(image, dtype=np.float32)
    height = np.linspace(0, 1, image.height, dtype=np.float32)[:, None, None]
    gain = rng.uniform(0.25, 0.4) + rng.uniform(0.2, 0.4) * height
    tint = (
        np.array((0.8, 0.85, 1.25)) * (1 - height) + np.array((1.2, 1, 0.75)) * height
    )
    bright = light.mean(axis=2, keepdims=True) > 190
    glow = np.where(bright, rng.uniform(0.3, 1.0), 1)
    return Image.fromarray((light * gain * tint * glow).clip(0, 255).astype(np.uint8))


def _cropped(share: float) -> Step:
    return lambda image, rng: _crop(image, rng, share=share)


def _badged(share: float) -> Step:
    return lambda image, rng: _badge(image, rng, share=share)


def _at_width(width: int) -> Step:
    return lambda image, _rng: to_width(image, width)


SINGLES: Final[Mapping[str, Step]] = MappingProxyType(
    {
        "4:3 from 3:2": _narrowed,
        "resize 320": _at_width(320),
        "resize 2048": _at_width(2048),
        "crop 2 %": _cropped(0.02),
        "crop 4 %": _cropped(0.04),
        "crop 8 %": _cropped(0.08),
        "badge 25 %": _badged(0.25),
        "letterbox": _letterbox,
        "strip": _strip,
        "strip with text": _texted_strip,
        "centre mark": _centre_mark,
        "relit 10 %": _relit,
        "sharpened": _sharpen,
        "stretched 3 %": _stretch,
        "bracket": _bracket,
        "staged": _staged,
        "twilight": _twilight,
        **MARKS,
        **FRAMES,
    }
)
# Other pictures to many people, or hardly a picture any more.
UNPROMISED: Final = frozenset({"staged", "twilight", "turned 2°", "damaged"})
NEARLY: Final = frozenset(  # promised in 99 of 100
    {
        *("strip with text", "text strip below", "text strip over", "caption"),
        *("turned 0.5°", "turned 1°"),
    }
)
