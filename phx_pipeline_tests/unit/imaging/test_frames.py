import numpy as np
import pytest

from phx_pipeline.imaging.frames import Frames
from phx_pipeline.imaging.standardize import Frame


def frame(*, level: int = 0) -> Frame:
    return np.full((10, 10, 3), level, dtype=np.uint8)


def test_a_frame_is_handed_out_once() -> None:
    frames, kept = Frames(), frame()
    frames.put("a", kept)

    assert frames.take("a") is kept
    assert frames.take("a") is None


def test_a_full_store_takes_nothing_more_until_something_leaves() -> None:
    frames = Frames(max_bytes=650)
    frames.put("a", frame())
    frames.put("b", frame())

    frames.put("c", frame())

    assert frames.room_bytes == 50
    assert frames.take("c") is None
    assert frames.take("a") is not None
    assert frames.room_bytes == 350


def test_the_same_picture_is_counted_once() -> None:
    frames = Frames(max_bytes=650)

    frames.put("a", frame())
    frames.put("a", frame(level=1))

    assert frames.room_bytes == 350


def test_clearing_makes_all_the_room_again() -> None:
    frames = Frames(max_bytes=650)
    frames.put("a", frame())

    frames.clear()

    assert frames.room_bytes == 650
    assert frames.take("a") is None


def test_of_the_frames_only_those_wanted_are_kept() -> None:
    frames = Frames()
    for name in "abc":
        frames.put(name, frame())

    here = frames.keep_only(["c", "a", "unknown"])

    assert here == {"a", "c"}
    assert frames.take("b") is None
    assert frames.take("a") is not None


@pytest.mark.parametrize(
    ("pixels", "left"), [(2_000_000, 4), (12_000_000, 1), (40_000_000, 0)]
)
def test_frames_give_way_to_pixels_that_are_decoded(pixels: int, left: int) -> None:
    frames = Frames(max_bytes=1_430)
    for name in "abcd":
        frames.put(name, frame())

    frames.give_way(pixels)

    assert len(frames.keep_only("abcd")) == left


def test_frames_are_taken_again_once_the_pixels_are_gone() -> None:
    frames = Frames(max_bytes=650)

    frames.give_way(40_000_000)
    frames.put("a", frame())
    frames.give_way(0)
    frames.put("b", frame())

    assert frames.take("a") is None
    assert frames.take("b") is not None
