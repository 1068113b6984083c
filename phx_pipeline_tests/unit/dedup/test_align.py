from collections.abc import Callable, Sequence

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageEnhance

from phx_pipeline.dedup.align import agreement, appearance

MakePicture = Callable[..., Image.Image]
SEEDS = range(6)


def planes(images: Sequence[Image.Image]) -> NDArray[np.uint8]:
    thumbnails = b"".join(appearance(image).thumbnail for image in images)
    return np.frombuffer(thumbnails, dtype=np.uint8).reshape(-1, 64, 64)


def part(image: Image.Image, box: tuple[float, float, float, float]) -> Image.Image:
    """The box in shares of width and height."""
    left, top, right, bottom = box
    return image.crop(
        (
            round(left * image.width),
            round(top * image.height),
            round(right * image.width),
            round(bottom * image.height),
        )
    )


def boxed(image: Image.Image) -> Image.Image:
    wide = Image.new("RGB", (image.width * 3 // 2, image.height), "black")
    wide.paste(image, (image.width // 4, 0))
    return wide


@pytest.fixture(scope="module")
def photos() -> list[Image.Image]:
    """Pictures with structure at every size, as photos have."""
    made = []
    for seed in SEEDS:
        random = np.random.default_rng(seed)
        total = np.zeros((480, 640, 3))
        for cells, weight in ((4, 60), (9, 50), (20, 40), (45, 30)):
            coarse = random.uniform(-1, 1, (cells, cells, 3)) * 127 + 128
            layer = Image.fromarray(coarse.astype(np.uint8)).resize((640, 480))
            total += (np.asarray(layer) / 127.5 - 1) * weight
        made.append(Image.fromarray((total + 128).clip(0, 255).astype(np.uint8)))
    return made


def test_a_picture_agrees_with_itself(photos: list[Image.Image]) -> None:
    found = agreement(planes(photos), planes(photos))

    assert found.shares == pytest.approx(np.ones(len(photos)))
    assert found.stirred == pytest.approx(np.zeros(len(photos)))
    assert found.moves == pytest.approx(np.zeros((len(photos), 4)), abs=1e-3)


@pytest.mark.parametrize(
    "change",
    [
        lambda image: image.resize((320, 240), Image.Resampling.LANCZOS),
        lambda image: ImageEnhance.Brightness(image).enhance(0.7),
        lambda image: ImageEnhance.Contrast(image).enhance(0.8),
        lambda image: part(image, (0.03, 0.01, 0.98, 0.97)),
        lambda image: part(image, (0.055, 0, 0.945, 1)),
        boxed,
    ],
    ids=["smaller", "darker", "flatter", "cropped", "narrowed", "letterboxed"],
)
def test_a_copy_agrees(
    change: Callable[[Image.Image], Image.Image], photos: list[Image.Image]
) -> None:
    copies = [change(photo) for photo in photos]

    found = agreement(planes(photos), planes(copies))

    assert found.shares.min() > 0.9
    assert found.stirred.max() < 0.1


def test_moves_say_which_shows_less(photos: list[Image.Image]) -> None:
    cropped = [part(photo, (0.05, 0, 0.95, 1)) for photo in photos]

    found = agreement(planes(cropped), planes(photos))

    assert found.moves[:, 0] == pytest.approx(np.full(len(photos), -0.1), abs=0.02)
    assert found.moves[:, 2] == pytest.approx(np.zeros(len(photos)), abs=0.02)


def test_an_overlay_costs_its_blocks_but_stirs_little(
    photos: list[Image.Image],
) -> None:
    marked = []
    for photo in photos:
        marked.append(photo.copy())
        marked[-1].paste((160, 32, 33), (480, 420, 630, 462))

    found = agreement(planes(photos), planes(marked))

    assert (found.shares > 0.85).all()
    assert (found.shares < 1).all()
    assert found.stirred.max() < 0.15


def test_another_picture_does_not_agree(photos: list[Image.Image]) -> None:
    others = planes(photos[1:] + photos[:1])

    found = agreement(planes(photos), others)

    assert found.shares.max() < 0.5


def test_things_that_moved_against_each_other_are_seen(
    photos: list[Image.Image],
) -> None:
    moved = []
    for photo in photos:
        near = photo.crop((0, 240, 560, 480))
        moved.append(photo.copy())
        moved[-1].paste(near, (80, 240))

    found = agreement(planes(photos), planes(moved))

    assert ((found.shares < 0.8) | (found.stirred > 0.11)).all()


def test_flat_pictures_cannot_be_judged() -> None:
    flat = np.full((2, 64, 64), 128, dtype=np.uint8)

    found = agreement(flat, flat)

    assert np.isnan(found.shares).all()


def test_batches_do_not_change_the_result(photos: list[Image.Image]) -> None:
    few = planes(photos)
    many = np.tile(few, (50, 1, 1))

    assert agreement(many, many[::-1]).shares[:6] == pytest.approx(
        agreement(few, few[::-1]).shares
    )


def test_what_is_stirred_is_told_where_shares_reach_what_is_asked(
    photos: list[Image.Image],
) -> None:
    ours, theirs = planes([*photos, *photos]), planes([*photos, *photos[::-1]])
    whole = agreement(ours, theirs)

    found = agreement(ours, theirs, stirred_from=0.8)

    asked = whole.shares >= 0.8
    assert asked.tolist() == [True] * 6 + [False] * 6
    assert found.shares.tolist() == whole.shares.tolist()
    assert found.stirred[asked].tolist() == whole.stirred[asked].tolist()
    assert np.isnan(found.stirred[~asked]).all()


def test_nothing_gives_nothing() -> None:
    none = np.empty((0, 64, 64), dtype=np.uint8)

    assert agreement(none, none).shares.shape == (0,)


def test_borders_are_left_out_of_the_content(make_picture: MakePicture) -> None:
    photo = make_picture(1, width=600, height=400)
    framed = Image.new("RGB", (600, 600), "white")
    framed.paste(photo, (0, 100))

    assert appearance(photo).content_share == 1
    assert appearance(framed).content_share == pytest.approx(2 / 3, abs=0.04)


def test_at_most_a_third_is_trimmed_from_each_side() -> None:
    seen = appearance(Image.new("L", (400, 300), 90))

    assert seen.content_share == pytest.approx(1 / 9, abs=0.02)
    assert seen.thumbnail == bytes([90]) * 64 * 64


def test_a_sliver_keeps_its_frame() -> None:
    assert appearance(Image.new("L", (400, 100), 90)).content_share == 1
