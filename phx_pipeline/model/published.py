"""A kept picture as it is published: one file in a property's folder."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from phx_pipeline.model.source import Source

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
