"""A kept picture as it is published: one file in a property's folder."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from phx_pipeline.model.photo import PhotoKey
from phx_pipeline.model.source import Source
from phx_pipeline.model.taxonomy import Category
from phx_pipeline.model.vote import Named

PHOTOS: Final = "/photos"
"""Where the service shows published pictures: `/photos/FOLDER/NAME.png`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedImage:
    """One published file and where it came from. Sizes in pixels and bytes, times UTC.

    `local_path` is a POSIX path below `data/property_images`; `content_hash` is the
    sha256 of the published PNG; `phash`/`dhash` are of the full frame.
    """

    image_id: str
    property_address: str
    folder: str
    source: Source
    source_url: str
    local_path: str
    phash: int
    dhash: int
    width: int
    height: int
    file_size_bytes: int
    downloaded_at: datetime
    processed_at: datetime
    run_id: str
    content_hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedPicture:
    """A published picture: the kept photo of a cluster, its file, and why its name."""

    slug: str
    folder: str
    source: Source
    photo_key: str
    cluster_id: str
    sha256: str
    named: Named
    file_name: str

    @property
    def category(self) -> Category:
        """What it is named."""
        return self.named.category

    @property
    def photo(self) -> PhotoKey:
        """The kept photo within its house."""
        return (self.source, self.photo_key)
