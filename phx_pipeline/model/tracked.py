"""A photo URL that was fetched, as the URL tracker shows it."""

from dataclasses import dataclass
from datetime import datetime

from phx_pipeline.model.source import Source


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackedUrl:
    """One URL whose bytes are held. Times UTC.

    `image_id` is the picture the property shows for it; `content_hash` the sha256 of
    the bytes; `present` whether the gallery had it when it was last seen whole.
    `last_seen_at` is that time, or of the download if it is gone since.
    """

    url: str
    image_id: str
    folder: str
    address: str
    source: Source
    content_hash: str
    present: bool
    shown: bool
    first_seen_at: datetime
    last_seen_at: datetime
    first_run_id: str
    last_run_id: str
