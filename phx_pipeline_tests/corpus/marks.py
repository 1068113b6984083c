"""What sites, agents and cameras lay over a photo, or set beside it as a caption.

Frames cut or turned are `frames`; what makes a picture another one is neither.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from phx_pipeline_tests.corpus.pictures import Random, Step, coin, font

_LINES: Final = (
    "Presented by Desert Homes Realty, LLC",
    "Listing courtesy of Saguaro & Sons 602-555-0117",
    "4 bd 2 ba 1,980 sqft - 1417 W Mesa Verde Dr",
)
_PAPERS: Final = ((255, 255, 255), (0, 0, 0), (18, 52, 96), (200, 30, 40))
_DATE_INKS: Final = ((255, 140, 20), (255, 230, 60), (255, 255, 255))
_DARK: Final = 380  # sum of three levels below which ink is light


def strip_below(image: Image.Image, rng: Random) -> Image.Image:
    """Return the photo with a caption of one line set under it."""
    height = round(image.height * rng.uniform(0.05, 0.1))
    framed = Image.new("RGB", (image.width, image.height + height))
    framed.paste(image)
    _caption_bar(framed, rng, top=image.height)
    return framed


def strip_over(image: Image.Image, rng: Random) -> Image.Image:
    """Return the photo with a caption of one line over its lowest or highest rows."""
    marked = image.copy()
    height = round(image.height * rng.uniform(0.06, 0.12))
    top = 0 if rng.random() < 0.2 else image.height - height
    _caption_bar(marked, rng, top=top, bottom=top + height)
    return marked


def caption(image: Image.Image, rng: Random) -> Image.Image:
    """Return the photo with a line written straight on it, with a shadow."""
    marked = image.copy()
    paint = ImageDraw.Draw(marked)
    letters = font(image.height * rng.uniform(0.04, 0.07))
    at = (image.width * rng.uniform(0.03, 0.2), image.height * rng.uniform(0.82, 0.9))
    text = _LINES[rng.integers(len(_LINES))]
    paint.text((at[0] + 2, at[1] + 2), text, (0, 0, 0), font=letters)
    paint.text(at, text, (255, 255, 255), font=letters)
    return marked


def date_stamp(image: Image.Image, rng: Random) -> Image.Image:
    """Return the photo with the date that a camera writes into a corner."""
    marked = image.copy()
    year, month, day = rng.integers((2004, 1, 1), (2026, 13, 29))
    text = (
        f"{month:02}/{day:02}/{year}"
        if coin(rng)
        else f"'{year % 100:02} {month} {day}"
    )
    place = (image.width * 0.96, image.height * 0.95)
    ink = _DATE_INKS[rng.integers(len(_DATE_INKS))]
    letters = font(image.height * rng.uniform(0.04, 0.07))
    ImageDraw.Draw(marked).text(place, text, ink, font=letters, anchor="rs")
    return marked


def agent_card(image: Image.Image, rng: Random) -> Image.Image:
    """Return the photo with an agent's card in a corner: portrait, name, number."""
    width = round(image.width * rng.uniform(0.28, 0.4))
    height = round(width * rng.uniform(0.35, 0.5))
    card = Image.new("RGB", (width, height), (250, 250, 250))
    paint = ImageDraw.Draw(card)
    middle, radius = height / 2, height * 0.4
    skin = tuple(int(level) for level in rng.integers((150, 90, 60), (240, 190, 160)))
    paint.ellipse(
        (middle - radius, middle - radius, middle + radius, middle + radius), skin
    )
    paint.ellipse(
        (middle - radius / 2, height * 0.6, middle + radius / 2, height), (40, 40, 70)
    )
    for line, text in enumerate(
        ("Dana Whitfield", "Desert Homes Realty", "602-555-0117")
    ):
        place = (height * 1.1, height * (0.15 + 0.27 * line))
        paint.text(place, text, (30, 30, 30), font=font(height * 0.17))
    return _in_a_corner(image, card, rng, opacity=1.0)


def logo(image: Image.Image, rng: Random) -> Image.Image:
    """Return the photo with a broker's round sign in a corner, translucent."""
    side = round(image.width * rng.uniform(0.08, 0.16))
    sign = Image.new("RGB", (side, side), (255, 255, 255))
    colour = tuple(int(level) for level in rng.integers(0, 200, 3))
    paint = ImageDraw.Draw(sign)
    paint.ellipse((0, 0, side - 1, side - 1), fill=colour)
    roof = (
        (side * 0.2, side * 0.5),
        (side * 0.5, side * 0.2),
        (side * 0.8, side * 0.5),
    )
    paint.polygon(roof, fill=(255, 255, 255))
    paint.rectangle((side * 0.3, side * 0.5, side * 0.7, side * 0.78), (255, 255, 255))
    round_ = Image.new("L", sign.size)
    ImageDraw.Draw(round_).ellipse((0, 0, side - 1, side - 1), fill=255)
    return _in_a_corner(image, sign, rng, opacity=rng.uniform(0.6, 1), shape=round_)


