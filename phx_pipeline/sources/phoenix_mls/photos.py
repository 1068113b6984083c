"""The photos of the MLS at Spark's hosts: one id for all sizes, by every way to them.

The public site, the RESO Web API and the Spark API name a photo by the same id.
"""

import re
from itertools import product
from typing import Final
from urllib.parse import urlsplit

from phx_pipeline.model.photo import PhotoRef
from phx_pipeline.model.source import Source
from phx_pipeline.sources.stated import LONGEST_URL

_DOMAIN = "sparkplatform.com"
_ORIGINALS, _RESIZED = f"cdn.photos.{_DOMAIN}", f"cdn.resize.{_DOMAIN}"
PHOTO_HOSTS: Final = tuple(
    f"{number}.{kind}.{_DOMAIN}"
    for number, kind in product(("cdn", "cdn0", "cdn1", "cdn2"), ("photos", "resize"))
)
"""The numbered ones are mirrors; photos are asked for at those without a number."""

# `az` is the MLS; ids begin with the time of upload, YYYYMMDDhhmmss.
_PATH = re.compile(
    r"/(?P<mls>[a-z0-9_]{1,20})/(?:\d{1,4}x\d{1,4}/(?:true|false)/)?(?P<key>20\d{24})"
    r"(?:-[a-z])?\.(?:jpe?g|png|webp|gif)",
    re.ASCII | re.IGNORECASE,
)
# Largest first. What is in none of them is a thumbnail of 65 pixels.
_BOXES = ("1280x1024", "1024x768", "640x480")


def photo_key(url: str) -> str | None:
    """Return a photo's id, the same for all its sizes; None if *url* names no photo."""
    found = _parts(url, schemes=("https",))
    return found[1] if found else None


def photo_at(url: str, *, position: int, caption: str = "") -> PhotoRef | None:
    """Return the photo whose address in any size is *url*: its original, then smaller.

    Pages also write addresses without a scheme, or with `http:`. None if it names no
    photo of Spark's hosts.
    """
    found = _parts(url.strip(), schemes=("https", "http", ""))
    if found is None:
        return None
    mls, key = found
    smaller = (f"https://{_RESIZED}/{mls}/{box}/true/{key}-o.jpg" for box in _BOXES)
    return PhotoRef(
        source=Source.PHOENIX_MLS,
        photo_key=key,
        url=f"https://{_ORIGINALS}/{mls}/{key}-o.jpg",
        position=position,
        fallback_urls=(*smaller, f"https://{_ORIGINALS}/{mls}/{key}.jpg"),
        caption=caption,
    )


def _parts(url: str, *, schemes: tuple[str, ...]) -> tuple[str, str] | None:
    """Return the MLS and the id that a photo's URL names."""
    if len(url) > LONGEST_URL:
        return None
    try:
        parts = urlsplit(url)
    except ValueError:  # such as brackets that hold no address
        return None
    found = _PATH.fullmatch(parts.path)
    is_there = parts.scheme in schemes and parts.netloc in PHOTO_HOSTS
    return (found["mls"].lower(), found["key"]) if found and is_there else None
