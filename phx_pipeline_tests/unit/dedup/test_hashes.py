from collections.abc import Callable
from pathlib import Path

import imagehash
import numpy as np
import pytest
from PIL import Image

from phx_pipeline.dedup.hashes import (
    _content_box,
    distance,
    picture_hashes,
)

MakePicture = Callable[..., Image.Image]

SIZES = [(480, 360), (1024, 683), (333, 500), (200, 1000), (257, 255)]


def by_imagehash(image: Image.Image) -> tuple[int, int]:
    return (
        int(str(imagehash.phash(image)), 16),
        int(str(imagehash.dhash(image)), 16),
    )


def full_frame(image: Image.Image) -> tuple[int, int]:
    hashes = picture_hashes(image)
    return hashes.phash, hashes.dhash


def trimmed(image: Image.Image) -> tuple[int, int]:
    hashes = picture_hashes(image)
    return hashes.trimmed_phash, hashes.trimmed_dhash


@pytest.mark.parametrize("seed", range(30))
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_the_full_frame_hashes_are_those_of_imagehash(
    make_picture: MakePicture, seed: int, mode: str
) -> None:
    width, height = SIZES[seed % len(SIZES)]
    image = make_picture(seed, width=width, height=height).convert(mode)

    assert full_frame(image) == by_imagehash(image)


def flat() -> Image.Image:
    return Image.new("RGB", (400, 300), (128, 128, 128))


def gradient() -> Image.Image:
    line = np.linspace(0, 255, 512).astype(np.uint8)
    return Image.fromarray(np.tile(line, (300, 1)))


def mirrored() -> Image.Image:
    half = np.random.default_rng(1).integers(0, 256, (300, 200), dtype=np.uint8)
    return Image.fromarray(np.hstack([half, half[:, ::-1]]))


def striped() -> Image.Image:
    pixels = np.zeros((320, 320), dtype=np.uint8)
    pixels[::20] = 255
    return Image.fromarray(pixels)


@pytest.mark.parametrize("make", [flat, gradient, mirrored, striped])
def test_frequencies_that_cancel_give_the_same_bits_as_imagehash(
    make: Callable[[], Image.Image],
) -> None:
    image = make()

    assert full_frame(image) == by_imagehash(image)


@pytest.mark.parametrize(
    "each", [3, pytest.param(1, marks=pytest.mark.soak)], ids=["a third", "all"]
)
def test_real_photos_hash_as_imagehash_does(shared_dir: Path, each: int) -> None:
    photos = sorted((shared_dir / "photos/full").glob("*.jpg"))[::each]
    if not photos:
        pytest.skip("no real photos beside this checkout (../shared/photos)")
    for path in photos:
        image = Image.open(path).convert("RGB")

        assert full_frame(image) == by_imagehash(image), path.name


def test_trimmed_real_photos_hash_as_imagehash_does(shared_dir: Path) -> None:
    photos = sorted((shared_dir / "photos/full").glob("*.jpg"))[::12]
    if not photos:
        pytest.skip("no real photos beside this checkout (../shared/photos)")
    for path in photos:
        image = Image.open(path).convert("L")
        boxed = Image.new("L", (image.width, image.height + 90), 255)
        boxed.paste(image, (0, 40))

        box = _content_box(np.asarray(boxed))

        assert box is not None
        assert trimmed(boxed) == by_imagehash(boxed.crop(box))


def test_without_borders_the_trimmed_hashes_are_the_full_ones(
    make_picture: MakePicture,
) -> None:
    image = make_picture(1)

    assert trimmed(image) == full_frame(image)


@pytest.mark.parametrize("colour", ["white", "black", (230, 230, 230)])
def test_letterbox_bars_are_trimmed_away(
    make_picture: MakePicture, colour: str | tuple[int, int, int]
) -> None:
    image = make_picture(2, width=512, height=300)
    boxed = Image.new("RGB", (512, 500), colour)
    boxed.paste(image, (0, 90))

    assert distance(trimmed(boxed)[0], full_frame(image)[0]) <= 2
    assert distance(trimmed(boxed)[1], full_frame(image)[1]) <= 2
    assert distance(full_frame(boxed)[0], full_frame(image)[0]) > 8


def test_a_caption_strip_on_one_side_is_trimmed_away(
    make_picture: MakePicture,
) -> None:
    image = make_picture(3, width=512, height=400)
    captioned = Image.new("RGB", (512, 440), "white")
    captioned.paste(image, (0, 0))

    assert distance(trimmed(captioned)[0], full_frame(image)[0]) <= 2


def test_at_most_a_third_is_trimmed_from_a_side(make_picture: MakePicture) -> None:
    image = Image.new("RGB", (256, 256), "white")
    image.paste(make_picture(4, width=256, height=100), (0, 156))

    box = image.crop((0, 256 // 3, 256, 256))

    assert trimmed(image) == by_imagehash(box)


def test_a_rest_too_small_to_speak_leaves_the_full_frame() -> None:
    image = Image.new("RGB", (1000, 300), "white")
    image.paste((10, 20, 30), (470, 140, 490, 150))

    assert trimmed(image) == full_frame(image)


def test_hashes_use_all_64_bits_without_a_sign(make_picture: MakePicture) -> None:
    hashes = [picture_hashes(make_picture(seed)) for seed in range(8)]
    values = [hashed.phash for hashed in hashes]

    assert max(values) >= 2**63
    assert all(0 <= value < 2**64 for value in values)
    assert all(value.bit_count() == 32 for value in values)


def test_distance_counts_differing_bits() -> None:
    assert distance(0b1011, 0b0010) == 2
    assert distance(0, 2**64 - 1) == 64
