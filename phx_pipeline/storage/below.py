"""Opening a file below a folder for reading, so that no link leads out of it."""

import os
import stat
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO

from phx_pipeline.errors import StorageError

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
# Opening a pipe that somebody put there must not wait for its writer.
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_NO_NAMES = frozenset({"", ".", ".."})


def open_below(folder: Path, parts: Sequence[str]) -> BinaryIO:
    """Open the file at *parts* below *folder*; *folder* itself may be a link.

    Raises:
        StorageError: it is not there, cannot be opened, is no plain file, or one of the
            parts is a link or no name.
    """
    if any(part in _NO_NAMES or "/" in part or "\0" in part for part in parts):
        raise StorageError(f"not the name of a file below {folder}: {list(parts)!r}")
    try:
        return _opened(folder, parts)
    except OSError as error:
        raise StorageError(f"{folder.joinpath(*parts)}: {error.strerror}") from error


def _opened(folder: Path, parts: Sequence[str]) -> BinaryIO:
    *folders, name = parts
    with ExitStack() as opened:
        at = os.open(folder, _FOLDER)
        opened.callback(os.close, at)
        for part in folders:
            at = os.open(part, _FOLDER | os.O_NOFOLLOW, dir_fd=at)
            opened.callback(os.close, at)
        file = os.fdopen(os.open(name, _FILE, dir_fd=at), "rb")
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise StorageError(f"{folder.joinpath(*parts)} is no plain file")
    return file
