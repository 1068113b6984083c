"""Redfin's list of photos: which of its entries are photos of a home, and their sizes.

Which list is the listing's own is told in `parse`.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Any
from urllib.parse import urlsplit

from phx_pipeline.model.mark import Mark
from phx_pipeline.model.photo import PhotoRef
from phx_pipeline.model.source import Source
from phx_pipeline.sources.json_values import JsonObject
from phx_pipeline.sources.stated import LONGEST_URL, identifier, pixels, text

PHOTO_HOSTS = ("ssl.cdn-redfin.com",)

# The larger is asked for where the full frame is gone or broken; both are cuts.
_SMALLER = ("nonFullScreenPhotoUrlCompressed", "nonFullScreenPhotoUrl")
# The host also has logos, faces of agents and maps, in other folders.
_PICTURE = r"(?P<stem>[^/]+)\.(?:jpe?g|png|webp|gif|avif|heic)"
_MLS_PHOTO = re.compile(
    rf"/photo/(?P<owner>\w+)/[^/]+/(?:[^/]+/)*(?:gen[A-Za-z]+\.)?{_PICTURE}",
    re.ASCII | re.IGNORECASE,
)
_UPLOADED_PHOTO = re.compile(
    rf"/system_files/media/(?P<owner>[^/]+)/(?:[^/]+/)*{_PICTURE}",
    re.ASCII | re.IGNORECASE,
)
_UP = re.compile(r"/(?:\.|%2e){1,2}/", re.IGNORECASE)  # a path that leads elsewhere
_MOST_TAGS = 50
# The button over the gallery, which is the first on the page.
_COUNT = re.compile(
    r"<button\b[^<>]{0,1000}\baria-label=\"(?P<count>\d{1,4}) photos?\"",
    re.ASCII | re.IGNORECASE,
)
# Keys are `{data source}-{MLS id}_...`; the site's own uploads have no id.
_KEY = re.compile(r"(?P<owner>\d+)-(?P<listing>[^_]+)(?:_|$)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Gallery:
    """The photos of a listing; `unreadable` entries could not be taken as a photo."""

    photos: tuple[PhotoRef, ...]
    unreadable: int


def parse_gallery(photos: Iterable[Any], *, tags: JsonObject) -> Gallery:
    """Return the photos of `mediaBrowserInfo.photos` in their order.

    Args:
        photos: the entries as decoded from JSON.
        tags: `tagsByPhotoId` of the page, or nothing.
    """
    refs: dict[str, PhotoRef] = {}
    unreadable = 0
    for position, entry in enumerate(photos):
        ref = _photo(entry, position=position, tags=tags)
        if ref is None:
            unreadable += 1
        else:
            refs.setdefault(ref.photo_key, ref)
    return Gallery(photos=tuple(refs.values()), unreadable=unreadable)


def count_shown(html: str) -> int:
    """Return how many photos a page says that it has; 0 if it does not say."""
    found = _COUNT.search(html)
    return int(found["count"]) if found else 0


def photo_key(url: str) -> str | None:
    """Return a photo's identity, the same for all its size variants.

    None if *url* is not the https URL of a photo of a home on Redfin's photo host.
    """
    if len(url) > LONGEST_URL:
        return None
    try:
        parts = urlsplit(url)
    except ValueError:  # such as brackets that hold no address
        return None
    is_there = parts.scheme == "https" and parts.netloc in PHOTO_HOSTS
    if not is_there or _UP.search(parts.path):
        return None
    if found := _MLS_PHOTO.fullmatch(parts.path):
        return f"{found['owner']}-{found['stem']}"
    if found := _UPLOADED_PHOTO.fullmatch(parts.path):
        return f"media-{found['owner']}-{found['stem']}"
    return None


def filed_under(photo: PhotoRef) -> Mark:
    """Return the data source (MLS) and the MLS id that a photo's key names."""
    found = _KEY.match(photo.photo_key)
    return Mark(listing=found["listing"], owner=found["owner"]) if found else Mark()


def _photo(entry: object, *, position: int, tags: JsonObject) -> PhotoRef | None:
    if not isinstance(entry, dict):
        return None
    told_urls = entry.get("photoUrls")
    urls = told_urls if isinstance(told_urls, dict) else {}
    url = text(urls.get("fullScreenPhotoUrl"))
    if (key := photo_key(url)) is None:
        return None
    smaller = (text(urls.get(name)) for name in _SMALLER)
    others = (other for other in smaller if other != url and photo_key(other) == key)
    own = tags.get(identifier(entry.get("photoId")) or "")
    told = own if isinstance(own, dict) else {}
    return PhotoRef(
        source=Source.REDFIN,
        photo_key=key,
        url=url,
        position=position,
        fallback_urls=tuple(islice(others, 1)),
        caption=text(told.get("shortCaption")) or text(told.get("longCaption")),
        tags=_room_tags(told.get("tags")),
        width=pixels(entry.get("width")),
        height=pixels(entry.get("height")),
    )


def _room_tags(tags: object) -> tuple[str, ...]:
    if not isinstance(tags, list):
        return ()
    told = map(text, tags[:_MOST_TAGS])
    return tuple(tag for tag in told if tag and tag != "All")
