"""The logs of the services of `phx up`, kept from growing for ever."""

import shutil
from pathlib import Path

MAX_BYTES = 10_000_000
KEPT = 3


def rotate(log: Path) -> bool:
    """Move a log's text to `NAME.1`, that to `NAME.2` and so on, once it is too long.

    The log is copied and emptied, not renamed: its writer goes on with the file it has
    open. What is written between the two is lost.

    Returns:
        Whether the log was too long.
    """
    if not log.exists() or log.stat().st_size <= MAX_BYTES:
        return False
    for number in range(KEPT - 1, 0, -1):
        older = _numbered(log, number)
        if older.exists():
            older.replace(_numbered(log, number + 1))
    shutil.copyfile(log, _numbered(log, 1))
    with log.open("r+b") as writable:
        writable.truncate()
    return True


def _numbered(log: Path, number: int) -> Path:
    return log.with_name(f"{log.name}.{number}")
