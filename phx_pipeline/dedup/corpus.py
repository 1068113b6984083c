"""Labelled pictures to measure de-duplication on, made from real photos.

Copies are made as listing sites make them. Look-alikes (a moved camera, plans that
share a template, pages of text) are what must stay apart. Every random number is drawn
per (seed, photo, kind), so that adding photos changes nothing else.
"""

import math
import zlib
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageFont

_LANCZOS: Final = Image.Resampling.LANCZOS
_BRANDS: Final = ((255, 255, 255), (0, 0, 0), (160, 32, 33), (0, 106, 255))
_BARS: Final = ((255, 255, 255), (230, 230, 230), (0, 0, 0))
_SHAPES: Final = (1.0, 4 / 3, 3 / 2, 16 / 9)
_PAGE: Final = (1000, 760)  # px of a plan or document

# Photos of the public Houses Dataset that are the same photo under two names.
_REPEATED: Final[Mapping[str, str]] = MappingProxyType(
    {
        "21_bathroom": "9_bathroom",
        "21_bedroom": "9_bedroom",
        "12_bedroom": "12_bathroom",
        "32_frontal": "12_frontal",
        "293_frontal": "292_frontal",
        "354_bedroom": "354_bathroom",
        "466_kitchen": "466_bathroom",
    }
)

_Random = np.random.Generator
_Step = Callable[[Image.Image, _Random], Image.Image]


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """An encoded picture; pictures of one identity are copies of each other."""

    identity: str
    kind: str
    body: bytes


def identity(name: str) -> str:
    """Return what a photo of the Houses Dataset shows: its name, but for repeats."""
    return _REPEATED.get(name, name)


def draws(name: str, kind: str, *, seed: int) -> _Random:
    """Return the random numbers of one (photo, kind)."""
    key = (seed, zlib.crc32(name.encode()), zlib.crc32(kind.encode()))
    return np.random.default_rng(key)


def site_copies(
    photo: Image.Image, *, name: str, seed: int, rounds: int = 1
) -> Iterator[Made]:
    """Yield a copy in each of the three site styles, *rounds* times."""
    for turn in range(rounds):
        for style, make in _STYLES.items():
            kind = f"{style}-{turn}"
            body = make(photo, draws(name, kind, seed=seed))
            yield Made(identity=identity(name), kind=kind, body=body)


def single_copies(
    photo: Image.Image, *, name: str, seed: int, kinds: Collection[str] = ()
) -> Iterator[Made]:
    """Yield one copy per operation (all by default), with exactly that operation."""
    for kind in kinds or SINGLES:
        rng = draws(name, kind, seed=seed)
        body = _jpeg(SINGLES[kind](photo, rng), int(rng.integers(85, 91)))
        yield Made(identity=identity(name), kind=kind, body=body)


def moved_cameras(
    photo: Image.Image, *, name: str, seed: int, count: int = 1
) -> Iterator[Made]:
    """Yield another view of the same room each time: every one is another photo.

    Near things move against far ones by 10 to 25 % of the width.
    """
    for turn in range(count):
        for kind, move in (("layers", _two_layers), ("room", _box_room)):
            rng = draws(name, f"{kind}-{turn}", seed=seed)
            body = _jpeg(_tilted(move(photo, rng), rng), int(rng.integers(80, 93)))
            label = f"{identity(name)} {kind}-{turn} {seed}"
            yield Made(identity=label, kind=kind, body=body)


def pan(photo: Image.Image, *, name: str, seed: int) -> Iterator[Made]:
    """Yield the left and the right window of 80 % of the width: two photos."""
    part = round(photo.width * 0.8)
    for kind, left in (("left", 0), ("right", photo.width - part)):
        rng = draws(name, f"pan {kind}", seed=seed)
        window = photo.crop((left, 0, left + part, photo.height))
        body = _jpeg(window, int(rng.integers(85, 91)))
        yield Made(identity=f"{identity(name)} {kind}", kind="pan", body=body)


