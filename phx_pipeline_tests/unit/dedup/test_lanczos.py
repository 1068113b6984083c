import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from phx_pipeline.dedup.lanczos import Plane, shrunk

SIZES = [(32, 32), (9, 8)]


def noise(*, height: int, width: int, seed: int) -> Plane:
    """Black and white only: what comes out is as far off as it can be."""
    random = np.random.default_rng(seed)
    return random.integers(0, 2, (height, width), dtype=np.uint8) * np.uint8(255)


def by_pillow(plane: Plane, size: tuple[int, int]) -> Plane:
    return np.asarray(Image.fromarray(plane).resize(size, Image.Resampling.LANCZOS))


@given(
    height=st.integers(32, 700),
    width=st.integers(32, 700),
    seed=st.integers(0, 2**32 - 1),
)
def test_every_pixel_is_that_of_pillow(height: int, width: int, seed: int) -> None:
    plane = noise(height=height, width=width, seed=seed)

    for found, size in zip(shrunk(plane, sizes=SIZES), SIZES, strict=True):
        assert np.array_equal(found, by_pillow(plane, size))


@pytest.mark.parametrize("size", [(3000, 4000), (4000, 3000), (4000, 900), (900, 4000)])
def test_large_planes_are_those_of_pillow(size: tuple[int, int]) -> None:
    plane = noise(height=size[1], width=size[0], seed=1)

    for found, wanted in zip(shrunk(plane, sizes=SIZES), SIZES, strict=True):
        assert np.array_equal(found, by_pillow(plane, wanted))


@pytest.mark.parametrize("below", [-1, 0, 1])
@pytest.mark.parametrize("size", SIZES)
def test_pillow_turns_to_columns_first_where_we_do(
    size: tuple[int, int], below: int
) -> None:
    width = 300
    height = 2 * (width - size[0]) + size[1] + below
    planes = [noise(height=height, width=width, seed=seed) for seed in range(5)]

    found = [shrunk(plane, sizes=[size])[0] for plane in planes]

    assert np.array_equal(found, [by_pillow(plane, size) for plane in planes])


def test_a_part_of_a_plane_is_taken_as_it_lies() -> None:
    plane = noise(height=300, width=400, seed=2)
    part = plane[20:280, 30:330]

    (found,) = shrunk(part, sizes=[(32, 32)])

    assert np.array_equal(found, by_pillow(part.copy(), (32, 32)))
