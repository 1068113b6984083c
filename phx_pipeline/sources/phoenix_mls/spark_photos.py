"""The photos of the Spark API: one entry each, with addresses of all its sizes."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from phx_pipeline.model.photo import PhotoRef
from phx_pipeline.sources.json_values import JsonObject
from phx_pipeline.sources.phoenix_mls.licensed_listing import (
    ELSEWHERE,
    UNREADABLE,
    Media,
)
from phx_pipeline.sources.phoenix_mls.permission import (
    UNKNOWN_WORDS,
    denied,
    is_shown_to_all,
    is_silent,
)
from phx_pipeline.sources.phoenix_mls.photos import photo_at, photo_key
from phx_pipeline.sources.stated import identifier, members_of_any, text

_KEY = re.compile(r"20\d{24}", re.ASCII)
# Largest first; the thumbnail, 65 pixels wide, is none.
SIZES: Final = (
    *("UriLarge", "Uri2048", "Uri1600", "Uri1280", "Uri1024"),
    *("Uri800", "Uri640", "Uri300"),
)
_ON_VIEWERS = ("Permission", "Privacy")
_MOST_TAGS = 20


def photos_of(entries: Sequence[object], *, total: int | None = None) -> Media:
    """Read the entries of `photos`, in their order.

    Captured entries have no word on who may see them, so silence permits here. One that
    may be shown to few is withdrawn; one with unknown words is left out.

    Args:
        entries: as decoded from JSON.
        total: how many the feed says there are.
    """
    found: dict[str, PhotoRef] = {}
    withdrawn: dict[str, str] = {}
    left_out: Counter[str] = Counter()
    for entry in entries:
        photo = _photo(entry) if isinstance(entry, dict) else None
        if (why := _denied(entry)) and (key := _key_of(entry)):
            withdrawn[key] = why
        elif photo is not None and _is_clear(entry):
            found.setdefault(photo.photo_key, photo)
        else:
            left_out[UNKNOWN_WORDS if photo else _fault(entry)] += 1
    shown = [photo for key, photo in found.items() if key not in withdrawn]
    return Media(
        photos=tuple(replace(photo, position=at) for at, photo in enumerate(shown)),
        withdrawn=withdrawn,
        left_out=left_out,
        total=total,
        also_read=members_of_any(entries, (*SIZES, "Caption", "Name")),
    )


def _photo(entry: JsonObject) -> PhotoRef | None:
    """Return the photo of an entry; None if it names none, or more than one."""
    urls = list(_urls(entry))
    photo = photo_at(urls[0], position=0) if urls else None
    if photo is None or photo.photo_key != identifier(entry.get("Id")):
        return None
    own = [url for url in urls if photo_key(url) == photo.photo_key]
    smaller = dict.fromkeys(url for url in own if url != photo.url)
    return replace(
        photo,
        fallback_urls=tuple(smaller) or photo.fallback_urls,
        caption=text(entry.get("Caption")) or text(entry.get("Name")),
        tags=_tags(entry.get("Tags")),
    )


def _denied(entry: object) -> str:
    return denied(entry, _ON_VIEWERS) if isinstance(entry, dict) else ""


def _is_clear(entry: object) -> bool:
    """Whether no word on who may see it leaves that open."""
    return isinstance(entry, dict) and all(
        is_silent(entry, it) or is_shown_to_all(entry, it) for it in _ON_VIEWERS
    )


def _key_of(entry: object) -> str | None:
    told = identifier(entry.get("Id")) if isinstance(entry, dict) else None
    return told if told and _KEY.fullmatch(told) else None


def _fault(entry: object) -> str:
    """Return why an entry is not taken."""
    return ELSEWHERE if _key_of(entry) else UNREADABLE


def _urls(entry: JsonObject) -> Iterator[str]:
    """Yield the addresses of an entry by their sizes; the feed still writes `http:`."""
    for name in SIZES:
        if url := text(entry.get(name)):
            yield re.sub(r"^http:", "https:", url)


def _tags(stated: object) -> tuple[str, ...]:
    """Return the tags of all groups: `{"Room": ["Kitchen"]}`."""
    groups = list(stated.values()) if isinstance(stated, dict) else []
    lists = (group for group in groups[:_MOST_TAGS] if isinstance(group, list))
    told = (text(tag) for group in lists for tag in group[:_MOST_TAGS])
    return tuple(dict.fromkeys(tag for tag in told if tag))
