"""Tests for telling grain that was added from grain that a copy lost."""

from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image, ImageFilter

from phx_pipeline.dedup.frequencies import Spectra, side_by_side
from phx_pipeline.dedup.rounding import (
    are_whole,
    differ_evenly,
    has_coarser_steps,
    is_rounded,
    noised,
    was_added,
)
from phx_pipeline.dedup.sights import sight_of
from phx_pipeline.dedup.tiles import Tiles, tiles_of
from phx_pipeline_tests.corpus.pictures import decoded, jpeg

_SIZE = (720, 480)


def _scene() -> Image.Image:
    """Return blots with soft edges, and a pattern in a third of them."""
    rng = np.random.default_rng(5)
    cells = Image.fromarray(rng.integers(40, 215, (12, 18)).astype(np.uint8))
    light = np.asarray(cells.resize(_SIZE, Image.Resampling.BICUBIC), dtype=np.float32)
    stripes = 12 * np.sin(np.arange(_SIZE[0]) * 1.3) * (np.arange(_SIZE[0]) < 240)
    return Image.fromarray((light + stripes).clip(8, 247).astype(np.uint8))


def _grainy(image: Image.Image, strength: float = 7) -> Image.Image:
    light = np.asarray(image, dtype=np.float32)
    grain = np.random.default_rng(6).normal(0, strength, light.shape)
    return Image.fromarray((light + grain).clip(0, 255).astype(np.uint8))


def _tiles(image: Image.Image, quality: int) -> Tiles:
    found = tiles_of(decoded(jpeg(image, quality)))
    assert found is not None
    return found


def _both(a: Tiles, b: Tiles) -> tuple[Spectra, Spectra]:
    found = side_by_side(a, b)
    assert found is not None
    return found


def _times(image: Image.Image, factor: float) -> Image.Image:
    width, height = (round(it * factor) for it in image.size)
    return image.resize((width, height), Image.Resampling.BICUBIC)


@pytest.mark.parametrize("quality", [60, 72, 80, 85])
def test_a_small_coarse_copy_does_not_accuse_a_grainy_photo(quality: int) -> None:
    grainy = _grainy(_times(_scene(), 2), 3)

    found = was_added(_tiles(grainy, 90), _tiles(_times(grainy, 0.7), quality))

    assert found is not True


def test_a_coarser_jpeg_has_all_that_is_strong_in_a_grainy_photo() -> None:
    grainy = _grainy(_scene())
    fine, coarse = _both(_tiles(grainy, 88), _tiles(grainy, 50))
    assert is_rounded(fine, coarse)
    assert has_coarser_steps(coarse, fine)
    assert not has_coarser_steps(fine, coarse)


@pytest.mark.parametrize(
    "made",
    [_grainy, lambda it: it.filter(ImageFilter.UnsharpMask(2, 200, threshold=2))],
    ids=["noise", "sharpened"],
)
def test_a_photo_has_not_all_that_was_added_to_a_copy(
    made: Callable[[Image.Image], Image.Image],
) -> None:
    scene = _scene()
    assert not is_rounded(*_both(_tiles(made(scene), 88), _tiles(scene, 86)))


def test_grain_is_told_from_the_smaller_copy_of_a_frame() -> None:
    scene = _scene()
    enlarged = _grainy(_times(scene, 1.5))
    assert was_added(_tiles(enlarged, 88), _tiles(scene, 86)) is True
    reduced = _times(_grainy(scene), 0.7)
    assert was_added(_tiles(_grainy(scene), 88), _tiles(reduced, 86)) is False
    assert was_added(_tiles(scene, 88), _tiles(_times(scene, 0.7), 86)) is None


def test_only_copies_of_one_frame_have_tiles_that_lie_on_each_other() -> None:
    scene = _scene()
    small, cut = _times(scene, 0.7), scene.crop((12, 8, 720, 480))
    sights = sight_of(scene), sight_of(small)
    still = np.array(((1.0, 0, 0), (0, 1.0, 0)))
    tiles = _tiles(scene, 88), _tiles(small, 88)
    assert are_whole(sights, still, tiles)
    assert not are_whole(sights, np.add(still, ((0, 0, 2), (0, 0, 0))), tiles)
    assert side_by_side(tiles[0], _tiles(cut, 88)) is None


def test_noise_is_as_strong_everywhere_and_knows_nothing_of_the_photo() -> None:
    scene = _scene()
    plain, noisy = _tiles(scene, 88), _tiles(_grainy(scene), 86)
    both = _both(plain, noisy)
    assert (noised(*both), noised(*both[::-1])) == (2, 1)
    assert differ_evenly(*both) is True


def test_grain_that_a_copy_lost_is_no_noise() -> None:
    grainy = _grainy(_scene())
    full, coarse = _tiles(grainy, 88), _tiles(grainy, 50)
    smooth = _tiles(grainy.filter(ImageFilter.MedianFilter(5)), 88)
    assert noised(*_both(full, coarse)) == noised(*_both(full, smooth)) == 0


def test_what_smoothing_takes_is_not_everywhere() -> None:
    scene = _scene()
    smooth = _tiles(scene.filter(ImageFilter.GaussianBlur(2)), 88)
    assert differ_evenly(*_both(_tiles(scene, 88), smooth)) is False


def test_fine_noise_of_an_enlarged_copy_is_told_by_smooth_places_of_the_other() -> None:
    scene = _scene()
    fine = _grainy(_times(scene, 1.5), 4)
    assert was_added(_tiles(fine, 88), _tiles(scene, 86)) is True
