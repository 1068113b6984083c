"""Plans are told from photos by their ground, whatever its colour."""

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from phx_pipeline.categorize.drawing import DRAWN, ground
from phx_pipeline.demo.rooms import draw
from phx_pipeline.imaging.glimpse import SIDE, glimpse
from phx_pipeline.sources.standins import RoomKind

BARS = 70  # pixels on both sides


def plan(paper: str, *rooms: str) -> NDArray[np.uint8]:
    image = Image.new("RGB", (SIDE, SIDE), paper)
    draw = ImageDraw.Draw(image)
    for at, colour in enumerate(rooms):
        draw.rectangle((20, 20 + 45 * at, 110, 60 + 45 * at), fill=colour)
    for at in range(20, 210, 30):
        draw.line((at, 20, at, 200), fill="black", width=2)
        draw.line((20, at, 200, at), fill="black", width=2)
    return np.asarray(image)


def photo() -> NDArray[np.uint8]:
    kitchen = draw(RoomKind.KITCHEN, seed=1, size=(640, 480))
    return glimpse(kitchen).copy()


@pytest.mark.parametrize(
    "picture",
    [
        plan("white"),
        plan("#fff4d8"),
        plan("#cfe3f5"),
        plan("white", "#f3d9d9", "#d9e6f3", "#f3d9d9"),
        glimpse(draw(RoomKind.FLOOR_PLAN, seed=2, size=(1024, 768))),
    ],
)
def test_a_plan_is_drawn(picture: NDArray[np.uint8]) -> None:
    assert ground(picture) >= DRAWN


def test_a_photo_is_not_nor_is_one_between_bars_nor_night() -> None:
    between_bars = photo()
    between_bars[:, :BARS] = between_bars[:, -BARS:] = 255
    night = np.full((SIDE, SIDE, 3), 12, np.uint8)

    for picture in (photo(), between_bars, night):
        assert ground(picture) < 0.5
