"""Files made once and kept in a folder that may be emptied at any time.

A file's name holds the hash of its content, so that a damaged one is told from a good
one, and made anew. Where the folder cannot be written, nothing is kept.
"""

import contextlib
import hashlib
import logging
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

_LOG: Final = logging.getLogger(__name__)
_T = TypeVar("_T")
_DIGITS: Final = 32  # hexadecimal, of the hash


def kept(
    folder: Path,
    name: str,
    make: Callable[[], bytes],
    *,
    read: Callable[[bytes], _T],
    instead_of: str | None = None,
) -> _T:
    """Return what *read* makes of the content kept under *name*.

    Where there is none, or *read* raises `ValueError` of it, *make* makes it. What is
    made then takes the place of all names like *instead_of* (a glob): those of former
    versions. A process that still uses one has read it, or makes it anew.

    Raises:
        ValueError: *read* raises it of what was just made.
    """
    for path in sorted(folder.glob(f"{name}.*.bin")):
        with contextlib.suppress(OSError):
            body = path.read_bytes()
            if path.name == _file_name(name, body):
                with contextlib.suppress(ValueError):
                    return read(body)
            _LOG.warning("%s is damaged and is made anew", path)
            path.unlink()
    body = make()
    value = read(body)
    try:
        _write(folder / _file_name(name, body), body)
    except OSError as error:
        _LOG.warning("%s cannot be kept in %s: %s", name, folder, error.strerror)
    if instead_of:
        _sweep(folder, instead_of, but=name)
    return value


def sweep_drafts(folder: Path, *, before: float) -> None:
    """Remove what killed processes wrote last before that time (seconds, epoch)."""
    for path in folder.glob(".*.part"):
        with contextlib.suppress(OSError):
            if path.stat().st_mtime < before:
                path.unlink()


def _sweep(folder: Path, names: str, *, but: str) -> None:
    current = set(folder.glob(f"{but}.*.bin"))
    for path in set(folder.glob(f"{names}.*.bin")) - current:
        with contextlib.suppress(OSError):
            path.unlink()


def _file_name(name: str, body: bytes) -> str:
    return f"{name}.{hashlib.sha256(body).hexdigest()[:_DIGITS]}.bin"


def _write(path: Path, body: bytes) -> None:
    """Put the file there whole or not at all, also where two processes do."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(body)
        Path(draft).replace(path)
    except OSError:
        Path(draft).unlink(missing_ok=True)
        raise
