"""Files and folders that a user names for what is to be written.

Nothing else of the user's is moved, replaced or made. What lies in the way of the
product's own files, in its own folders, is the matter of `atomic`.
"""

import errno
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

from phx_pipeline.errors import InputError
from phx_pipeline.model.refusal import disk_error, refusal
from phx_pipeline.storage.atomic import replacing, temporary_beside

_NO_PLACE: Final = frozenset(
    {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOENT, errno.EINVAL, errno.ENOTSUP}
)


def require_output(path: Path, *, endings: Sequence[str] = ()) -> None:
    """Look whether a file can be written at *path*; one that is there stays.

    Args:
        path: As the user typed it.
        endings: Those of what is written, such as `.csv`; none: all are right.

    Raises:
        InputError: the ending does not fit, something is in the way, there is no such
            folder, or nothing can be written in it.
        DiskError: the disk is full or fails.
    """
    with _place_of(path):
        if path.is_dir():
            raise InputError(f"{path} is a folder: name a file")
        if endings and path.suffix.lower() not in endings:
            raise InputError(f"{path} {_other_than(endings)}: name it so")
        target = _target(path)
        _require_parent(target)
        if target.is_symlink():
            raise InputError(refusal(errno.ELOOP, path))
        if target.exists() and not target.is_file():
            raise InputError(f"{path} is neither a file nor a folder: name a file")
        _try_beside(target)


def require_output_folder(path: Path) -> None:
    """Look whether files can be written in the folder *path*, or it can be made.

    Raises:
        InputError: a file is in the way, there is no folder to make it in, or nothing
            can be written there.
        DiskError: the disk is full or fails.
    """
    inside = path / "inside"
    with _place_of(inside if path.is_dir() else path):
        if path.exists():
            _require_parent(inside)
            _try_beside(inside)
        else:
            _require_parent(path)
            _try_beside(path)


def write_output(path: Path, body: bytes) -> None:
    """Make the file *path* hold *body*, as `writing_output` does."""
    with writing_output(path) as file:
        file.write(body)


@contextmanager
def writing_output(path: Path) -> Iterator[BinaryIO]:
    """Lend a file that becomes *path* if the block ends without an error.

    A file that is there is replaced, and its rights stay. Where *path* is a link, the
    file that it leads to is replaced.

    Raises:
        InputError: as of `require_output`.
        DiskError: the disk refused later; the file is as it was.
    """
    require_output(path)
    target = _target(path)
    mode = stat.S_IMODE(target.stat().st_mode) if target.exists() else None
    with replacing(target, mode=mode) as file:
        if mode is not None:
            _give_rights(file, mode)
        yield file


def _give_rights(file: BinaryIO, mode: int) -> None:
    """Undo the umask; a disk that knows no rights gave the same ones anyway."""
    if stat.S_IMODE(os.fstat(file.fileno()).st_mode) != mode:
        os.fchmod(file.fileno(), mode)


def _target(path: Path) -> Path:
    # `resolve` raises an error of its own for links in a circle
    return Path(os.path.realpath(path)) if path.is_symlink() else path


def _require_parent(path: Path) -> None:
    folder = path.parent
    if folder.is_dir():
        return
    there = next(it for it in (folder, *folder.parents) if it.exists())
    if there.is_dir():
        raise InputError(f"there is no folder {folder}: make it first")
    raise InputError(f"{there} is a file, so nothing can be written into it")


def _try_beside(path: Path) -> None:
    """Make a file and remove it: the rights of a folder do not tell all."""
    with temporary_beside(path) as temporary:
        temporary.touch(exist_ok=False)


@contextmanager
def _place_of(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in _NO_PLACE:
            folder = "this folder" if path.parent == Path() else path.parent
            told = f"nothing can be written in {folder}: choose another place"
            raise InputError(told) from error
        if error.errno == errno.ENAMETOOLONG:
            raise InputError(refusal(errno.ENAMETOOLONG, path)) from error
        raise disk_error(error, path) or error from error


def _other_than(endings: Sequence[str]) -> str:
    if len(endings) == 1:
        return f"does not end in {endings[0]}"
    return f"ends in neither {' nor '.join(endings)}"
