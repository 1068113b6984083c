"""Which houses is private: folders and files for their owner alone."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from phx_pipeline.errors import DiskError
from phx_pipeline.storage.atomic import create_folder, write_atomically
from phx_pipeline.storage.private import private_file, tighten


@contextmanager
def umask(bits: int) -> Iterator[None]:
    before = os.umask(bits)
    try:
        yield
    finally:
        os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_what_is_made_is_for_its_owner_alone(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    folder = tmp_path / "a" / "data"

    with umask(0):
        create_folder(folder)
        private_file(folder / "phx.db")
        write_atomically(folder / "views" / "manifest.json", b"{}")

    assert mode(tmp_path / "a") == mode(folder) == mode(folder / "views") == 0o700
    assert mode(folder / "phx.db") == mode(folder / "views" / "manifest.json") == 0o600


def test_what_is_made_in_a_folder_of_a_group_is_the_groups_too(tmp_path: Path) -> None:
    tmp_path.chmod(0o770)

    with umask(0o007):
        write_atomically(tmp_path / "views" / "manifest.json", b"{}")

    assert mode(tmp_path / "views") == 0o770
    assert mode(tmp_path / "views" / "manifest.json") == 0o660


def test_a_pipe_in_place_of_a_file_is_refused_not_waited_for(tmp_path: Path) -> None:
    pipe = tmp_path / "supervisor.lock"
    os.mkfifo(pipe)

    with pytest.raises(DiskError, match="something else is there already; move it"):
        private_file(pipe)


def test_what_is_there_stays_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "phx.db"
    file.write_bytes(b"rows")
    file.chmod(0o640)
    tmp_path.chmod(0o750)

    create_folder(tmp_path)
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
