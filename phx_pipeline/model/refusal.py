"""What a disk refuses, as one sentence with the path and the remedy."""

import errno
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from phx_pipeline.errors import DiskError, DiskFullError

_AGAIN: Final = "and run it again: it goes on where it was"
_RIGHTS: Final = "run it as the user who owns it, or give this user the right"
_TOO_MANY: Final = f"raise the limit (`ulimit -n 4096`) {_AGAIN}"
_LONGEST_SHOWN: Final = 400  # characters of a path; some file systems take thousands
_CHECK: Final = "look into the system's log (`dmesg`), and save what can be read"

_TOLD: Final[Mapping[int, tuple[str, str]]] = {
    errno.ENOSPC: ("the disk is full", f"make room {_AGAIN}"),
    errno.EDQUOT: ("the quota of this user is used up", f"make room {_AGAIN}"),
    errno.EROFS: (
        "the file system is read-only",
        "mount it writable, or name another folder by PHX_DATA_DIR",
    ),
    errno.EACCES: ("permission denied", _RIGHTS),
    errno.EPERM: ("not permitted", _RIGHTS),
    errno.EMFILE: ("too many files are open", _TOO_MANY),
    errno.ENFILE: ("too many files are open on this computer", _TOO_MANY),
    errno.EIO: ("the disk failed (input/output error)", _CHECK),
    errno.ENODEV: ("the disk is gone", f"attach it {_AGAIN}"),
    errno.ENXIO: ("the disk is gone", f"attach it {_AGAIN}"),
    errno.ESTALE: ("the disk is gone", f"mount it anew {_AGAIN}"),
    errno.ENOENT: ("not found", "was it moved, or its disk not mounted?"),
    errno.ENOTDIR: ("a file is where a folder should be", "move it away"),
    errno.EISDIR: ("a folder is where a file should be", "move it away"),
    errno.EEXIST: ("something else is there already", "move it away"),
    errno.ENOTEMPTY: ("the folder is not empty", "move away what is in it"),
    errno.ELOOP: ("a link leads to itself", "remove the link"),
    errno.ENAMETOOLONG: ("the name is too long", "name a shorter one"),
    errno.EFBIG: ("the file would be too large", "raise the limit (`ulimit -f`)"),
    errno.EBUSY: ("it is in use", "end what uses it"),
    errno.ETXTBSY: ("it is in use", "end what uses it"),
}
FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})
"""The numbers that tell of no room."""
_OF_THE_DISK: Final = FULL | frozenset(
    {errno.EROFS, errno.EMFILE, errno.ENFILE, errno.EFBIG}
)


def refusal(number: int, path: object) -> str:
    """The sentence for a system error *number* that *path* met."""
    plain = os.strerror(number).lower()
    what, remedy = _TOLD.get(number, (plain, f"put it right {_AGAIN}"))
    return f"{_shown(path)}: {what}; {remedy}"


def _shown(path: object) -> str:
    text = str(path)
    if len(text) <= _LONGEST_SHOWN:
        return text
    return f"{text[: _LONGEST_SHOWN // 2]}…{text[-_LONGEST_SHOWN // 2 :]}"


def disk_error(error: OSError, path: Path | None = None) -> DiskError | None:
    """Return *error* as ours; None if it tells of no file and no disk.

    Args:
        error: what the system said.
        path: the file meant, where the error names none or a temporary beside it.
    """
    number, named = error.errno, _named(error, path)
    if number is None or (named is None and number not in _TOLD):
        return None
    kind = DiskFullError if number in FULL else DiskError
    return kind(refusal(number, named or "a file"), stops_all=number in _OF_THE_DISK)


@contextmanager
def on_disk(path: Path | None = None) -> Iterator[None]:
    """Tell in one sentence what the disk refused in the body, or the function.

    Raises:
        DiskError: it did.
    """
    try:
        yield
    except OSError as error:
        if (told := disk_error(error, path)) is None:
            raise
        raise told from error


def _named(error: OSError, path: Path | None) -> Path | None:
    if not isinstance(error.filename, str | bytes | os.PathLike):
        return path
    named = Path(os.fsdecode(error.filename))
    is_temporary = path is not None and named.name.startswith(f".{path.name}.")
    return path if is_temporary else named
