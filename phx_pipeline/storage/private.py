"""Files that only their owner may look into, and old folders: which houses is private.

New folders are so by `atomic.create_folder`.
"""

import errno
import os
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from phx_pipeline.errors import DiskError
from phx_pipeline.model.refusal import on_disk, refusal

FILE_MODE: Final = 0o600

_OTHERS: Final = stat.S_IRWXO
_NOT_OURS: Final = stat.S_IRWXG | stat.S_IRWXO
_SHALLOWEST: Final = 3  # parts of a path: never /, /tmp or another top folder


@on_disk()
def private_file(file: Path) -> None:
    """Make *file*, empty, for this user alone; one that is there stays as it is.

    Raises:
        DiskError: the disk refused, or something else has its name.
    """
    if not is_there(file):
        os.close(os.open(file, os.O_WRONLY | os.O_CREAT, FILE_MODE))


@on_disk()
def is_there(file: Path) -> bool:
    """Whether *file* is there.

    Raises:
        DiskError: something else has its name: opening a pipe may wait for ever.
    """
    if not file.exists() or file.is_file():
        return file.exists()
    number = errno.EISDIR if file.is_dir() else errno.EEXIST
    raise DiskError(refusal(number, file), stops_all=False)


def tighten(paths: Iterable[Path]) -> list[Path]:
    """Take the rights of group and others from what everybody may look into.

    Only from what belongs to this user. What others may not look into was set up by
    somebody, maybe for a group, and stays; so does a top folder of the system.

    Returns:
        The paths that were changed.
    """
    return [path for path in paths if _tightened(path)]


def _tightened(path: Path) -> bool:
    try:
        found = path.lstat()
    except OSError:
        return False
    is_plain = stat.S_ISDIR(found.st_mode) or stat.S_ISREG(found.st_mode)
    is_shared = len(path.absolute().parts) < _SHALLOWEST or found.st_mode & stat.S_ISVTX
    if not is_plain or is_shared or not found.st_mode & _OTHERS:
        return False
    if found.st_uid != os.geteuid():
        return False
    path.chmod(stat.S_IMODE(found.st_mode) & ~_NOT_OURS)
    return True
