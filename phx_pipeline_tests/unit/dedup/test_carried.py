"""Tests for telling sharpening from blurring and from other light."""

import numpy as np
import pytest
from PIL import Image, ImageEnhance, ImageFilter

from phx_pipeline.dedup.carried import are_level, sharpened
from phx_pipeline.dedup.frequencies import Spectra, side_by_side
from phx_pipeline.dedup.tiles import tiles_of
from phx_pipeline_tests.corpus.pictures import decoded, jpeg

_SIZE = (480, 360)


@pytest.fixture(scope="module")
def scene() -> Image.Image:
    """Return blots of all sizes, the finer the fainter, as photos have them."""
    rng = np.random.default_rng(4)
    light = np.full(_SIZE[::-1], 128, dtype=np.float32)
    for side in (2, 4, 8, 16, 60):
        cells = rng.normal(0, 5 * side**0.4, (_SIZE[1] // side, _SIZE[0] // side))
        spread = Image.fromarray(cells.astype(np.float32))
        light += np.asarray(spread.resize(_SIZE, Image.Resampling.BICUBIC))
    return Image.fromarray(light.clip(8, 247).astype(np.uint8)).convert("RGB")


def _both(a: Image.Image, b: Image.Image) -> tuple[Spectra, Spectra]:
    ours, theirs = (tiles_of(decoded(jpeg(it, 95))) for it in (a, b))
    assert ours is not None
    assert theirs is not None
    found = side_by_side(ours, theirs)
    assert found is not None
    return found


def test_the_sharpened_one_of_two_copies_is_told(scene: Image.Image) -> None:
    both = _both(scene, scene.filter(ImageFilter.UnsharpMask(2, 150)))
    assert (sharpened(*both), sharpened(*both[::-1])) == (2, 1)
    assert not are_level(*both)


@pytest.mark.parametrize("radius", [0.8, 1.5])
def test_a_photo_is_no_sharpened_copy_of_its_blurred_one(
    scene: Image.Image, radius: float
) -> None:
    assert sharpened(*_both(scene, scene.filter(ImageFilter.GaussianBlur(radius)))) == 0


def test_contrast_makes_lines_of_all_sizes_stronger_alike(scene: Image.Image) -> None:
    both = _both(scene, ImageEnhance.Contrast(scene).enhance(1.4))
    assert are_level(*both)
    assert sharpened(*both) == 0
