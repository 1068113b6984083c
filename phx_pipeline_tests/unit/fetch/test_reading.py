"""How a reader goes down a page: bounded, repeatable, never off the page."""

from itertools import accumulate

from hypothesis import given
from hypothesis import strategies as st

from phx_pipeline.fetch.clients.browser.reading import (
    MOST_STEPS,
    NOTCH,
    first_look_s,
    steps,
)

SEEDS = st.text(max_size=30)
DISTANCES = st.integers(min_value=0, max_value=10**9)
TIMES = st.floats(min_value=0, max_value=600, allow_nan=False)


@given(seed=SEEDS, distance=DISTANCES, most_s=TIMES)
def test_no_reader_takes_longer_or_leaves_the_page(
    seed: str, distance: int, most_s: float
) -> None:
    found = steps(seed, distance=distance, most_s=most_s)
    places = list(accumulate(step.delta_y for step in found))
    assert all(0 <= place <= distance for place in places)
    assert sum(step.pause_s for step in found) <= most_s
    assert len(found) <= MOST_STEPS
    assert all(abs(step.delta_y) <= NOTCH and step.pause_s > 0 for step in found)


@given(seed=SEEDS, distance=DISTANCES, most_s=TIMES)
def test_the_same_seed_is_the_same_reader(
    seed: str, distance: int, most_s: float
) -> None:
    first, second = (steps(seed, distance=distance, most_s=most_s) for _ in range(2))
    assert first == second
    assert first_look_s(seed) == first_look_s(seed) > 0


def test_other_seeds_are_other_readers() -> None:
    readers = {tuple(steps(str(seed), distance=9000, most_s=6)) for seed in range(50)}
    assert len(readers) == 50
    assert len({first_look_s(str(seed)) for seed in range(50)}) == 50


@given(seed=SEEDS, distance=st.integers(min_value=1, max_value=5 * 1080))
def test_a_page_of_a_few_windows_is_read_to_its_end(seed: str, distance: int) -> None:
    found = steps(seed, distance=distance, most_s=30)
    assert sum(step.delta_y for step in found) == distance


@given(seed=SEEDS)
def test_a_reader_now_and_then_turns_back(seed: str) -> None:
    found = [
        step
        for number in range(20)
        for step in steps(f"{seed} {number}", distance=20_000, most_s=10)
    ]
    back = sum(step.delta_y < 0 for step in found)
    assert 0 < back < len(found) / 4


def test_the_time_for_a_page_is_used_for_looking_not_for_turning() -> None:
    found = steps("x", distance=100_000, most_s=6)
    looks = [step.pause_s for step in found if step.pause_s > 0.2]
    assert sum(looks) > 2
