"""Content-addressed blobs on the local disk, and names that are links to them."""

import errno
import hashlib
import logging
import os
import re
from collections.abc import Iterator
from pathlib import Path

from phx_pipeline.errors import StorageError
from phx_pipeline.storage.atomic import (
    create_folder,
    sync_folder,
    temporary_beside,
    write_atomically,
)
from phx_pipeline.storage.layout import Layout

logger = logging.getLogger(__name__)

_READ_ONLY = 0o444
_SHA256 = re.compile(r"[0-9a-f]{64}")

# Another disk, a file system without links, or the link limit of one file.
_LINK_REFUSED = frozenset(
    {errno.EXDEV, errno.EPERM, errno.EMLINK, errno.EOPNOTSUPP, errno.ENOSYS}
)


class BlobStore:
    """Immutable files: raw bytes by SHA-256, PNGs by (raw SHA-256, recipe).

    Safe for any number of threads and processes: a blob appears whole, and two
    writers of one blob write the same bytes.
    """

    def __init__(self, layout: Layout) -> None:
        self.layout = layout

    def put_raw(self, body: bytes) -> str:
        """Store *body* and return its SHA-256; a whole blob is not written again."""
        sha256 = hashlib.sha256(body).hexdigest()
        self._put(self.layout.raw(sha256), body)
        return sha256

    def has_raw(self, sha256: str) -> bool:
        """Whether the blob is there; its content is checked when it is read."""
        return self.layout.raw(sha256).is_file()

    def read_raw(self, sha256: str) -> bytes:
        """Return the bytes with this SHA-256.

        Raises:
            StorageError: The blob is missing, or its bytes have another hash.
        """
        body = _read(self.layout.raw(sha256))
        if hashlib.sha256(body).hexdigest() != sha256:
            raise StorageError(f"raw blob {sha256} does not match its name")
        return body

    def raw_hashes(self) -> Iterator[str]:
        """Yield the SHA-256 of every raw blob in rising order."""
        for folder in sorted(self.layout.raw_root.glob("[0-9a-f][0-9a-f]")):
            names = (path.name for path in folder.iterdir())
            yield from sorted(name for name in names if _SHA256.fullmatch(name))

    def put_standardized(self, sha256: str, recipe: str, png: bytes) -> None:
        """Store the PNG made by *recipe*; the first one stored stays."""
        path = self.layout.standardized(sha256, recipe)
        if not path.is_file():
            self._put(path, png)

    def has_standardized(self, sha256: str, recipe: str) -> bool:
        """Whether the PNG made by *recipe* is there."""
        return self.layout.standardized(sha256, recipe).is_file()

    def read_standardized(self, sha256: str, recipe: str) -> bytes:
        """Return the PNG made by *recipe*.

        Raises:
            StorageError: It is missing.
        """
        return _read(self.layout.standardized(sha256, recipe))

    def name_file(self, sha256: str, recipe: str, target: Path) -> bool:
        """Make *target* another name of a standardized PNG, replacing what is there.

        A hard link where the file system allows one, else a copy. Not durable by
        itself when linked: published folders can be rebuilt. Returns whether the
        file had to be made.

        Raises:
            StorageError: The PNG is missing.
        """
        blob = self.layout.standardized(sha256, recipe)
        if not blob.is_file():
            raise StorageError(f"cannot name a missing blob: {blob}")
        if target.exists() and target.samefile(blob):
            return False
        create_folder(target.parent)
        if _same_bytes(blob, target):
            return False
        return _link(blob, target) or write_atomically(
            target, blob.read_bytes(), mode=_READ_ONLY
        )

    @staticmethod
    def _put(path: Path, body: bytes) -> None:
        if not write_atomically(path, body, mode=_READ_ONLY):
            # Its writer may have been killed before the name was durable, and the
            # caller is about to commit a row that relies on it.
            sync_folder(path.parent)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise StorageError(f"blob is missing: {path}") from error


def _same_bytes(blob: Path, target: Path) -> bool:
    if not target.is_file() or target.stat().st_size != blob.stat().st_size:
        return False
    return target.read_bytes() == blob.read_bytes()


def _link(blob: Path, target: Path) -> bool:
    """Try to make *target* a hard link to *blob*; False where links are refused."""
    with temporary_beside(target) as temporary:
        try:
            temporary.hardlink_to(blob)
        except OSError as error:
            if error.errno not in _LINK_REFUSED:
                raise
            logger.debug("no link for %s (%s), copying", target, error)
            return False
        os.replace(temporary, target)  # noqa: PTH105 - as in `write_atomically`
    return True
