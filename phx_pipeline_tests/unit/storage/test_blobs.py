import errno
import hashlib
import os
import stat
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from phx_pipeline.errors import DiskError, StorageError
from phx_pipeline.storage.atomic import sweep_temporaries
from phx_pipeline.storage.blobs import BlobStore
from phx_pipeline.storage.layout import Layout
from phx_pipeline_tests.stored_blobs import raw_hashes

BODY = bytes(range(256)) * 40
SHA = hashlib.sha256(BODY).hexdigest()
RECIPE = "png1024-v1"


@pytest.fixture
def store(tmp_path: Path) -> BlobStore:
    return BlobStore(Layout(tmp_path / "data"))


@pytest.fixture
def target(store: BlobStore) -> Path:
    return store.layout.folder("686067a4") / "686067a4_ext_front_95_z_20241201.png"


def files_below(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def modes(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def refuse_links(*_arguments: object) -> None:
    raise OSError(errno.EXDEV, "other disk")


def test_raw_bytes_come_back_under_their_hash(store: BlobStore) -> None:
    sha256 = store.put_raw(BODY)

    assert sha256 == SHA
    assert store.has_raw(SHA)
    assert store.read_raw(SHA) == BODY
    assert modes(store.layout.raw(SHA)) == 0o444


def test_a_stored_blob_is_not_written_again(store: BlobStore) -> None:
    store.put_raw(BODY)
    before = store.layout.raw(SHA).stat()

    store.put_raw(BODY)

    after = store.layout.raw(SHA).stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_a_missing_blob_is_a_storage_error(store: BlobStore) -> None:
    assert not store.has_raw(SHA)
    assert not store.has_standardized(SHA, RECIPE)

    with pytest.raises(StorageError, match="missing"):
        store.read_raw(SHA)
    with pytest.raises(StorageError, match="missing"):
        store.read_standardized(SHA, RECIPE)


def test_a_blob_that_rotted_is_noticed_and_can_be_put_again(store: BlobStore) -> None:
    store.put_raw(BODY)
    path = store.layout.raw(SHA)
    path.chmod(0o644)
    path.write_bytes(BODY[:-1] + b"!")

    with pytest.raises(StorageError, match="does not match"):
        store.read_raw(SHA)
    store.put_raw(BODY)

    assert store.read_raw(SHA) == BODY


def test_a_png_with_other_bytes_is_replaced(store: BlobStore) -> None:
    store.put_standardized(SHA, RECIPE, b"first")
    store.put_standardized(SHA, RECIPE, b"second")
    store.put_standardized(SHA, "png2048-v1", b"other recipe")

    assert store.has_standardized(SHA, RECIPE)
    assert store.read_standardized(SHA, RECIPE) == b"second"
    assert store.read_standardized(SHA, "png2048-v1") == b"other recipe"
    assert modes(store.layout.standardized(SHA, RECIPE)) == 0o444


def test_a_put_that_dies_before_the_name_leaves_no_blob(
    store: BlobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_arguments: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(os, "link", die)
        with pytest.raises(KeyboardInterrupt):
            store.put_raw(BODY)

    assert not store.has_raw(SHA)
    assert files_below(store.layout.root) == []
    assert store.put_raw(BODY) == SHA


def test_blobs_can_be_put_where_links_are_refused(
    store: BlobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "link", refuse_links)

    store.put_raw(BODY)
    store.put_standardized(SHA, RECIPE, b"png")

    assert store.read_raw(SHA) == BODY
    assert store.read_standardized(SHA, RECIPE) == b"png"
    assert len(files_below(store.layout.root)) == 2


def test_half_a_blob_of_a_killed_process_is_never_taken_for_one(
    store: BlobStore,
) -> None:
    # As after SIGKILL in mid-write: no clean-up ran.
    path = store.layout.raw(SHA)
    path.parent.mkdir(parents=True)
    leftover = path.with_name(f".{path.name}.{'0' * 16}.tmp")
    leftover.write_bytes(BODY[:100])

    assert not store.has_raw(SHA)
    assert raw_hashes(store.layout) == []
    store.put_raw(BODY)
    now = leftover.stat().st_ctime + 61
    removed = sweep_temporaries(store.layout.root, older_than_s=60, now=now)

    assert removed == 1
    assert files_below(store.layout.root) == [path]


def test_two_threads_may_put_and_name_the_same_blob(
    store: BlobStore, target: Path
) -> None:
    bodies = [os.urandom(50_000) for _ in range(50)]
    start = threading.Barrier(2)
    errors: list[BaseException] = []

    def put_all() -> None:
        try:
            start.wait()
            for body in bodies:
                sha256 = store.put_raw(body)
                store.put_standardized(sha256, RECIPE, body[:1000])
                store.name_file(sha256, RECIPE, target)
        except BaseException as error:  # noqa: BLE001  # shown by the main thread
            errors.append(error)

    threads = [threading.Thread(target=put_all) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert errors == []
    hashes = sorted(hashlib.sha256(body).hexdigest() for body in bodies)
    assert raw_hashes(store.layout) == hashes
    assert [store.read_raw(sha256) for sha256 in hashes]
    assert len(files_below(store.layout.root)) == 2 * len(bodies) + 1


def test_a_name_is_a_read_only_link_to_the_png(store: BlobStore, target: Path) -> None:
    store.put_standardized(SHA, RECIPE, b"png")

    made = store.name_file(SHA, RECIPE, target)

    assert made
    assert target.samefile(store.layout.standardized(SHA, RECIPE))
    assert modes(target) == 0o444
    assert files_below(target.parent) == [target]


def test_naming_again_changes_nothing(store: BlobStore, target: Path) -> None:
    store.put_standardized(SHA, RECIPE, b"png")
    store.name_file(SHA, RECIPE, target)
    before = target.stat().st_ctime_ns

    made = store.name_file(SHA, RECIPE, target)

    assert not made
    assert target.stat().st_ctime_ns == before
    assert files_below(target.parent) == [target]


def test_a_name_replaces_whatever_was_there(store: BlobStore, target: Path) -> None:
    other = hashlib.sha256(b"other").hexdigest()
    store.put_standardized(SHA, RECIPE, b"png")
    store.put_standardized(other, RECIPE, b"other png")
    store.name_file(other, RECIPE, target)

    store.name_file(SHA, RECIPE, target)

    assert target.read_bytes() == b"png"
    assert store.read_standardized(other, RECIPE) == b"other png"
    assert files_below(target.parent) == [target]


def test_a_name_that_cannot_be_replaced_keeps_its_old_picture(
    store: BlobStore, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_arguments: object) -> None:
        raise OSError(errno.EIO, "bad disk")

    target.parent.mkdir(parents=True)
    target.write_bytes(b"old")
    store.put_standardized(SHA, RECIPE, b"png")
    monkeypatch.setattr(os, "replace", refuse)

    with pytest.raises(DiskError, match="the disk failed"):
        store.name_file(SHA, RECIPE, target)

    assert target.read_bytes() == b"old"
    assert files_below(target.parent) == [target]


def test_a_copy_with_the_same_bytes_is_left_alone(
    store: BlobStore, target: Path
) -> None:
    store.put_standardized(SHA, RECIPE, b"png")
    target.parent.mkdir(parents=True)
    target.write_bytes(b"png")
    inode = target.stat().st_ino

    store.name_file(SHA, RECIPE, target)

    assert target.stat().st_ino == inode


def test_a_missing_png_cannot_be_named(store: BlobStore, target: Path) -> None:
    with pytest.raises(StorageError, match="missing"):
        store.name_file(SHA, RECIPE, target)

    assert not target.exists()


def test_where_links_are_refused_the_name_is_a_copy(
    store: BlobStore, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.put_standardized(SHA, RECIPE, b"png")
    monkeypatch.setattr(os, "link", refuse_links)

    store.name_file(SHA, RECIPE, target)

    assert target.read_bytes() == b"png"
    assert not target.samefile(store.layout.standardized(SHA, RECIPE))
    assert modes(target) == 0o444
    assert files_below(target.parent) == [target]


def test_other_failures_to_link_are_not_hidden(
    store: BlobStore, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_arguments: object) -> None:
        raise OSError(errno.ENOSPC, "disk full")

    store.put_standardized(SHA, RECIPE, b"png")
    monkeypatch.setattr(os, "link", refuse)

    with pytest.raises(DiskError, match="the disk is full"):
        store.name_file(SHA, RECIPE, target)

    assert files_below(target.parent) == []


def test_the_same_png_is_not_written_again(store: BlobStore) -> None:
    store.put_standardized(SHA, RECIPE, b"png")
    path = store.layout.standardized(SHA, RECIPE)
    before = path.stat().st_ino

    store.put_standardized(SHA, RECIPE, b"png")

    assert path.stat().st_ino == before


@pytest.mark.parametrize(("png", "whole"), [(b"png", True), (b"pnG", False)])
def test_a_png_is_whole_with_the_bytes_of_its_row_alone(
    store: BlobStore, *, png: bytes, whole: bool
) -> None:
    store.put_standardized(SHA, RECIPE, png)
    wanted = hashlib.sha256(b"png").hexdigest()

    assert store.holds_standardized(SHA, RECIPE, png_sha256=wanted) is whole
    assert not store.holds_standardized(SHA, "other-v1", png_sha256=wanted)


@pytest.mark.parametrize("name", ["set-aside.bak", ".x.0123456789abcdef.tmp"])
def test_bytes_that_lie_under_another_name_are_found(
    store: BlobStore, name: str
) -> None:
    digest = store.put_raw(b"a picture")
    path = store.layout.raw(digest)
    path.rename(path.with_name(name))
    path.with_name("another").write_bytes(b"A PICTURE")

    assert store.find_raw(digest, size_bytes=9)
    assert store.read_raw(digest) == b"a picture"


def test_a_blob_that_another_process_has_found_meanwhile_stays(
    store: BlobStore,
) -> None:
    digest = store.put_raw(b"a picture")
    copy = store.layout.raw(digest).with_name("zz")
    copy.write_bytes(b"a picture")

    assert store.find_raw(digest, size_bytes=9)
    assert store.read_raw(digest) == b"a picture"


def test_bytes_that_are_nowhere_are_not_found(store: BlobStore) -> None:
    digest = store.put_raw(b"a picture")
    store.layout.raw(digest).unlink()

    assert not store.find_raw(digest, size_bytes=9)
    assert not store.is_whole(digest)


def _folder(path: Path) -> None:
    path.mkdir(parents=True)
    (path / "note.txt").write_text("mine")


def _link_to_nowhere(path: Path) -> None:
    path.parent.mkdir(parents=True)
    path.symlink_to("/nowhere/at/all")


def _file_for_its_folder(path: Path) -> None:
    path.parent.parent.mkdir(parents=True)
    path.parent.write_text("mine")


@pytest.mark.parametrize("obstacle", [_folder, _link_to_nowhere, _file_for_its_folder])
def test_a_blob_in_whose_place_something_else_stands_is_missing_and_can_be_put(
    store: BlobStore, obstacle: Callable[[Path], None]
) -> None:
    obstacle(store.layout.raw(SHA))
    whole_before = store.is_whole(SHA)

    store.put_raw(BODY)

    assert (whole_before, store.read_raw(SHA)) == (False, BODY)


def test_what_stood_in_the_place_of_a_file_is_kept_beside_it(store: BlobStore) -> None:
    path = store.layout.raw(SHA)
    _folder(path)

    store.put_raw(BODY)

    (aside,) = path.parent.glob("*.aside-*")
    assert (aside / "note.txt").read_text() == "mine"


@pytest.mark.parametrize("obstacle", [_folder, _link_to_nowhere, _file_for_its_folder])
def test_a_name_is_made_where_something_else_stands(
    store: BlobStore, target: Path, obstacle: Callable[[Path], None]
) -> None:
    store.put_standardized(SHA, RECIPE, b"png")
    obstacle(target)

    assert store.name_file(SHA, RECIPE, target)
    assert target.read_bytes() == b"png"
