"""Large pictures wait for one another; small ones do not."""

import threading
from collections.abc import Sequence
from contextlib import ExitStack

import pytest

from phx_pipeline.imaging.budget import PixelBudget
from phx_pipeline.imaging.decode import stated_pixels
from phx_pipeline_tests.unit.imaging.bodies import Encode, MakePicture, grey_png


def most_at_once(budget: PixelBudget, wanted: Sequence[int]) -> int:
    """Let a thread for each take its pixels a while; return the most that were held."""
    held: list[int] = []
    over = threading.Event()

    def take(pixels: int) -> None:
        with budget.taking(pixels) as taken:
            held.append(taken)
            over.wait(0.001)  # so that others want theirs meanwhile

    threads = [threading.Thread(target=take, args=(it,)) for it in wanted]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return max(held)


def test_never_more_than_the_budget_is_held() -> None:
    assert most_at_once(PixelBudget(pixels=100), [60, 50, 10, 40, 100, 1] * 8) <= 100


def test_what_fits_together_is_held_together() -> None:
    budget = PixelBudget(pixels=100)

    with ExitStack() as stack:
        for pixels in (40, 30, 30):
            stack.enter_context(budget.taking(pixels))


def test_more_than_the_budget_is_let_in_alone() -> None:
    with PixelBudget(pixels=100).taking(1_000):
        pass


def test_a_failure_gives_its_pixels_back() -> None:
    budget = PixelBudget(pixels=100)

    with pytest.raises(ZeroDivisionError), budget.taking(100):
        _ = 1 / 0

    with budget.taking(100):
        pass


@pytest.mark.parametrize("format_name", ["JPEG", "PNG"])
def test_the_pixels_are_read_without_decoding(
    make_picture: MakePicture, encode: Encode, format_name: str
) -> None:
    assert stated_pixels(encode(make_picture(), format_name)[:-40]) == 320 * 240


@pytest.mark.parametrize("body", [b"", b"<html>", grey_png((30_000, 30_000), rows=b"")])
def test_what_is_refused_at_once_needs_none(body: bytes) -> None:
    assert stated_pixels(body) == 0
