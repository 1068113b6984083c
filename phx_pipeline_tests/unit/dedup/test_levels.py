"""Tests for telling a copy with few tones in each place."""

from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image, ImageFilter

from phx_pipeline.dedup.levels import fewer_levels
from phx_pipeline.dedup.tiles import Tiles, tiles_of
from phx_pipeline_tests.corpus.pictures import decoded, jpeg

_SIZE = (480, 360)


def _scene() -> Image.Image:
    """Return coloured blots with soft edges and a little grain."""
    rng = np.random.default_rng(3)
    cells = Image.fromarray(rng.integers(30, 225, (6, 8, 3)).astype(np.uint8))
    light = np.asarray(cells.resize(_SIZE, Image.Resampling.BICUBIC), dtype=np.float32)
    grain = rng.normal(0, 1.5, light.shape)
    return Image.fromarray((light + grain).clip(0, 255).astype(np.uint8))


def _noisy(image: Image.Image) -> Image.Image:
    light = np.asarray(image, dtype=np.float32)
    noise = np.random.default_rng(4).normal(0, 8, light.shape)
    return Image.fromarray((light + noise).clip(0, 255).astype(np.uint8))


def _tiles(image: Image.Image) -> Tiles:
    found = tiles_of(decoded(jpeg(image, 88)))
    assert found is not None
    return found


@pytest.mark.parametrize("colours", [16, 64])
def test_a_palette_leaves_few_tones_in_each_place(colours: int) -> None:
    scene = _scene()
    palette = scene.quantize(colours, Image.Quantize.FASTOCTREE)
    few = _tiles(palette.convert("RGB"))
    assert fewer_levels(_tiles(scene), few) == 2
    assert fewer_levels(few, _tiles(scene)) == 1


@pytest.mark.parametrize(
    "made",
    [
        _noisy,
        lambda it: it.filter(ImageFilter.GaussianBlur(1)),
        lambda it: it.resize((400, 300)),
    ],
    ids=["noise", "blur", "another size"],
)
def test_a_copy_with_other_grain_has_as_many(
    made: Callable[[Image.Image], Image.Image],
) -> None:
    scene = _scene()
    assert fewer_levels(_tiles(scene), _tiles(made(scene))) == 0
