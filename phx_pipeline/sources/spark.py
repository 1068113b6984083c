"""Spark's photo host, which sites of several MLSs use: what a photo's URL tells there.

How a gallery is found and read is told in the package of each source.
"""

import re
from datetime import date

from phx_pipeline.model.mark import Mark
from phx_pipeline.model.photo import PhotoRef

# The ids of photos begin with the time of upload, YYYYMMDDhhmmss.
_PHOTO = re.compile(
    r"https://[^/]+\.sparkplatform\.com/(?:[^/]+/)+(?P<uploaded>20\d{6})\d{18}\b"
)


def mark_at_host(photo: PhotoRef) -> Mark:
    """Return what the URL of a photo at Spark tells; nothing for any other host."""
    found = _PHOTO.match(photo.url)
    return Mark(uploaded=_day(found["uploaded"]) if found else None)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
