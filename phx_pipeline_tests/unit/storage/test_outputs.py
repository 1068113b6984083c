"""What a user names as output is written whole, and nothing else is touched."""

import errno
import os
import stat
from pathlib import Path

import pytest

from phx_pipeline.errors import DiskError, InputError
from phx_pipeline.storage.outputs import (
    require_output,
    require_output_folder,
    write_output,
)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with a file, a folder that is not empty, and links."""
    (tmp_path / "labels.csv").write_bytes(b"mine")
    (tmp_path / "full").mkdir()
    (tmp_path / "full/notes.txt").write_bytes(b"mine too")
    (tmp_path / "latest.csv").symlink_to("labels.csv")
    (tmp_path / "astray.csv").symlink_to("away/labels.csv")
    (tmp_path / "round.csv").symlink_to("round.csv")
    os.mkfifo(tmp_path / "pipe.csv")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _names(folder: Path) -> set[Path]:
    return set(folder.rglob("*"))


NO_PLACE = "nothing can be written in /proc: choose another place"


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("full", "full is a folder: name a file"),
        (".", ". is a folder: name a file"),
        ("labels.csv/x.csv", "labels.csv is a file, so nothing can be written into it"),
        (
            "labels.csv/deep/x.csv",
            "labels.csv is a file, so nothing can be written into it",
        ),
        ("/nonexistent/x/q.csv", "there is no folder /nonexistent/x: make it first"),
        ("new/q.csv", "there is no folder new: make it first"),
        ("astray.csv", "away: make it first"),
        ("round.csv", "a link leads to itself; remove the link"),
        ("pipe.csv", "pipe.csv is neither a file nor a folder: name a file"),
        ("/proc/q.csv", NO_PLACE),
        (f"{'x' * 300}.csv", "the name is too long; name a shorter one"),
        ("q.gif", "q.gif ends in neither .csv nor .json: name it so"),
        ("q", "q ends in neither .csv nor .json: name it so"),
    ],
)
def test_what_cannot_be_written_is_refused_and_all_stays(
    place: Path, path: str, told: str
) -> None:
    before = _names(place)

    with pytest.raises(InputError) as raised:
        require_output(Path(path), endings=(".csv", ".json"))

    assert str(raised.value).endswith(told)
    assert _names(place) == before


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("labels.csv", "labels.csv is a file, so nothing can be written into it"),
        ("labels.csv/x", "labels.csv is a file, so nothing can be written into it"),
        ("new/kept", "there is no folder new: make it first"),
        ("/proc", NO_PLACE),
        ("/proc/kept", NO_PLACE),
    ],
)
def test_a_folder_that_cannot_be_written_in_is_refused(
    place: Path, path: str, told: str
) -> None:
    before = _names(place)

    with pytest.raises(InputError) as raised:
        require_output_folder(Path(path))

    assert str(raised.value) == told
    assert _names(place) == before


@pytest.mark.parametrize("path", ["full", "new"])
def test_a_folder_may_be_there_or_not(place: Path, path: str) -> None:
    before = _names(place)

    require_output_folder(Path(path))

    assert _names(place) == before


@pytest.mark.parametrize("mode", [0o600, 0o664])
@pytest.mark.parametrize("path", ["labels.csv", "latest.csv"])
def test_a_file_is_replaced_and_keeps_its_rights_and_links(
    place: Path, path: str, mode: int
) -> None:
    (place / "labels.csv").chmod(mode)
    before = _names(place)

    write_output(Path(path), b"new")

    assert (place / "labels.csv").read_bytes() == b"new"
    assert stat.S_IMODE((place / "labels.csv").stat().st_mode) == mode
    assert (place / "latest.csv").is_symlink()
    assert _names(place) == before


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_what_fails_on_the_way_leaves_the_former_file(
    place: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, "disk full")

    before = _names(place)
    monkeypatch.setattr(os, call, refuse)

    with pytest.raises(DiskError, match=r"labels\.csv: the disk is full"):
        write_output(Path("labels.csv"), b"new")

    assert (place / "labels.csv").read_bytes() == b"mine"
    assert _names(place) == before
