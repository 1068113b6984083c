import numpy as np
import pytest
from PIL import Image

from phx_pipeline.dedup.align import appearance
from phx_pipeline.dedup.corpus.copies import single_copies
from phx_pipeline.dedup.corpus.pictures import decoded
from phx_pipeline.dedup.strips import has_strip
from phx_pipeline.demo import rooms
from phx_pipeline.demo.rooms import RoomKind


@pytest.fixture(scope="module")
def room() -> Image.Image:
    return decoded(rooms.draw(RoomKind.KITCHEN, seed=4, size=(1024, 683)))


def below(room: Image.Image) -> tuple[Image.Image, float]:
    """The room with a text below it, and where its own frame ends, from -1 to 1."""
    (made,) = single_copies(room, name="room", seed=3, kinds=["strip with text"])
    image = decoded(made.body)
    return image, 2 * room.height / image.height - 1


def test_a_text_below_the_picture_is_a_strip(room: Image.Image) -> None:
    image, end = below(room)

    assert has_strip(appearance(image), top=-1, bottom=end)


def test_a_text_above_the_picture_is_a_strip(room: Image.Image) -> None:
    image, end = below(room)
    turned = image.transpose(Image.Transpose.ROTATE_180)

    assert has_strip(appearance(turned), top=-end, bottom=1)


@pytest.mark.parametrize("cut", [0.04, 0.08, 0.15])
def test_what_a_crop_took_away_is_no_strip(room: Image.Image, cut: float) -> None:
    look = appearance(room)

    assert not has_strip(look, top=-1 + 2 * cut, bottom=1 - 2 * cut)


def test_where_both_end_alike_there_is_no_strip(room: Image.Image) -> None:
    image, _ = below(room)

    assert not has_strip(appearance(image), top=-1, bottom=1)
    assert not has_strip(appearance(image), top=-1.4, bottom=1.2)


def test_a_picture_without_pattern_has_none() -> None:
    flat = Image.fromarray(np.full((300, 400), 90, dtype=np.uint8))

    assert not has_strip(appearance(flat), top=-0.9, bottom=0.9)
