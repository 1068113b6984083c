import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray
from PIL import Image

from phx_pipeline.dedup.align import appearance
from phx_pipeline.dedup.lowinfo import busy_share, entropy, is_low_information
from phx_pipeline.demo import rooms
from phx_pipeline.demo.rooms import RoomKind
from phx_pipeline_tests.corpus.pages import PAGES, pages

MakePicture = Callable[..., Image.Image]


def opened(body: bytes) -> Image.Image:
    return Image.open(io.BytesIO(body)).convert("RGB")


@pytest.mark.parametrize("kind", PAGES)
def test_plans_documents_and_blanks_are_told(kind: str) -> None:
    made = [page for number in range(8) for page in pages(kind, number=number, seed=3)]

    assert all(appearance(opened(page.body)).low_information for page in made)


@pytest.mark.parametrize("seed", range(5))
def test_a_photo_is_not_one_of_them(seed: int, make_picture: MakePicture) -> None:
    photo = make_picture(seed, width=800, height=600)
    boxed = Image.new("RGB", (1400, 800), "white")
    boxed.paste(photo, (300, 100))

    assert not appearance(photo).low_information
    assert not appearance(boxed).low_information


def test_a_drawn_floor_plan_is_told_from_a_drawn_room() -> None:
    plan = rooms.draw(RoomKind.FLOOR_PLAN, seed=1, size=(800, 600))
    yard = rooms.draw(RoomKind.YARD, seed=1, size=(800, 600))

    assert appearance(opened(plan)).low_information
    assert not appearance(opened(yard)).low_information


@pytest.mark.parametrize(
    ("each", "count"), [(24, 67), pytest.param(8, 201, marks=pytest.mark.soak)]
)
def test_real_photos_are_hardly_ever_taken_for_a_page(
    shared_dir: Path, each: int, count: int
) -> None:
    files = sorted((shared_dir / "photos/small").glob("*.jpg"))[::each]

    flagged = [f for f in files if appearance(opened(f.read_bytes())).low_information]

    assert len(files) == count
    assert flagged == []


@given(
    hnp.arrays(
        np.uint8, st.tuples(st.integers(1, 140), st.integers(1, 140)), fill=st.just(9)
    )
)
def test_measures_stay_in_their_range(pixels: NDArray[np.uint8]) -> None:
    assert 0 <= entropy(pixels) <= 8
    assert 0 <= busy_share(pixels) <= 1


def test_one_colour_says_nothing() -> None:
    assert is_low_information(np.full((96, 128), 140, dtype=np.uint8))


def test_a_fade_shows_nothing_and_stripes_of_the_same_levels_do() -> None:
    fade = np.tile(np.arange(256, dtype=np.uint8) // 2 + 64, (96, 1))
    stripes = np.take(fade, np.random.default_rng(1).permutation(256), axis=1)

    assert is_low_information(fade)
    assert not is_low_information(stripes)