def pages(kind: str, *, number: int, seed: int) -> Iterator[Made]:
    """Yield two copies of a made-up page: large, and 640 px wide with strong JPEG.

    *kind* is one of `PAGES`. Sheets of one template differ in their inner walls only.
    """
    name = f"{kind} {number}"
    page = PAGES[kind](draws(name, "page", seed=seed), number)
    yield Made(identity=name, kind=kind, body=_jpeg(page, 92))
    rng = draws(name, "copy", seed=seed)
    small = _to_width(page, int(rng.integers(600, 680)))
    yield Made(identity=name, kind=kind, body=_jpeg(small, int(rng.integers(60, 76))))


# --- operations of sites


def _style_large(photo: Image.Image, rng: _Random) -> bytes:
    changed = _now_and_then(photo, rng, ((0.1, _crop), (0.1, _sharpen), (0.1, _relit)))
    sized = _to_width(changed, int(rng.integers(1024, 1537)))
    quality = int(rng.integers(75, 93))
    return _webp(sized, quality) if _coin(rng) else _jpeg(sized, quality)


def _style_badged(photo: Image.Image, rng: _Random) -> bytes:
    changed = _now_and_then(
        photo, rng, ((0.33, _crop), (0.33, _relit), (0.33, _sharpen))
    )
    sized = _to_width(changed, int(rng.integers(640, 1025)))
    marked = _now_and_then(sized, rng, ((0.5, _badge), (0.05, _letterbox)))
    return _jpeg(marked, int(rng.integers(65, 89)))


def _style_small(photo: Image.Image, rng: _Random) -> bytes:
    changed = _now_and_then(photo, rng, ((0.45, _crop), (0.33, _relit)))
    sized = _to_width(changed, int(rng.integers(640, 801)))
    steps = ((0.33, _badge), (0.1, _letterbox), (0.1, _strip), (0.1, _centre_mark))
    return _jpeg(_now_and_then(sized, rng, steps), int(rng.integers(60, 81)))


_STYLES: Final[Mapping[str, Callable[[Image.Image, _Random], bytes]]] = (
    MappingProxyType(
        {"large": _style_large, "badged": _style_badged, "small": _style_small}
    )
)


def _now_and_then(
    image: Image.Image, rng: _Random, steps: tuple[tuple[float, _Step], ...]
) -> Image.Image:
    for chance, step in steps:
        if rng.random() < chance:
            image = step(image, rng)
    return image


def _coin(rng: _Random) -> bool:
    return bool(rng.integers(2))


