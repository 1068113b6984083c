"""Files that appear whole or not at all, also when the process is killed."""

import contextlib
import errno
import os
import re
import secrets
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from phx_pipeline.errors import DiskError
from phx_pipeline.model.refusal import on_disk, refusal

# Another disk, a file system without links, or the link limit of one file.
_LINK_REFUSED = frozenset(
    {errno.EXDEV, errno.EPERM, errno.EMLINK, errno.EOPNOTSUPP, errno.ENOSYS}
)

# What reading raises where no file has the name, but perhaps a folder, or a file that
# of one of its folders.
NO_FILE = (FileNotFoundError, IsADirectoryError, NotADirectoryError)

_CHUNK = 1 << 20

_TEMPORARY = re.compile(r"\..+\.[0-9a-f]{16}\.tmp")


def write_atomically(path: Path, body: bytes, *, mode: int | None = None) -> bool:
    """Make *path* hold exactly *body*, durably; parents are created.

    Args:
        path: The file to write or replace.
        body: Its whole content.
        mode: Permission bits before the umask; None: no more than its folder gives.

    Returns:
        False, with nothing written, when the file already held these bytes.

    Raises:
        DiskError: the disk refused; the file is as it was.
    """
    with on_disk(path):
        if holds(path, body):
            return False
    with writing_atomically(path, mode=mode) as file:
        file.write(body)
    return True


def write_parts(path: Path, parts: Iterable[bytes]) -> bool:
    """Do as `write_atomically` with a body that is longer than what is to be held.

    Raises:
        DiskError: the disk refused; the file is as it was.
    """
    left = iter(parts)
    with on_disk(path), _there(path) as known:
        length, part = _held(known, left)
        if part is None and known is not None and not known.read(1):
            return False
        with writing_atomically(path) as file:
            if known is not None:
                _copy(known, file, length=length)
            file.write(part or b"")
            file.writelines(left)
    return True


def holds_parts(path: Path, parts: Iterable[bytes]) -> bool:
    """Whether the file exists with exactly this content."""
    with _there(path) as known:
        _, differs = _held(known, iter(parts))
        return known is not None and differs is None and not known.read(1)


def _held(known: BinaryIO | None, parts: Iterator[bytes]) -> tuple[int, bytes | None]:
    """How many bytes of *parts* the file begins with, and the part that differs."""
    length = 0
    for part in parts:
        if known is None or known.read(len(part)) != part:
            return length, part
        length += len(part)
    return length, None


def _copy(source: BinaryIO, target: BinaryIO, *, length: int) -> None:
    source.seek(0)
    while length and (some := source.read(min(length, _CHUNK))):
        target.write(some)
        length -= len(some)


@contextlib.contextmanager
def _there(path: Path) -> Iterator[BinaryIO | None]:
    try:
        file = path.open("rb")
    except NO_FILE:
        yield None
        return
    with file:
        yield file


def write_view(path: Path, body: bytes) -> bool:
    """Make *path* hold exactly *body*, whole at any moment but not durably.

    For what is compared and made again anyway: after a power cut it may be empty.

    Args:
        path: The file to write or replace, in a folder that is there.
        body: Its whole content.

    Returns:
        False, with nothing written, when the file already held these bytes.

    Raises:
        DiskError: the disk refused; the file is as it was.
    """
    with on_disk(path):
        if holds(path, body):
            return False
        set_aside(path)
        with temporary_beside(path) as temporary:
            with _new_file(temporary, mode=_mode_of_file(path.parent)) as file:
                file.write(body)
            os.replace(temporary, path)  # noqa: PTH105 - as in `writing_atomically`
    return True


@contextlib.contextmanager
def writing_atomically(path: Path, *, mode: int | None = None) -> Iterator[BinaryIO]:
    """Lend a file that becomes *path*, durably, if the block ends without an error.

    Args:
        path: The file to write or replace; parents are created.
        mode: Permission bits before the umask; None: no more than its folder gives.

    Raises:
        DiskError: the disk refused; the file is as it was.
    """
    with on_disk(path):
        create_folder(path.parent)
        set_aside(path)
        with replacing(path, mode=mode) as file:
            yield file


@contextlib.contextmanager
def replacing(path: Path, *, mode: int | None = None) -> Iterator[BinaryIO]:
    """Do as `writing_atomically` in a folder that is there; nothing makes way."""
    with on_disk(path):
        with temporary_beside(path) as temporary:
            rights = _mode_of_file(path.parent) if mode is None else mode
            with _durable(temporary, mode=rights) as file:
                yield file
            os.replace(temporary, path)  # noqa: PTH105 - tests fail this very call
        sync_folder(path.parent)


def create_atomically(path: Path, body: bytes, *, mode: int) -> bool:
    """Durably create *path* with *body*, unless it is there: the first one stays.

    A file that others may be linking to must not be replaced, not even by the same
    bytes: linking to an inode that just lost its last name fails.

    Args:
        path: The file to create; its folders are made.
        body: Its whole content.
        mode: Permission bits before the umask.

    Returns:
        False when the file was there already.

    Raises:
        DiskError: the disk refused; there is no such file.
    """
    with on_disk(path):
        create_folder(path.parent)
        set_aside(path)
        with temporary_beside(path) as temporary:
            with _durable(temporary, mode=mode) as file:
                file.write(body)
            created = _take_name(temporary, path)
        sync_folder(path.parent)  # the other writer may not have got that far
    return created


