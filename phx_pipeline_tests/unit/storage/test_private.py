"""Which houses is private: folders and files for their owner alone."""

import os
import stat
from pathlib import Path

import pytest

from phx_pipeline.storage.private import private_file, private_folder, tighten


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_what_is_made_is_for_its_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "data"

    private_folder(folder)
    private_file(folder / "phx.db")

    assert (mode(folder), mode(folder / "phx.db")) == (0o700, 0o600)


def test_what_is_there_stays_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "phx.db"
    file.write_bytes(b"rows")
    file.chmod(0o640)
    tmp_path.chmod(0o750)

    private_folder(tmp_path)
    private_file(file)

    assert (mode(tmp_path), mode(file)) == (0o750, 0o640)
    assert file.read_bytes() == b"rows"


@pytest.mark.parametrize(
    ("before", "after"),
    [(0o755, 0o700), (0o775, 0o700), (0o711, 0o700), (0o750, 0o750), (0o770, 0o770)],
)
def test_only_what_everybody_may_look_into_is_tightened(
    tmp_path: Path, before: int, after: int
) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    folder.chmod(before)

    changed = tighten([folder])

    assert mode(folder) == after
    assert changed == ([folder] if before != after else [])


def test_a_folder_many_write_into_is_left_alone(tmp_path: Path) -> None:
    tmp_path.chmod(0o1777)

    assert tighten([tmp_path, Path("/"), Path("/tmp"), tmp_path / "none"]) == []  # noqa: S108


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_what_belongs_to_somebody_else_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "phx.db"
    file.touch(mode=0o644)
    os.chown(file, 65534, 65534)

    assert tighten([file]) == []
    assert mode(file) == 0o644


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    folder = tmp_path / "elsewhere"
    folder.mkdir(mode=0o755)
    link = tmp_path / "data"
    link.symlink_to(folder)

    assert tighten([link]) == []