def diagonal_mark(image: Image.Image, rng: Random) -> Image.Image:
    """Return the photo with words from corner to corner, once or in rows."""
    side = round(np.hypot(*image.size))
    layer = Image.new("L", (side, side))
    paint, strength = ImageDraw.Draw(layer), round(255 * rng.uniform(0.2, 0.4))
    rows = (0.5,) if coin(rng) else (0.2, 0.35, 0.5, 0.65, 0.8)
    letters = font(image.width / (9 if len(rows) == 1 else 18))
    text = "DESERT SUN MLS" if len(rows) == 1 else "DESERT SUN MLS   " * 3
    for row in rows:
        paint.text((side / 2, side * row), text, strength, font=letters, anchor="mm")
    turned = layer.rotate(rng.uniform(20, 40) * rng.choice((-1, 1)))
    left, top = (side - image.width) // 2, (side - image.height) // 2
    marked = image.copy()
    mask = turned.crop((left, top, left + image.width, top + image.height))
    marked.paste((255, 255, 255), mask=mask)
    return marked


def play_button(image: Image.Image, rng: Random) -> Image.Image:
    """Return the photo as the first frame of a tour: a play button in the middle."""
    radius = image.height * rng.uniform(0.08, 0.14)
    x, y = image.width / 2, image.height / 2
    layer = Image.new("L", image.size)
    circle = (x - radius, y - radius, x + radius, y + radius)
    ImageDraw.Draw(layer).ellipse(circle, fill=round(255 * rng.uniform(0.5, 0.9)))
    marked = image.copy()
    marked.paste((20, 20, 20), mask=layer)
    points = (
        (x - radius * 0.35, y - radius * 0.5),
        (x - radius * 0.35, y + radius * 0.5),
    )
    tip = (x + radius * 0.55, y)
    ImageDraw.Draw(marked).polygon((*points, tip), fill=(255, 255, 255))
    return marked


def blurred_box(image: Image.Image, rng: Random) -> Image.Image:
    """Return the photo with a face, a number plate or a screen made unreadable."""
    box = _somewhere(image, rng, least=0.12, most=0.28)
    part = image.crop(box)
    marked = image.copy()
    blurred = part.filter(ImageFilter.GaussianBlur(image.width / 40))
    marked.paste(blurred, (box[0], box[1]))
    return marked


def gradient_box(image: Image.Image, rng: Random) -> Image.Image:
    """Return the photo darkened towards its lower edge, under a line of text."""
    rows = round(image.height * rng.uniform(0.2, 0.35))
    strength = np.linspace(0, rng.uniform(0.6, 0.9), rows) * 255
    mask = np.zeros((image.height, image.width), dtype=np.uint8)
    mask[-rows:] = strength[:, None].astype(np.uint8)
    marked = image.copy()
    marked.paste((0, 0, 0), mask=Image.fromarray(mask))
    place = (image.width * 0.03, image.height * 0.9)
    text, letters = _LINES[rng.integers(len(_LINES))], font(image.height * 0.05)
    ImageDraw.Draw(marked).text(place, text, (255, 255, 255), font=letters)
    return marked


MARKS: Final[Mapping[str, Step]] = MappingProxyType(
    {
        "text strip below": strip_below,
        "text strip over": strip_over,
        "caption": caption,
        "date stamp": date_stamp,
        "agent card": agent_card,
        "logo": logo,
        "diagonal mark": diagonal_mark,
        "play button": play_button,
        "blurred box": blurred_box,
        "gradient box": gradient_box,
    }
)


def _caption_bar(
    image: Image.Image, rng: Random, *, top: int, bottom: int | None = None
) -> None:
    """Fill the rows from *top* to *bottom* (the last one) with paper and text."""
    bottom = image.height if bottom is None else bottom
    paper = _PAPERS[rng.integers(len(_PAPERS))]
    ink = (30, 30, 30) if sum(paper) > _DARK else (240, 240, 240)
    paint = ImageDraw.Draw(image)
    paint.rectangle((0, top, image.width, bottom - 1), fill=paper)
    text = _LINES[rng.integers(len(_LINES))]
    place = (image.width * rng.uniform(0.02, 0.3), (top + bottom) / 2)
    paint.text(place, text, ink, font=font((bottom - top) * 0.6), anchor="lm")


def _in_a_corner(
    image: Image.Image,
    sign: Image.Image,
    rng: Random,
    *,
    opacity: float,
    shape: Image.Image | None = None,
) -> Image.Image:
    margin = round(image.width * 0.02)
    left = (margin, image.width - sign.width - margin)[rng.integers(2)]
    top = image.height - sign.height - margin if rng.random() < 0.8 else margin
    mask = Image.new("L", sign.size, 255) if shape is None else shape
    marked = image.copy()
    marked.paste(sign, (left, top), mask.point(lambda level: round(level * opacity)))
    return marked


def _somewhere(
    image: Image.Image, rng: Random, *, least: float, most: float
) -> tuple[int, int, int, int]:
    """Return a box of *least* to *most* of each side, wholly inside."""
    width, height = (
        round(side * rng.uniform(least, most)) for side in (image.width, image.height)
    )
    left = int(rng.integers(0, image.width - width))
    top = int(rng.integers(0, image.height - height))
    return left, top, left + width, top + height
