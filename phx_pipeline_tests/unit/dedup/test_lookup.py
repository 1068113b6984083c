import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from phx_pipeline.dedup.hashes import distance
from phx_pipeline.dedup.lookup import near

hashes = st.lists(
    st.integers(0, 2**64 - 1).map(lambda value: value & 0x1F1F), max_size=9
)


def array(values: list[int]) -> np.ndarray[tuple[int], np.dtype[np.uint64]]:
    return np.array(values, dtype=np.uint64)


@given(wanted=hashes, stored=hashes, max_distance=st.integers(0, 12))
def test_exactly_the_near_pairs_are_found(
    wanted: list[int], stored: list[int], max_distance: int
) -> None:
    expected = [
        (i, j, distance(a, b))
        for i, a in enumerate(wanted)
        for j, b in enumerate(stored)
        if distance(a, b) <= max_distance
    ]

    found = near(array(wanted), array(stored), max_distance=max_distance)

    triples = zip(found.wanted, found.stored, found.distances, strict=True)
    assert [(int(i), int(j), int(d)) for i, j, d in triples] == expected


def test_one_flipped_bit_in_each_byte_is_found() -> None:
    wanted, stored = array([0]), array([0x0101010101010101])

    assert near(wanted, stored, max_distance=8).distances.tolist() == [8]


@pytest.mark.parametrize("place", [0, 131_071, 131_072, 199_999])
def test_no_place_is_overlooked_among_many(place: int) -> None:
    stored = np.full(200_000, 2**64 - 1, dtype=np.uint64)
    stored[place] = 6

    found = near(array([7]), stored, max_distance=8)

    assert found.stored.tolist() == [place]
