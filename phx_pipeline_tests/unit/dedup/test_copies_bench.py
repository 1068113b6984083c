import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from phx_pipeline.demo import rooms
from phx_pipeline.demo.rooms import RoomKind
from phx_pipeline_tests.bench.copies import main

Bench = Callable[..., Result]


@pytest.fixture
def run() -> Bench:
    return lambda *words: CliRunner().invoke(main, list(map(str, words)))


@pytest.fixture
def half(tmp_path: Path) -> Path:
    """A photo of a house of the judging half, beside one of the other."""
    for house, kind in (("10", RoomKind.KITCHEN), ("12", RoomKind.POOL)):
        photo = rooms.draw(kind, seed=1, size=(360, 240))
        (tmp_path / f"{house}_{kind}.jpg").write_bytes(photo)
    return tmp_path


@pytest.mark.soak
def test_copies_are_made_and_judged_by_what_was_done_to_them(
    run: Bench, half: Path
) -> None:
    done, again = (
        run(half, "--seeds", 1, "--keep", half / "kept", "--json") for _ in range(2)
    )

    assert "1 of 1: seed 1, houses 10" in done.stderr
    assert "1 of 1 parts are kept" in again.stderr
    assert again.stdout == done.stdout
    found = json.loads(done.stdout)
    assert found["sums"]["copies as sites make them"]["pairs"] == 6
    assert found["sums"]["and as they mark and cut them"]["pairs"] == 15
    assert found["operations"]["resize 320"]["recall"] == 1
    assert found["operations"]["agent card"]["photos"] == 1
    assert found["others"]["panned"]["photos"] == 2
    assert found["others"]["map"]["wrong"] == 0
    assert 0 < len(found["choices"]) < 20  # a fifth of the kinds there are


def test_without_a_picture_of_that_half_nothing_is_judged(
    run: Bench, half: Path
) -> None:
    (half / "10_kitchen.jpg").write_bytes(b"\xff\xd8\xff no picture")
    (half / "12_pool.jpg").write_bytes(b"\xff\xd8\xff no picture")

    done = run(half, "--half", "judging")

    assert "no picture that can be read" in str(done.exception)
    assert "left out: 1" in done.stderr


def test_without_a_house_of_that_half_nothing_is_judged(run: Bench, half: Path) -> None:
    (half / "12_pool.jpg").unlink()

    done = run(half, "--half", "tuning")

    assert "no photo is of a house of the tuning half" in str(done.exception)
