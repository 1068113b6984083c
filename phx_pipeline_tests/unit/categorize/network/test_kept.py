"""What was made once is taken again, unless it is damaged."""

import logging
from pathlib import Path

import pytest

from phx_pipeline.categorize.network.kept import kept


def refuse() -> bytes:
    raise AssertionError("made though it is there")


def test_it_is_made_once(tmp_path: Path) -> None:
    folder = tmp_path / "deep/below"

    assert kept(folder, "graph", lambda: b"body") == b"body"
    assert kept(folder, "graph", refuse) == b"body"
    assert kept(folder, "words", lambda: b"others") == b"others"
    assert len(list(folder.iterdir())) == 2


def test_a_new_one_takes_the_place_of_former_ones_and_of_nothing_else(
    tmp_path: Path,
) -> None:
    for name in ("net-1-graph", "net-1-words", "photos"):
        kept(tmp_path, name, name.encode)
    (tmp_path / ".draft.part").write_bytes(b"of a process that still writes")

    kept(tmp_path, "net-2-graph", lambda: b"new", instead_of="*-graph")
    kept(tmp_path, "net-2-graph", refuse, instead_of="*-graph")

    left = sorted(path.name.partition(".")[0] for path in tmp_path.glob("*.bin"))
    assert left == ["net-1-words", "net-2-graph", "photos"]
    assert (tmp_path / ".draft.part").exists()
    assert kept(tmp_path, "net-1-graph", lambda: b"of an older process") != b"new"


@pytest.mark.parametrize("damage", [b"", b"bodx", b"body and more"])
def test_a_damaged_file_is_made_anew(
    tmp_path: Path, damage: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    kept(tmp_path, "graph", lambda: b"body")
    (file,) = tmp_path.iterdir()
    file.write_bytes(damage)

    assert kept(tmp_path, "graph", lambda: b"body") == b"body"

    assert "is damaged and is made anew" in caplog.text
    assert [it.read_bytes() for it in tmp_path.iterdir()] == [b"body"]


def test_where_nothing_can_be_kept_it_is_made_each_time(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()

    with caplog.at_level(logging.WARNING):
        assert kept(tmp_path / "file/below", "graph", lambda: b"body") == b"body"

    assert "graph cannot be kept" in caplog.text
