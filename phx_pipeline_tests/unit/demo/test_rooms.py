from io import BytesIO

import imagehash
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from phx_pipeline.demo import rooms
from phx_pipeline.demo.rooms import RoomKind

SMALL = (256, 171)

kinds = st.sampled_from(RoomKind)
seeds = st.integers(min_value=0, max_value=2**32 - 1)


def shown(jpeg: bytes) -> Image.Image:
    return ImageOps.exif_transpose(Image.open(BytesIO(jpeg)))


def distances(one: bytes, other: bytes) -> tuple[int, int]:
    """How far apart two photos are: pHash and dHash, 64 bits each."""
    pair = [shown(jpeg).convert("L") for jpeg in (one, other)]
    first, second = ((imagehash.phash(p), imagehash.dhash(p)) for p in pair)
    return int(first[0] - second[0]), int(first[1] - second[1])


@settings(max_examples=40)
@given(kind=kinds, seed=seeds)
def test_every_seed_gives_a_room_of_the_asked_size(kind: RoomKind, seed: int) -> None:
    picture = Image.open(BytesIO(rooms.draw(kind, seed=seed, size=(96, 64))))

    picture.load()

    assert (picture.format, picture.mode, picture.size) == ("JPEG", "RGB", (96, 64))


@settings(max_examples=15)
@given(kind=kinds, seed=seeds)
def test_drawing_again_gives_the_same_bytes(kind: RoomKind, seed: int) -> None:
    first = rooms.draw(kind, seed=seed, size=SMALL)

    assert rooms.draw(kind, seed=seed, size=SMALL) == first


@pytest.mark.parametrize(("orientation", "stored"), [(6, (160, 96)), (3, (96, 160))])
def test_a_turned_camera_is_told_by_exif(
    orientation: int, stored: tuple[int, int]
) -> None:
    jpeg = rooms.draw(RoomKind.BEDROOM, seed=8, size=(96, 160), orientation=orientation)
    upright = rooms.draw(RoomKind.BEDROOM, seed=8, size=(96, 160))

    assert Image.open(BytesIO(jpeg)).size == stored
    assert shown(jpeg).size == (96, 160)
    assert max(distances(jpeg, upright)) <= 4


@given(
    width=st.integers(40, 2000),
    height=st.integers(40, 2000),
    cropped=st.floats(0, 0.2),
)
def test_a_copied_size_keeps_the_shape(width: int, height: int, cropped: float) -> None:
    small = rooms.copied_size((width, height), width=width, cropped=cropped)

    assert small[0] == width
    assert small[1] == pytest.approx(height, abs=1 + 0.06 * height)


def test_a_copy_has_the_size_it_was_said_to_have() -> None:
    first = rooms.draw(RoomKind.YARD, seed=1, size=(300, 201))

    copied = shown(rooms.copy(first, width=211, cropped=0.05))

    assert copied.size == rooms.copied_size((300, 201), width=211, cropped=0.05)


def test_a_fitted_photo_has_exactly_the_asked_size() -> None:
    first = rooms.draw(RoomKind.POOL, seed=1, size=(853, 1280), orientation=6)

    assert shown(rooms.fitted(first, size=(546, 364))).size == (546, 364)