def _take_name(temporary: Path, path: Path) -> bool:
    try:
        if not try_link(temporary, path):
            os.replace(temporary, path)  # noqa: PTH105 - as above
    except FileExistsError:
        return False
    return True


def try_link(source: Path, name: Path) -> bool:
    """Make *name* a hard link to *source*; False where links are refused."""
    try:
        name.hardlink_to(source)
    except OSError as error:
        if error.errno not in _LINK_REFUSED:
            raise
        return False
    return True


def holds(path: Path, body: bytes) -> bool:
    """Whether the file exists with exactly this content."""
    try:
        return path.stat().st_size == len(body) and path.read_bytes() == body
    except NO_FILE:
        return False


def set_aside(path: Path, *, is_folder: bool = False) -> None:
    """Make way for a file, or a folder, where something of another kind has its name.

    A link to nowhere is removed; all else stays beside it under a name with `.aside-`.
    Only below the folders that settings name: those are looked at when they are read.

    Raises:
        DiskError: a link to a folder leads nowhere: its disk may not be mounted.
    """
    if path.is_symlink() and not path.exists():
        if is_folder:
            raise DiskError(refusal(errno.ENOENT, path.readlink()), stops_all=True)
        path.unlink(missing_ok=True)
    elif path.is_file() if is_folder else path.is_dir():
        move_aside(path)


def move_aside(path: Path) -> None:
    """Keep what is not ours beside its place, under a name with `.aside-`."""
    with contextlib.suppress(FileNotFoundError):  # another has just done it
        path.rename(path.with_name(f"{path.name}.aside-{secrets.token_hex(4)}"))


def require_usable(folders: Iterable[Path]) -> None:
    """Look whether files can be read and written below *folders*, as far as these are.

    That a whole disk cannot be written is told by the first file.

    Raises:
        DiskError: one leads nowhere, or this user has no right there; it stops all.
    """
    for folder in folders:
        there = next(p for p in (folder, *folder.parents) if os.path.lexists(p))
        number, where = 0, there
        if there.is_symlink() and not there.exists():
            number, where = errno.ENOENT, there.readlink()
        elif there.is_dir() and not _gives_rights(there):
            number = errno.EACCES
        if number:
            raise DiskError(refusal(number, where), stops_all=True)


def _gives_rights(folder: Path) -> bool:
    can_write = 0 if os.statvfs(folder).f_flag & os.ST_RDONLY else os.W_OK
    return os.access(folder, os.R_OK | os.X_OK | can_write, effective_ids=True)


@contextlib.contextmanager
def temporary_beside(path: Path) -> Iterator[Path]:
    """Lend an unused name in the folder of *path*; what is left there is removed."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")
    try:
        yield temporary
    finally:
        temporary.unlink(missing_ok=True)


def create_folder(folder: Path) -> None:
    """Create *folder* and its parents so that a power cut does not lose them.

    Which houses is private: it is for this user alone from its first moment, and for
    the group where the folder around it was set up for one. One that is there stays.
    """
    if folder.is_dir():
        return
    create_folder(folder.parent)
    set_aside(folder, is_folder=True)
    folder.mkdir(mode=_mode_of_folder(folder.parent), exist_ok=True)
    sync_folder(folder.parent)


def _mode_of_folder(around: Path) -> int:
    given = around.stat().st_mode
    return stat.S_IRWXU | (0 if given & stat.S_IRWXO else given & stat.S_IRWXG)


def _mode_of_file(folder: Path) -> int:
    return 0o666 & (folder.stat().st_mode | stat.S_IRWXU)


def sync_folder(folder: Path) -> None:
    """Make the names in *folder* durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sweep_temporaries(folder: Path, *, older_than_s: float, now: float) -> int:
    """Remove what killed processes left below *folder*; return how many files.

    A temporary may be a hard link to an old blob, so its age is that of its last
    status change (linking counts as one), not of its content.

    Args:
        folder: Searched with all its subfolders; may be absent.
        older_than_s: Longer than the longest run, or a live write is broken.
        now: Seconds since the epoch.
    """
    removed = 0
    for path in folder.rglob(".*.tmp"):
        with contextlib.suppress(FileNotFoundError):
            if _is_stale(path, older_than_s=older_than_s, now=now):
                path.unlink()
                removed += 1
    return removed


def _is_stale(path: Path, *, older_than_s: float, now: float) -> bool:
    if not _TEMPORARY.fullmatch(path.name):
        return False
    return now - path.lstat().st_ctime > older_than_s


@contextlib.contextmanager
def _durable(path: Path, *, mode: int) -> Iterator[BinaryIO]:
    """A new file whose content is on the disk once the block ends."""
    with _new_file(path, mode=mode) as file:
        yield file
        file.flush()
        os.fsync(file.fileno())


def _new_file(path: Path, *, mode: int) -> BinaryIO:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    return os.fdopen(descriptor, "wb")
