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
