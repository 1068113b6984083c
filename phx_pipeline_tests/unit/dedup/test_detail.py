from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from PIL import Image, ImageFilter

from phx_pipeline.dedup.detail import detail
from phx_pipeline.demo import rooms
from phx_pipeline.demo.rooms import RoomKind
from phx_pipeline_tests.corpus.pictures import decoded, jpeg, to_width


@pytest.fixture(scope="module")
def room() -> Image.Image:
    return decoded(rooms.draw(RoomKind.BEDROOM, seed=3, size=(960, 640)))


def detail_of(image: Image.Image) -> int:
    return detail(image, (0, 0, *image.size))


@pytest.mark.parametrize("factor", [1.1, 1.25, 2, 4])
def test_enlarging_adds_nothing(room: Image.Image, factor: float) -> None:
    enlarged = to_width(to_width(room, 240), round(240 * factor))

    assert detail_of(enlarged) < 0.6 * detail_of(room)
    assert detail_of(to_width(room, 1200)) < 1.1 * detail_of(room)


@pytest.mark.parametrize("factor", [1.2, 2])
def test_repeating_pixels_adds_nothing(shared_dir: Path, factor: float) -> None:
    photo = decoded((shared_dir / "photos/full/76_bathroom.jpg").read_bytes())
    size = (round(photo.width * factor), round(photo.height * factor))
    stepped = decoded(jpeg(photo.resize(size, Image.Resampling.NEAREST), 88))

    assert 0.7 < detail_of(stepped) / detail_of(photo) < 1


def test_blurring_takes_away(room: Image.Image) -> None:
    blurred = [room.filter(ImageFilter.GaussianBlur(radius)) for radius in (0, 1, 2, 4)]

    assert all(detail_of(a) > detail_of(b) for a, b in pairwise(blurred))


def test_each_smaller_copy_has_less(room: Image.Image) -> None:
    copies = [decoded(jpeg(to_width(room, width), 88)) for width in (960, 720, 480)]

    assert all(detail_of(a) > detail_of(b) for a, b in pairwise(copies))


def test_noise_fills_every_pixel_and_one_colour_none(
    make_picture: Callable[..., Image.Image],
) -> None:
    noise = Image.effect_noise((640, 480), 90)

    assert 0.8 * 640 * 480 < detail_of(noise) <= 640 * 480
    assert detail_of(Image.new("RGB", (640, 480), "teal")) < 0.002 * 640 * 480
    assert 0 < detail_of(make_picture(1)) < 480 * 360


def test_only_the_box_counts(room: Image.Image) -> None:
    barred = Image.new("RGB", (960, 960))
    barred.paste(room, (0, 160))

    assert detail(barred, (0, 160, 960, 800)) == detail_of(room)


@pytest.mark.parametrize("size", [(31, 400), (400, 31), (0, 0)])
def test_less_than_a_block_has_none(size: tuple[int, int]) -> None:
    image = Image.new("RGB", (400, 400))

    assert detail(image, (0, 0, *size)) == 0


def test_a_grid_of_blocks_stands_for_a_large_picture() -> None:
    noise = Image.effect_noise((2400, 1600), 90)

    assert 0.8 * 2400 * 1600 < detail_of(noise) <= 2400 * 1600
