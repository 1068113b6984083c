"""Tests for telling lines that were repeated by the sizes of both copies."""

from itertools import starmap

import numpy as np
import pytest
from PIL import Image

from phx_pipeline.dedup.steps import repeats
from phx_pipeline.dedup.tiles import tiles_of
from phx_pipeline_tests.corpus.pictures import decoded, jpeg

_SIZE = (300, 220)


@pytest.mark.parametrize("factor", [1.2, 1.45, 2.0])
@pytest.mark.parametrize("by", [Image.Resampling.NEAREST, Image.Resampling.BICUBIC])
def test_only_a_copy_enlarged_in_steps_repeats_the_other(
    factor: float, by: Image.Resampling
) -> None:
    levels = np.random.default_rng(3).integers(90, 160, _SIZE[::-1]).astype(np.uint8)
    small = Image.fromarray(levels)
    large = small.resize((round(_SIZE[0] * factor), round(_SIZE[1] * factor)), by)
    both = starmap(jpeg, ((large, 84), (small, 84)))
    ours, theirs = (tiles_of(decoded(it)) for it in both)
    assert ours is not None
    assert theirs is not None

    assert repeats(ours, theirs) is (by is Image.Resampling.NEAREST)
    assert not repeats(theirs, ours)
