"""Every path below `data/`; nothing else in the package joins one."""

import re
from dataclasses import dataclass
from pathlib import Path

from phx_pipeline.errors import StorageError

_SHA256 = re.compile(r"[0-9a-f]{64}")
_PART = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True, slots=True)
class Layout:
    """Paths below *root* (the `data/` folder). Builds paths, touches no file."""

    root: Path

    @property
    def images(self) -> Path:
        """The folder that relative paths in exports start from."""
        return self.root / "property_images"

    @property
    def raw_root(self) -> Path:
        """The folder of all downloaded bytes."""
        return self.images / "raw"

    @property
    def processed(self) -> Path:
        """The folder of all published property folders."""
        return self.images / "processed"

    @property
    def metadata(self) -> Path:
        """The folder of the JSON views."""
        return self.images / "metadata"

    @property
    def views(self) -> Path:
        """The folder of the folder views: links to published pictures."""
        return self.images / "views"

    @property
    def trees(self) -> tuple[Path, ...]:
        """The folders that stages write below; each may be a link to another disk."""
        standardized = self.images / "standardized"
        return self.raw_root, standardized, self.processed, self.metadata

    @property
    def catalogue(self) -> Path:
        """The SQLite file of the default catalogue."""
        return self.root / "phx.db"

    @property
    def supervisor(self) -> Path:
        """The file that the supervisor of this folder holds locked."""
        return self.root / "supervisor.lock"

    @property
    def browsers(self) -> Path:
        """The folder of the profiles of browsers that run; of the dead, until swept."""
        return self.root / "browser"

    @property
    def networks(self) -> Path:
        """The folder of what networks are run from; made anew when it is missing."""
        return self.root / "networks"

    @property
    def thumbnail_root(self) -> Path:
        """The folder of small pictures for pages; drawn anew when it is missing."""
        return self.root / "thumbnails"

    def thumbnails(self, folder_id: str) -> Path:
        """The folder of the small pictures of one property."""
        return self.thumbnail_root / _part(folder_id)

    def thumbnail(self, folder_id: str, sha256: str, *, side: int) -> Path:
        """Where the small picture of the published file with this SHA-256 lies."""
        return self.thumbnails(folder_id) / f"{_digest(sha256)}-{side}.jpg"

    def quarantined_pages(self, source: str) -> Path:
        """The folder of the last refusals of one source, kept for diagnosis."""
        return self.root / "quarantine" / "pages" / _part(source)

    def checks(self, source: str) -> Path:
        """The folder of the last bundles of `phx sources check` of one source."""
        return self.root / "checks" / _part(source)

    def raw(self, sha256: str) -> Path:
        """Where the downloaded bytes with this SHA-256 (64 hex digits) lie."""
        digest = _digest(sha256)
        return self.raw_root / digest[:2] / digest

    def standardized(self, sha256: str, recipe: str) -> Path:
        """Where the PNG made by *recipe* from the raw bytes *sha256* lies."""
        digest = _digest(sha256)
        folder = self.images / "standardized" / _part(recipe)
        return folder / digest[:2] / f"{digest}.png"

    def folder(self, folder_id: str) -> Path:
        """The published folder of one property."""
        return self.processed / _part(folder_id)

    def view(self, kind: str, value: str) -> Path:
        """The folder view of one value, such as that of all kitchens."""
        return self.views / _part(kind) / _part(value)

    def relative(self, path: Path) -> str:
        """Return *path* as a POSIX path below `images`, as exports write it."""
        try:
            return path.relative_to(self.images).as_posix()
        except ValueError as error:
            raise StorageError(f"{path} is not below {self.images}") from error


def _digest(sha256: str) -> str:
    if not _SHA256.fullmatch(sha256):
        raise StorageError(f"not a SHA-256 in lower-case hex: {sha256!r}")
    return sha256


def _part(name: str) -> str:
    # Names reach us from rows; one that climbs out of its folder must not pass.
    if not _PART.fullmatch(name):
        raise StorageError(f"not usable as one part of a path: {name!r}")
    return name
