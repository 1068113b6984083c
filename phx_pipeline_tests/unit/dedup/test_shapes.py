"""Tests for hashes of pictures that were cut to another shape."""

import numpy as np
from PIL import Image

from phx_pipeline.dedup.align import appearance
from phx_pipeline.dedup.proposals import MAX_WIDE_PHASH_DISTANCE
from phx_pipeline.dedup.shapes import cut_hashes, shape_of

_SIZE = (720, 480)
_SKY = 170  # rows


def _under_a_sky() -> Image.Image:
    cells = np.random.default_rng(2).integers(40, 215, (9, 18)).astype(np.uint8)
    light = Image.fromarray(cells).resize(_SIZE, Image.Resampling.BICUBIC)
    light.paste(235, (0, 0, _SIZE[0], _SKY))
    return light.convert("RGB")


def test_a_square_cut_of_a_photo_with_an_even_sky_is_near_to_it() -> None:
    photo = _under_a_sky()
    cut = photo.crop((140, 0, 620, 480))  # sites cut around the middle, or nearly
    hashes, trimmed = [], []
    for it in (photo, cut):
        look = appearance(it)
        shape = shape_of(look, width=it.width, height=it.height)
        hashes.append(cut_hashes(look, shape=shape))
        trimmed.append(look.top)

    assert min(trimmed) > 0.3  # the sky counts as a border of both
    assert np.bitwise_count(hashes[0] ^ hashes[1]).min() <= MAX_WIDE_PHASH_DISTANCE
