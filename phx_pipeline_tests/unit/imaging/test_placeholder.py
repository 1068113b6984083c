"""Cards are told from all that a listing wants to show."""

from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

from phx_pipeline.demo import rooms
from phx_pipeline.demo.rooms import RoomKind
from phx_pipeline.imaging.decode import decode
from phx_pipeline.imaging.placeholder import card_signs, is_card
from phx_pipeline_tests.corpus.cards import card, street_map
from phx_pipeline_tests.corpus.pages import PAGES, pages

Picture = Callable[[], Image.Image]


def passes(body: bytes) -> bool:
    return is_card(decode(body).image)


@pytest.mark.parametrize("count", [24, pytest.param(60, marks=pytest.mark.soak)])
def test_most_cards_are_told(count: int) -> None:
    told = [passes(card(number, seed=7).body) for number in range(count)]

    assert sum(told) >= 0.75 * count


@pytest.mark.parametrize("count", [3, pytest.param(12, marks=pytest.mark.soak)])
@pytest.mark.parametrize("kind", PAGES)
def test_plans_documents_and_blanks_are_no_cards(kind: str, count: int) -> None:
    numbers = range(count)
    made = [page for number in numbers for page in pages(kind, number=number, seed=3)]

    assert not any(passes(page.body) for page in made)


def test_maps_are_no_cards() -> None:
    assert not any(passes(street_map(number, seed=3).body) for number in range(6))


@pytest.mark.parametrize("kind", RoomKind)
def test_drawn_rooms_are_no_cards(kind: RoomKind) -> None:
    assert not passes(rooms.draw(kind, seed=2, size=(640, 480)))


def test_no_real_photo_is_a_card(shared_dir: Path) -> None:
    files = sorted((shared_dir / "photos/full").glob("*.jpg"))[::4]

    assert len(files) == 72
    assert [file.name for file in files if passes(file.read_bytes())] == []


def wall() -> Image.Image:
    """A wall in falling light, with a switch."""
    random = np.random.default_rng(1)
    light = np.linspace(225, 190, 800)[None, :] + random.normal(0, 2.5, (600, 800))
    image = Image.fromarray(light.clip(0, 255).astype(np.uint8)).convert("RGB")
    ImageDraw.Draw(image).rectangle((380, 300, 420, 360), fill=(240, 240, 235))
    return image


def night() -> Image.Image:
    """A black sky with stars and a moon."""
    random = np.random.default_rng(2)
    image = Image.new("RGB", (900, 600), (4, 5, 12))
    paint = ImageDraw.Draw(image)
    for x, y in random.uniform((0, 0), (900, 600), (150, 2)):
        paint.ellipse((x, y, x + 2, y + 2), fill=(200, 200, 210))
    paint.ellipse((650, 80, 720, 150), fill=(245, 240, 220))
    return image.filter(ImageFilter.GaussianBlur(1))


def photo_on_white() -> Image.Image:
    """A small photo in the middle of an empty frame."""
    frame = Image.new("RGB", (1200, 900), "white")
    room = decode(rooms.draw(RoomKind.KITCHEN, seed=3, size=(400, 300))).image
    frame.paste(room, (400, 300))
    return frame


def sketch() -> Image.Image:
    """The outline of a house with its measures, as an assessor draws it."""
    image = Image.new("RGB", (800, 600), "white")
    paint = ImageDraw.Draw(image)
    corners = ((60, 60), (740, 60), (740, 380), (420, 380), (420, 540), (60, 540))
    paint.polygon(corners, outline="black", width=3)
    for x, y in corners:
        paint.text((x + 8, y - 24), f"{x / 10:.0f} ft", "black")
    return image


@pytest.mark.parametrize("picture", [wall, night, photo_on_white, sketch])
def test_empty_looking_pictures_are_no_cards(picture: Picture) -> None:
    file = BytesIO()
    picture().save(file, "JPEG", quality=85)

    assert not passes(file.getvalue())


@pytest.mark.parametrize("colour", ["white", "black", "grey"])
def test_a_picture_of_nothing_is_no_card(colour: str) -> None:
    signs = card_signs(Image.new("RGB", (640, 480), colour))

    assert signs.ground == 1
    assert not signs.is_card
