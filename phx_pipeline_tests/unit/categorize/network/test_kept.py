"""What was made once is taken again, unless it is damaged."""

import logging
import os
from pathlib import Path

import pytest

from phx_pipeline.categorize.network.kept import kept, sweep_drafts


def refuse() -> bytes:
    raise AssertionError("made though it is there")


def test_it_is_made_once(tmp_path: Path) -> None:
    folder = tmp_path / "deep/below"

    assert kept(folder, "graph", lambda: b"body", read=bytes) == b"body"
    assert kept(folder, "graph", refuse, read=bytes) == b"body"
    assert kept(folder, "words", lambda: b"others", read=bytes) == b"others"
    assert len(list(folder.iterdir())) == 2


def test_a_new_one_takes_the_place_of_former_ones_and_of_nothing_else(
    tmp_path: Path,
) -> None:
    for name in ("net-1-graph", "net-1-words", "photos"):
        kept(tmp_path, name, name.encode, read=bytes)
    (tmp_path / ".draft.part").write_bytes(b"of a process that still writes")

    kept(tmp_path, "net-2-graph", lambda: b"new", read=bytes, instead_of="*-graph")
    kept(tmp_path, "net-2-graph", refuse, read=bytes, instead_of="*-graph")

    left = sorted(path.name.partition(".")[0] for path in tmp_path.glob("*.bin"))
    assert left == ["net-1-words", "net-2-graph", "photos"]
    assert (tmp_path / ".draft.part").exists()
    assert (
        kept(tmp_path, "net-1-graph", lambda: b"of an older process", read=bytes)
        != b"new"
    )


@pytest.mark.parametrize("damage", [b"", b"bodx", b"body and more"])
def test_a_damaged_file_is_made_anew(
    tmp_path: Path, damage: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    kept(tmp_path, "graph", lambda: b"body", read=bytes)
    (file,) = tmp_path.iterdir()
    file.write_bytes(damage)

    assert kept(tmp_path, "graph", lambda: b"body", read=bytes) == b"body"

    assert "is damaged and is made anew" in caplog.text
    assert [it.read_bytes() for it in tmp_path.iterdir()] == [b"body"]


def of_digits(body: bytes) -> int:
    return int(body)


def test_what_cannot_be_read_is_made_anew_though_its_hash_is_right(
    tmp_path: Path,
) -> None:
    kept(tmp_path, "words", lambda: b"no number", read=bytes)

    assert kept(tmp_path, "words", lambda: b"7", read=of_digits) == 7
    assert kept(tmp_path, "words", refuse, read=of_digits) == 7
    with pytest.raises(ValueError, match="invalid literal"):
        kept(tmp_path, "others", lambda: b"no number", read=of_digits)
    assert len(list(tmp_path.iterdir())) == 1


def test_old_drafts_of_killed_processes_are_swept(tmp_path: Path) -> None:
    old, new = tmp_path / ".old.part", tmp_path / ".new.part"
    for path, at in ((old, 100), (new, 300)):
        path.touch()
        os.utime(path, (at, at))

    sweep_drafts(tmp_path, before=200)
    sweep_drafts(tmp_path / "absent", before=200)

    assert list(tmp_path.iterdir()) == [new]


def test_where_nothing_can_be_kept_it_is_made_each_time(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()

    with caplog.at_level(logging.WARNING):
        assert (
            kept(tmp_path / "file/below", "graph", lambda: b"body", read=bytes)
            == b"body"
        )

    assert "graph cannot be kept" in caplog.text
