import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from phx_pipeline.errors import DiskError
from phx_pipeline.storage.atomic import (
    create_atomically,
    holds_parts,
    sweep_temporaries,
    write_atomically,
    write_parts,
    writing_atomically,
)

LEFTOVER = ".photo.png.0123456789abcdef.tmp"


def names_below(folder: Path) -> list[str]:
    return sorted(
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file()
    )


def refuse(*_arguments: object) -> None:
    raise OSError(errno.ENOSPC, "disk full")


def test_a_new_file_and_its_folders_appear(tmp_path: Path) -> None:
    target = tmp_path / "a/b/file.json"

    written = write_atomically(target, b"body")

    assert written
    assert target.read_bytes() == b"body"
    assert names_below(tmp_path) == ["a/b/file.json"]


def test_other_content_is_replaced_under_a_new_inode(tmp_path: Path) -> None:
    target = tmp_path / "file.json"
    write_atomically(target, b"old content")
    reader = target.open("rb")

    written = write_atomically(target, b"new")

    with reader:
        assert reader.read() == b"old content"
    assert written
    assert target.read_bytes() == b"new"


def test_the_same_bytes_are_not_written_again(tmp_path: Path) -> None:
    target = tmp_path / "file.json"
    write_atomically(target, b"body")
    before = target.stat()

    written = write_atomically(target, b"body")

    after = target.stat()
    assert not written
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_content_of_the_same_length_is_still_compared(tmp_path: Path) -> None:
    target = tmp_path / "file.json"
    write_atomically(target, b"body1")

    assert write_atomically(target, b"body2")
    assert target.read_bytes() == b"body2"


def test_what_is_written_in_parts_gets_its_name_at_the_end(tmp_path: Path) -> None:
    target = tmp_path / "a/house.zip"

    with writing_atomically(target) as file:
        file.write(b"first ")
        before = target.exists()
        file.write(b"second")

    assert not before
    assert target.read_bytes() == b"first second"
    assert names_below(tmp_path) == ["a/house.zip"]


def test_parts_that_never_got_whole_leave_the_old_content(tmp_path: Path) -> None:
    target = tmp_path / "house.zip"
    write_atomically(target, b"old")

    def interrupted() -> None:
        with writing_atomically(target) as file:
            file.write(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()

    assert target.read_bytes() == b"old"
    assert names_below(tmp_path) == ["house.zip"]


def test_of_two_creations_the_first_stays(tmp_path: Path) -> None:
    target = tmp_path / "a/blob"

    first = create_atomically(target, b"first", mode=0o444)
    inode = target.stat().st_ino
    second = create_atomically(target, b"second", mode=0o444)

    assert (first, second) == (True, False)
    assert target.read_bytes() == b"first"
    assert target.stat().st_ino == inode
    assert names_below(tmp_path) == ["a/blob"]


def test_permissions_are_those_asked_for(tmp_path: Path) -> None:
    target = tmp_path / "blob"

    write_atomically(target, b"body", mode=0o444)

    assert stat.S_IMODE(target.stat().st_mode) & 0o222 == 0


@pytest.mark.parametrize("call", ["replace", "fsync"])
def test_a_failure_leaves_the_old_content_and_no_temporary(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    target = tmp_path / "file.json"
    write_atomically(target, b"old")
    monkeypatch.setattr(os, call, refuse)

    with pytest.raises(DiskError, match=r"/file\.json: the disk is full; make room"):
        write_atomically(target, b"new")

    assert target.read_bytes() == b"old"
    assert names_below(tmp_path) == ["file.json"]


def test_the_content_is_durable_before_it_gets_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []
    fsync, replace = os.fsync, os.replace

    def noted_fsync(descriptor: int) -> None:
        kind = "folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file"
        calls.append(f"fsync {kind}")
        fsync(descriptor)

    def noted_replace(source: Path, target: Path) -> None:
        calls.append("replace")
        replace(source, target)

    monkeypatch.setattr(os, "fsync", noted_fsync)
    monkeypatch.setattr(os, "replace", noted_replace)

    write_atomically(tmp_path / "file.json", b"body")

    assert calls == ["fsync file", "replace", "fsync folder"]


def test_a_sweep_takes_old_temporaries_and_nothing_else(tmp_path: Path) -> None:
    leftover = tmp_path / "deep/down" / LEFTOVER
    leftover.parent.mkdir(parents=True)
    others = ["photo.png", ".hidden.tmp", "photo.tmp", ".photo.png.zz.tmp"]
    for path in [leftover, *(tmp_path / name for name in others)]:
        path.write_bytes(b"x")
    now = leftover.stat().st_ctime + 3601

    removed = sweep_temporaries(tmp_path, older_than_s=3600, now=now)

    assert removed == 1
    assert names_below(tmp_path) == sorted(others)


def test_a_sweep_spares_what_may_still_be_written(tmp_path: Path) -> None:
    leftover = tmp_path / LEFTOVER
    leftover.write_bytes(b"x")
    now = leftover.stat().st_ctime + 3599

    removed = sweep_temporaries(tmp_path, older_than_s=3600, now=now)

    assert removed == 0
    assert leftover.exists()


def test_a_fresh_link_to_an_old_file_counts_as_fresh(tmp_path: Path) -> None:
    blob = tmp_path / "blob"
    blob.write_bytes(b"x")
    os.utime(blob, (0, 0))
    temporary = tmp_path / LEFTOVER
    temporary.hardlink_to(blob)
    now = temporary.stat().st_ctime + 1

    assert sweep_temporaries(tmp_path, older_than_s=3600, now=now) == 0


def test_a_sweep_of_an_absent_folder_removes_nothing(tmp_path: Path) -> None:
    assert sweep_temporaries(tmp_path / "none", older_than_s=0, now=0.0) == 0


def test_a_folder_on_a_disk_that_is_not_mounted_is_not_made_here(
    tmp_path: Path,
) -> None:
    link = tmp_path / "property_images"
    link.symlink_to(tmp_path / "unmounted" / "images")

    with pytest.raises(
        DiskError, match=r"unmounted/images: not found; .*mounted"
    ) as it:
        write_atomically(link / "raw" / "x", b"bytes")

    assert it.value.stops_all
    assert link.is_symlink()
    assert names_below(tmp_path) == []


@pytest.mark.parametrize(
    ("parts", "written"),
    [
        ([b"old ", b"content"], False),
        ([b"old content", b""], False),
        ([b"old ", b"words"], True),
        ([b"old ", b"content", b" and more"], True),
        ([b"old"], True),
        ([], True),
    ],
)
def test_a_body_in_parts_is_compared_and_written_as_a_whole_one(
    tmp_path: Path, parts: list[bytes], *, written: bool
) -> None:
    target = tmp_path / "file.json"
    assert write_parts(target, iter([b"old ", b"content"]))
    assert holds_parts(target, parts) is not written

    assert write_parts(target, iter(parts)) is written

    assert target.read_bytes() == b"".join(parts)
    assert holds_parts(target, parts)
    assert names_below(tmp_path) == ["file.json"]


def test_parts_that_fail_half_way_leave_the_file(tmp_path: Path) -> None:
    def parts() -> Iterator[bytes]:
        yield b"new"
        raise ValueError

    write_atomically(tmp_path / "file.json", b"old")

    with pytest.raises(ValueError):  # noqa: PT011 - nothing more to tell
        write_parts(tmp_path / "file.json", parts())

    assert (tmp_path / "file.json").read_bytes() == b"old"
    assert names_below(tmp_path) == ["file.json"]
