"""Content-addressed blobs on the local disk, and names that are links to them."""

import hashlib
import logging
import os
import re
from pathlib import Path

from phx_pipeline.errors import StorageError
from phx_pipeline.model.refusal import on_disk
from phx_pipeline.storage.atomic import (
    NO_FILE,
    create_atomically,
    create_folder,
    set_aside,
    sync_folder,
    temporary_beside,
    try_link,
    write_atomically,
)
from phx_pipeline.storage.layout import Layout

logger = logging.getLogger(__name__)

_READ_ONLY = 0o444
_SHA256 = re.compile(r"[0-9a-f]{64}")


class BlobStore:
    """Immutable files: raw bytes by SHA-256, PNGs by (raw SHA-256, recipe).

    Safe for any number of threads and processes: a blob appears whole, and two
    writers of one blob write the same bytes. What the disk refuses is a `DiskError`.
    """

    def __init__(self, layout: Layout) -> None:
        self.layout = layout

    @on_disk()
    def put_raw(self, body: bytes) -> str:
        """Store *body* and return its SHA-256; a whole blob is not written again."""
        sha256 = hashlib.sha256(body).hexdigest()
        path = self.layout.raw(sha256)
        if not path.is_file():
            create_atomically(path, body, mode=_READ_ONLY)
        elif not write_atomically(path, body, mode=_READ_ONLY):  # else it had rotted
            # Its writer may have been killed before the name was durable, and the
            # caller is about to commit a row that relies on it.
            sync_folder(path.parent)
        return sha256

    @on_disk()
    def has_raw(self, sha256: str) -> bool:
        """Whether the blob is there; its content is checked when it is read."""
        return self.layout.raw(sha256).is_file()

    @on_disk()
    def read_raw(self, sha256: str) -> bytes:
        """Return the bytes with this SHA-256.

        Raises:
            StorageError: The blob is missing, or its bytes have another hash.
        """
        body = _read(self.layout.raw(sha256))
        if hashlib.sha256(body).hexdigest() != sha256:
            raise StorageError(f"raw blob {sha256} does not match its name")
        return body

    @on_disk()
    def is_whole(self, sha256: str) -> bool:
        """Whether the blob is there with the bytes of its name."""
        try:
            self.read_raw(sha256)
        except StorageError:
            return False
        return True

    @on_disk()
    def find_raw(self, sha256: str, *, size_bytes: int) -> bool:
        """Give a blob its name back whose bytes lie in its folder under another one.

        That is what a killed writer leaves, or somebody who set the file aside.
        Another process may do the same at once: none of them removes the blob itself.

        Args:
            sha256: of a blob that was not whole when it was looked at.
            size_bytes: its length; files of another one are not read.
        """
        if self.is_whole(sha256):
            return True
        blob = self.layout.raw(sha256)
        for path in sorted(blob.parent.iterdir()) if blob.parent.is_dir() else ():
            body = None if path == blob else _read_if(path, size_bytes=size_bytes)
            if body is not None and hashlib.sha256(body).hexdigest() == sha256:
                self.put_raw(body)
                path.unlink(missing_ok=True)
                return True
        return self.is_whole(sha256)

    @on_disk()
    def drop_raw(self, sha256: str) -> None:
        """Delete the raw blob if it is there; the caller knows that nobody needs it."""
        self.layout.raw(sha256).unlink(missing_ok=True)

    @on_disk()
    def drop_standardized(self, sha256: str, recipe: str) -> None:
        """Delete the PNG made by *recipe* if it is there; its other names stay."""
        self.layout.standardized(sha256, recipe).unlink(missing_ok=True)

    @on_disk()
    def put_standardized(self, sha256: str, recipe: str, png: bytes) -> None:
        """Store the PNG made by *recipe*; one with other bytes is replaced."""
        path = self.layout.standardized(sha256, recipe)
        if not path.is_file():
            create_atomically(path, png, mode=_READ_ONLY)
        elif not write_atomically(path, png, mode=_READ_ONLY):  # else it was changed
            sync_folder(path.parent)  # as in `put_raw`

    @on_disk()
    def has_standardized(self, sha256: str, recipe: str) -> bool:
        """Whether the PNG made by *recipe* is there."""
        return self.layout.standardized(sha256, recipe).is_file()

    @on_disk()
    def holds_standardized(self, sha256: str, recipe: str, *, png_sha256: str) -> bool:
        """Whether the PNG made by *recipe* is there with the bytes of this SHA-256."""
        try:
            png = self.read_standardized(sha256, recipe)
        except StorageError:
            return False
        return hashlib.sha256(png).hexdigest() == png_sha256

    @on_disk()
    def read_standardized(self, sha256: str, recipe: str) -> bytes:
        """Return the PNG made by *recipe*.

        Raises:
            StorageError: It is missing.
        """
        return _read(self.layout.standardized(sha256, recipe))

    @on_disk()
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
        set_aside(target)
        if _same_bytes(blob, target):
            return False
        return _link(blob, target) or write_atomically(
            target, blob.read_bytes(), mode=_READ_ONLY
        )


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except NO_FILE as error:
        raise StorageError(f"blob is missing: {path}") from error


def _read_if(path: Path, *, size_bytes: int) -> bytes | None:
    """The bytes of a file that has so many; None for all else."""
    try:
        return path.read_bytes() if path.stat().st_size == size_bytes else None
    except NO_FILE:
        return None


def _same_bytes(blob: Path, target: Path) -> bool:
    if not target.is_file() or target.stat().st_size != blob.stat().st_size:
        return False
    return target.read_bytes() == blob.read_bytes()


def _link(blob: Path, target: Path) -> bool:
    """Try to make *target* a hard link to *blob*; False where links are refused."""
    with temporary_beside(target) as temporary:
        if not try_link(blob, temporary):
            logger.debug("no link for %s, copying", target)
            return False
        os.replace(temporary, target)  # noqa: PTH105 - as in `write_atomically`
    return True