def _crop(
    image: Image.Image, rng: _Random, *, share: float | None = None
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


def _relit(image: Image.Image, rng: _Random) -> Image.Image:
    for enhancer in (
        ImageEnhance.Brightness,
        ImageEnhance.Contrast,
        ImageEnhance.Color,
    ):
        image = enhancer(image).enhance(rng.uniform(0.9, 1.1))
    return image


def _sharpen(image: Image.Image, rng: _Random) -> Image.Image:
    radius, percent = rng.uniform(0.6, 1.6), int(rng.integers(40, 121))
    return image.filter(ImageFilter.UnsharpMask(radius, percent, threshold=2))


def _to_width(image: Image.Image, width: int) -> Image.Image:
    height = max(1, round(image.height * width / image.width))
    return image.resize((width, height), _LANCZOS)


def _badge(
    image: Image.Image, rng: _Random, *, share: float | None = None
) -> Image.Image:
    width = round(image.width * (rng.uniform(0.1, 0.25) if share is None else share))
    height = max(8, round(width * 0.28))
    colour = _BRANDS[rng.integers(len(_BRANDS))]
    ink = (20, 20, 20) if sum(colour) > 380 else (245, 245, 245)  # noqa: PLR2004 - half of white
    badge = Image.new("RGB", (width, height), colour)
    text = f"MLS {rng.integers(10**6)}"
    ImageDraw.Draw(badge).text((3, 2), text, ink, font=_font(height * 0.55))
    margin = round(image.width * 0.015)
    left = (margin, image.width - width - margin)[rng.integers(2)]
    top = (margin, image.height - height - margin)[rng.integers(2)]
    opacity = Image.new("L", badge.size, round(255 * rng.uniform(0.6, 0.85)))
    marked = image.copy()
    marked.paste(badge, (left, top), opacity)
    return marked


def _centre_mark(image: Image.Image, rng: _Random) -> Image.Image:
    layer = Image.new("L", image.size)
    ImageDraw.Draw(layer).text(
        (image.width / 2, image.height / 2),
        "PREVIEW ONLY",
        round(255 * rng.uniform(0.25, 0.4)),
        font=_font(image.width / 9),
        anchor="mm",
    )
    marked = image.copy()
    marked.paste((255, 255, 255), mask=layer)
    return marked


def _letterbox(image: Image.Image, rng: _Random) -> Image.Image:
    shape = image.width / image.height
    shapes = [wanted for wanted in _SHAPES if abs(wanted / shape - 1) > 0.02]  # noqa: PLR2004 - no border to see
    wanted = shapes[rng.integers(len(shapes))]
    size = (
        max(image.width, round(image.height * wanted)),
        max(image.height, round(image.width / wanted)),
    )
    boxed = Image.new("RGB", size, _BARS[rng.integers(len(_BARS))])
    place = ((size[0] - image.width) // 2, (size[1] - image.height) // 2)
    boxed.paste(image, place)
    return boxed


def _strip(image: Image.Image, rng: _Random, *, text: str = "") -> Image.Image:
    height = round(image.height * rng.uniform(0.04, 0.08))
    white = _coin(rng)
    paper, ink = ((255,) * 3, (40,) * 3) if white else ((0,) * 3, (220,) * 3)
    framed = Image.new("RGB", (image.width, image.height + height), paper)
    framed.paste(image)
    place = (round(image.width * 0.02), image.height + height * 0.1)
    ImageDraw.Draw(framed).text(place, text, ink, font=_font(height * 0.7))
    return framed


def _texted_strip(image: Image.Image, rng: _Random) -> Image.Image:
    return _strip(image, rng, text="Presented by Desert Homes Realty, LLC")


def _stretch(image: Image.Image, rng: _Random) -> Image.Image:
    factor = 1.03 if _coin(rng) else 1 / 1.03
    return image.resize((image.width, round(image.height * factor)), _LANCZOS)


def _narrowed(image: Image.Image, _rng: _Random) -> Image.Image:
    """Return the middle 8/9 of the width: a 3:2 photo as a 4:3 tile."""
    cut = image.width / 18
    return image.crop((round(cut), 0, round(image.width - cut), image.height))


def _bracket(image: Image.Image, rng: _Random) -> Image.Image:
    """Return the same frame exposed 0.5 to 1.3 stops darker or brighter."""
    stops = rng.uniform(0.5, 1.3) * rng.choice((-1, 1))
    light = np.asarray(image, dtype=np.float32) / 255
    exposed = (light**2.2 * 2**stops) ** (1 / 2.2)
    return Image.fromarray((exposed.clip(0, 1) * 255).astype(np.uint8))


def _staged(image: Image.Image, rng: _Random) -> Image.Image:
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


def _twilight(image: Image.Image, rng: _Random) -> Image.Image:
    """Return the frame as edited to dusk: dark blue above, warm light below."""
    light = np.asarray(image, dtype=np.float32)
    height = np.linspace(0, 1, image.height, dtype=np.float32)[:, None, None]
    gain = rng.uniform(0.25, 0.4) + rng.uniform(0.2, 0.4) * height
    tint = (
        np.array((0.8, 0.85, 1.25)) * (1 - height) + np.array((1.2, 1, 0.75)) * height
    )
    bright = light.mean(axis=2, keepdims=True) > 190  # noqa: PLR2004 - windows and sky
    glow = np.where(bright, rng.uniform(0.3, 1.0), 1)
    return Image.fromarray((light * gain * tint * glow).clip(0, 255).astype(np.uint8))


def _cropped(share: float) -> _Step:
    return lambda image, rng: _crop(image, rng, share=share)


def _badged(share: float) -> _Step:
    return lambda image, rng: _badge(image, rng, share=share)


def _at_width(width: int) -> _Step:
    return lambda image, _rng: _to_width(image, width)


SINGLES: Final[Mapping[str, _Step]] = MappingProxyType(
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
    }
)
UNPROMISED: Final = frozenset({"staged", "twilight"})  # other pictures to many people


# --- another camera position


def _two_layers(photo: Image.Image, rng: _Random) -> Image.Image:
    """Shift things in front against what is behind them; both layers are the photo."""
    width, height = photo.size
    far = rng.uniform(-0.08, 0.08)
    near = far + rng.uniform(0.10, 0.25) * rng.choice((-1, 1))
    mask = Image.new("L", photo.size)
    paint = ImageDraw.Draw(mask)
    line = rng.uniform(0.55, 0.75, 4)
    corners = [
        (width * x, height * y) for x, y in zip((0, 0.3, 0.7, 1), line, strict=True)
    ]
    paint.polygon([*corners, (width, height), (0, height)], fill=255)
    for _ in range(int(rng.integers(1, 4))):
        x, y = rng.uniform(0.1, 0.9) * width, rng.uniform(0.35, 0.8) * height
        half = rng.uniform(0.06, 0.16, 2) * photo.size
        paint.ellipse((x - half[0], y - half[1], x + half[0], y + half[1]), fill=255)
    disparity = np.asarray(mask, dtype=np.float32) / 255
    return _seen(photo, (far + (near - far) * disparity) * width)


def _box_room(photo: Image.Image, rng: _Random) -> Image.Image:
    """Step sideways in a box-shaped room: the shift grows with nearness.

    Nearness (1 / depth) of floor, ceiling and side walls grows linearly from the
    vanishing point; the back wall has one nearness. Some furniture is nearer still.
    """
    height, width = photo.height, photo.width
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    x, y = x / width - rng.uniform(0.4, 0.6), y / height - rng.uniform(0.4, 0.55)
    back = rng.uniform(0.15, 0.3)
    near = np.maximum(np.maximum(np.abs(x) * 1.6, np.abs(y) * 1.8), back)
    for _ in range(int(rng.integers(1, 4))):
        centre, half = rng.uniform((-0.35, 0), (0.35, 0.35)), rng.uniform(0.06, 0.15, 2)
        inside = (np.abs(x - centre[0]) < half[0]) & (np.abs(y - centre[1]) < half[1])
        near[inside] = near[inside].max(initial=0)
    near = (near - near.min()) / (near.max() - near.min())
    shift = rng.uniform(0.10, 0.25) * rng.choice((-1, 1))
    looked_at = rng.uniform(0.0, 0.5)  # the camera turns to keep this nearness still
    return _seen(photo, (near - looked_at) * shift * width)


def _seen(photo: Image.Image, shift: NDArray[np.float32]) -> Image.Image:
    """Return the photo with each pixel taken from *shift* (height, width) px aside."""
    columns = np.arange(photo.width) + np.rint(shift).astype(np.int64)
    # Beyond the edge the room goes on: mirrored, so that something is there.
    period = 2 * photo.width
    folded = columns % period
    folded = np.where(folded >= photo.width, period - 1 - folded, folded)
    rows = np.arange(photo.height)[:, None]
    return Image.fromarray(np.asarray(photo)[rows, folded])


def _tilted(image: Image.Image, rng: _Random) -> Image.Image:
    """Turn the camera by a little: a perspective change of up to 3 % per corner."""
    width, height = image.size
    corners = ((0, 0), (0, height), (width, height), (width, 0))
    quad = [
        float(place + rng.uniform(0, 0.03) * side * (1 if place == 0 else -1))
        for corner in corners
        for place, side in zip(corner, image.size, strict=True)
    ]
    return image.transform(
        image.size,
        Image.Transform.PERSPECTIVE,
        _perspective(quad, size=image.size),
        Image.Resampling.BICUBIC,
    )


def _perspective(quad: list[float], *, size: tuple[int, int]) -> list[float]:
    """Return Pillow's 8 coefficients that map the frame of *size* onto *quad*."""
    width, height = size
    frame = ((0, 0), (0, height), (width, height), (width, 0))
    rows = []
    for (x, y), (u, v) in zip(
        frame, zip(quad[::2], quad[1::2], strict=True), strict=True
    ):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
    return [float(c) for c in np.linalg.solve(np.array(rows), np.array(quad))]


# --- plans, documents, blanks

_Page = Callable[[_Random, int], Image.Image]
_WORDS: Final = ("kitchen", "bath", "bedroom", "garage", "living", "closet", "den")


def _plan(rng: _Random, _number: int) -> Image.Image:
    page, paint = _blank_page()
    _draw_walls(paint, rng, outline=(60, 50, _PAGE[0] - 60, _PAGE[1] - 50))
    return page


def _template_plan(rng: _Random, number: int) -> Image.Image:
    """Return a plan whose outline, title and scale it shares with three others."""
    page, paint = _blank_page()
    shared = np.random.default_rng(number // 4)
    left, top = shared.uniform(40, 160, 2)
    right, bottom = _PAGE - shared.uniform(120, 200, 2)
    paint.rectangle((700, 690, 980, 745), outline=(0, 0, 0), width=2)
    paint.text((712, 700), f"MODEL {number // 4}", (0, 0, 0), font=_font(24))
    _draw_walls(paint, rng, outline=(left, top, right, bottom))
    return page


def _tinted_plan(rng: _Random, number: int) -> Image.Image:
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


def _document(rng: _Random, _number: int) -> Image.Image:
    page, paint = _blank_page()
    font = _font(17)
    for line in range(int(rng.integers(18, 33))):
        words = [_word(rng) for _ in range(int(rng.integers(4, 15)))]
        paint.text((60, 40 + line * 21), " ".join(words), (25, 25, 25), font=font)
    return page


def _blank(rng: _Random, _number: int) -> Image.Image:
    top, bottom = rng.uniform(60, 250), rng.uniform(60, 250)
    levels = np.linspace(top, bottom, _PAGE[1])[:, None]
    noisy = levels + rng.normal(0, 2, (_PAGE[1], _PAGE[0]))
    return Image.fromarray(noisy.clip(0, 255).astype(np.uint8)).convert("RGB")


PAGES: Final[Mapping[str, _Page]] = MappingProxyType(
    {
        "plan": _plan,
        "template plan": _template_plan,
        "tinted plan": _tinted_plan,
        "document": _document,
        "blank": _blank,
    }
)


def _blank_page() -> tuple[Image.Image, ImageDraw.ImageDraw]:
    page = Image.new("RGB", _PAGE, "white")
    return page, ImageDraw.Draw(page)


def _draw_walls(
    paint: ImageDraw.ImageDraw, rng: _Random, *, outline: tuple[float, ...]
) -> None:
    left, top, right, bottom = outline
    paint.rectangle((left, top, right, bottom), outline=(0, 0, 0), width=8)
    for _ in range(int(rng.integers(5, 11))):
        x, y = rng.uniform(left, right), rng.uniform(top, bottom)
        if _coin(rng):
            end = min(bottom, y + rng.uniform(80, 400))
            paint.line((x, y, x, end), fill=(0, 0, 0), width=6)
        else:
            end = min(right, x + rng.uniform(80, 500))
            paint.line((x, y, end, y), fill=(0, 0, 0), width=6)
    for _ in range(4):
        place = (rng.uniform(left, right - 90), rng.uniform(top, bottom - 30))
        word = _WORDS[rng.integers(len(_WORDS))]
        paint.text(place, word, (0, 0, 0), font=_font(20))


def _word(rng: _Random) -> str:
    letters = rng.integers(97, 123, int(rng.integers(2, 10)))
    return bytes(letters.tolist()).decode()


# --- encoding


def _font(size: float) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(max(8, math.floor(size)))


def _jpeg(image: Image.Image, quality: int) -> bytes:
    file = BytesIO()
    image.save(file, "JPEG", quality=quality)
    return file.getvalue()


def _webp(image: Image.Image, quality: int) -> bytes:
    file = BytesIO()
    image.save(file, "WEBP", quality=quality, method=2)
    return file.getvalue()
