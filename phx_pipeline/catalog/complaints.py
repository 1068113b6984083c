"""What a database complains of, as one sentence with the remedy."""

import errno
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

import sqlalchemy as sa

from phx_pipeline.errors import (
    CatalogDownError,
    CatalogError,
    CatalogFullError,
    CatalogUnusableError,
)
from phx_pipeline.model.refusal import FULL, refusal

_PRIMARY: Final = 0xFF  # the byte of an SQLite code that is not the detail
_NO_ROOM: Final = 1 << 20  # bytes; below that an SQLite file cannot grow for long

_REMEDIES: Final = {
    sqlite3.SQLITE_CORRUPT: (
        "restore it from a backup, or save what can be read by "
        "`sqlite3 {file} .recover | sqlite3 NEW`; the photos are not in it"
    ),
    sqlite3.SQLITE_NOTADB: (
        "PHX_DATA_DIR or PHX_CATALOG_URL leads to another program's file, or it is "
        "damaged: restore it from a backup"
    ),
    sqlite3.SQLITE_NOMEM: "end other programs and run it again",
}
# Dagster's, which has many files and is told of as a folder.
_OF_A_FOLDER: Final = (
    "move the folder away and run `phx init`: it holds the history of runs, houses "
    "and photos are not in it"
)
_SYSTEM: Final = {
    sqlite3.SQLITE_FULL: errno.ENOSPC,
    sqlite3.SQLITE_PERM: errno.EACCES,
    sqlite3.SQLITE_AUTH: errno.EACCES,
    sqlite3.SQLITE_IOERR: errno.EIO,
    sqlite3.SQLITE_CANTOPEN: errno.EACCES,
    sqlite3.SQLITE_READONLY: errno.EROFS,
}
_LOCKED: Final = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})

# Classes of SQLSTATE that tell of the server or its disk, not of the statement; and a
# right that is missing.
_OF_THE_SERVER: Final = ("08", "25", "53", "54", "57", "58", "F0", "XX", "42501")


@contextmanager
def explaining(place: Path | str) -> Iterator[None]:
    """Tell in one sentence what the database at *place* refused in the body.

    Args:
        place: its file or folder, or the name of a database of a server.

    Raises:
        CatalogDownError: it does not answer now.
        CatalogUnusableError: it cannot be used as it is.
    """
    try:
        yield
    except (sa.exc.DBAPIError, sa.exc.TimeoutError, sqlite3.Error) as error:
        if (told := complaint(error, place)) is None:
            raise
        raise told from error


def complaint(error: Exception, place: Path | str) -> CatalogError | None:
    """Return *error* as ours; None if it is a fault of the statement."""
    if isinstance(error, sa.exc.TimeoutError):
        return CatalogDownError(f"the database {place} is busy: {_flat(error)}")
    cause = error.orig if isinstance(error, sa.exc.DBAPIError) else error
    if isinstance(cause, sqlite3.Error):
        return _of_sqlite(cause, place)
    if isinstance(error, sa.exc.DBAPIError) and _is_of_the_server(error):
        return CatalogDownError(
            f"the database {place} failed: {_said_by_server(cause)}; see whether its "
            "server runs, and PHX_CATALOG_URL or PHX_DAGSTER_PG_URL, which name it"
        )
    return None


def primary_code(error: sqlite3.Error) -> int | None:
    """SQLite's own code of *error*, without the detail."""
    code: int | None = getattr(error, "sqlite_errorcode", None)
    return None if code is None else code & _PRIMARY


def _of_sqlite(error: sqlite3.Error, place: Path | str) -> CatalogError | None:
    code = primary_code(error)
    if code in _LOCKED:
        return CatalogDownError(
            f"{place} is locked by another process: end it (`fuser {place}` names it) "
            "and run it again"
        )
    if code in _SYSTEM:
        number, file = _system_error(code, Path(place))
        kind = CatalogFullError if number in FULL else CatalogUnusableError
        return kind(refusal(number, file))
    if code in _REMEDIES:
        remedy = _REMEDIES[code].format(file=place)
        if code != sqlite3.SQLITE_NOMEM and Path(place).is_dir():
            remedy = _OF_A_FOLDER
        return CatalogUnusableError(f"{place}: {_flat(error)}; {remedy}")
    return None


def _system_error(code: int, file: Path) -> tuple[int, Path]:
    """The system's number behind SQLite's, which often does not tell it; and where."""
    if code == sqlite3.SQLITE_IOERR and _is_full(file):
        return errno.ENOSPC, file
    if code in {sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY}:
        try:
            if not file.is_dir():
                _open_together(file)
        except OSError as error:
            return error.errno or errno.EACCES, Path(str(error.filename or file))
        if _is_full(file):
            return errno.ENOSPC, file
    return _SYSTEM[code], file


def _open_together(file: Path) -> None:
    """Open what SQLite opens, which says less of why it cannot."""
    with ExitStack() as stack:
        for ending in ("", "-wal", "-shm"):
            path = file.with_name(file.name + ending)
            known = path if os.path.lexists(path) or not ending else os.devnull
            stack.callback(os.close, os.open(known, os.O_RDWR))


def _is_full(file: Path) -> bool:
    try:
        return shutil.disk_usage(file.parent).free < _NO_ROOM
    except OSError:
        return False


def _is_of_the_server(error: sa.exc.DBAPIError) -> bool:
    if isinstance(error, sa.exc.OperationalError | sa.exc.InterfaceError):
        return True
    state = getattr(error.orig, "pgcode", None) or ""
    return error.connection_invalidated or state.startswith(_OF_THE_SERVER)


def _said_by_server(error: BaseException | None) -> str:
    """What libpq says, without its guesses, which stand on lines that are indented."""
    lines = (line for line in str(error).splitlines() if line.strip())
    told = [" ".join(line.split()) for line in lines if not line[0].isspace()]
    return "; ".join(dict.fromkeys(told)) or _flat(error)


def _flat(error: BaseException | None) -> str:
    return " ".join(str(error).split())  # without statement and values
