"""Zillow's photo lists: which photos, in which order, and every size of each.

Only URLs of the listing's own lists count. The property object also holds photos of
neighbouring homes, faces of agents, logos and maps.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from phx_pipeline.errors import SourceChangedError
from phx_pipeline.model.photo import PhotoRef
from phx_pipeline.model.source import Source
from phx_pipeline.sources.json_values import JsonObject
from phx_pipeline.sources.stated import LONGEST_URL, identifier, text, whole
from phx_pipeline.sources.zillow.addresses import PHOTO_HOSTS

# In the order asked: the first two hold full frames, the others cuts of 3:2.
PHOTO_LISTS = (
    "originalPhotos",
    "responsivePhotosOriginalRatio",
    "photos",
    "responsivePhotos",
)

_PHOTO = re.compile(
    r"/fp/(?P<key>[0-9a-f]{32})-"
    r"(?!zillow_web|h_)"  # logos of listing services, faces of agents
    r"(?P<variant>[a-z0-9_]+)\.(?:jpe?g|webp)",
    re.ASCII,
)
_KEY = re.compile(r"[0-9a-f]{32}", re.ASCII)
_KEY_IN_URL = re.compile(r"/fp/([0-9a-f]{32})-", re.ASCII)
# Cards of other homes; faces and logos.
_OF_OTHERS = (
    "nearbyHomes",
    "comps",
    "compsCarouselPropertyPhotos",
    "similarHomes",
    "homeRecommendations",
    "attributionInfo",
    "listedBy",
    "listing_provided_by",
    "postingContact",
    "contactFormRenderData",
    "priceHistory",
)
_MOST_VALUES = 200_000  # looked at in them
_FULL_FRAME = re.compile(r"uncropped_\w+|o_a|d_d", re.ASCII)

# The sizes the photo host has of every photo, largest first, full frames before cuts.
_SIZES = (
    "uncropped_scaled_within_1536_1152",
    "uncropped_scaled_within_1344_1008",
    "o_a",
    "d_d",
    "cc_ft_1536",
    "cc_ft_1344",
    "cc_ft_1152",
    "cc_ft_960",
    "p_e",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gallery:
    """The photos of a listing.

    `entries` counts the list they came from, repeated and unreadable entries
    included; `unreadable` ones could not be taken as a photo; `foreign` ones the page
    itself shows as of another home, or as a face or a logo.
    """

    photos: tuple[PhotoRef, ...]
    entries: int
    unreadable: int
    foreign: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One size of a photo, as its URL tells it."""

    key: str
    name: str

    @property
    def is_full_frame(self) -> bool:
        """Whether it shows the whole picture, not a cut of it."""
        return _FULL_FRAME.fullmatch(self.name) is not None


@dataclass(slots=True, kw_only=True)
class _Told:
    """All that the lists together say about one photo."""

    widths: dict[str, int] = field(default_factory=dict)  # by URL
    caption: str = ""
    tags: tuple[str, ...] = ()


def variant_of(url: object) -> Variant | None:
    """Return which photo in which size *url* is; None if it is no listing photo."""
    if not isinstance(url, str) or len(url) > LONGEST_URL:
        return None
    try:
        parts = urlsplit(url)
    except ValueError:  # such as brackets that hold no address
        return None
    found = _PHOTO.fullmatch(parts.path)
    if parts.scheme != "https" or parts.netloc not in PHOTO_HOSTS or not found:
        return None
    return Variant(key=found["key"], name=found["variant"])


def parse_gallery(home: JsonObject) -> Gallery:
    """Return the photos of a property object, in the order of its best list.

    The lists are joined by photo key: a photo's sizes may be spread over them. A photo
    that is shown of another home too is not taken: nobody can say whose it is.

    Raises:
        SourceChangedError: a list is no list.
    """
    lists = [_entries(home[name], what=name) for name in PHOTO_LISTS if home.get(name)]
    told = _told_by_key(entry for entries in lists for entry in entries)
    readable = (entries for entries in lists if any(map(_key_of, entries)))
    order = next(readable, lists[0] if lists else [])
    keys = [_key_of(entry) for entry in order]
    others = keys_of_others(home)
    firsts = {
        key: at
        for at, key in reversed(list(enumerate(keys)))
        if key and key not in others
    }
    refs = [_photo(key, told[key], position=at) for key, at in firsts.items()]
    return Gallery(
        photos=tuple(sorted(refs, key=lambda ref: ref.position)),
        entries=len(keys),
        unreadable=keys.count(None),
        foreign=sum(key in others for key in keys),
    )


def completed(home: JsonObject, later: JsonObject) -> JsonObject:
    """Return *home* with the photos that it lacks and *later*, of the same home, has.

    They follow its own, in the list that gives the order.
    """
    lists = {name: home[name] for name in PHOTO_LISTS if _is_filled(home.get(name))}
    more = [later[name] for name in PHOTO_LISTS if _is_filled(later.get(name))]
    if not lists:
        return {**home, **{n: later[n] for n in PHOTO_LISTS if later.get(n)}}
    name, own = next(iter(lists.items()))
    known = set(map(_key_of, own))
    longest: list[Any] = max(more, key=len, default=[])
    return {**home, name: [*own, *(e for e in longest if _key_of(e) not in known)]}


def _is_filled(value: object) -> bool:
    return isinstance(value, list) and bool(value)


def keys_of_others(home: JsonObject) -> frozenset[str]:
    """Return the keys of what a property object shows that is not of the home."""
    own = identifier(home.get("zpid"))
    waiting: list[object] = [home.get(name) for name in _OF_OTHERS]
    found: set[str] = set()
    for _ in range(_MOST_VALUES):
        if not waiting:
            break
        value = waiting.pop()
        if isinstance(value, str):  # a URL; in resold feeds JSON in a text
            found.update(_KEY_IN_URL.findall(value))
        elif isinstance(value, list):
            waiting += value
        elif isinstance(value, dict) and (not own or _zpid(value) != own):
            waiting += value.values()
    return frozenset(found)


def has_renamed_list(home: JsonObject) -> bool:
    """Whether a list of photos stands there under another name."""
    return any(
        _key_of(entry) is not None
        for name, entries in home.items()
        if isinstance(entries, list) and name not in {*PHOTO_LISTS, *_OF_OTHERS}
        for entry in entries
    )


def _zpid(value: JsonObject) -> str | None:
    return identifier(value.get("zpid"))


def photo_of_key(key: object, *, position: int) -> PhotoRef | None:
    """Return a photo of which only the key is known: its sizes are the usual ones.

    None if *key* is no photo key.
    """
    if not isinstance(key, str) or not _KEY.fullmatch(key):
        return None
    first, *others = (
        f"https://{PHOTO_HOSTS[0]}/fp/{key}-{size}.jpg" for size in _SIZES
    )
    return PhotoRef(
        source=Source.ZILLOW,
        photo_key=key,
        url=first,
        position=position,
        fallback_urls=tuple(others),
    )


def _entries(value: object, *, what: str) -> list[Any]:
    if not isinstance(value, list):
        raise SourceChangedError(f"{what} is not a list")
    return value


def _told_by_key(entries: Iterable[Any]) -> dict[str, _Told]:
    told: dict[str, _Told] = {}
    for entry in entries:
        if key := _key_of(entry):
            photo = told.setdefault(key, _Told())
            photo.widths |= {u: w for u, v, w in _variants(entry) if v.key == key}
            photo.caption = photo.caption or text(entry.get("caption"))
            subject = text(entry.get("subjectType"))
            photo.tags = photo.tags or ((subject,) if subject else ())
    return told


def _key_of(entry: object) -> str | None:
    return next((variant.key for _, variant, _ in _variants(entry)), None)


def _variants(entry: object) -> Iterator[tuple[str, Variant, int]]:
    """Yield URL, variant and width in pixels of each JPEG of a list entry."""
    mixed = entry.get("mixedSources") if isinstance(entry, dict) else None
    sizes = mixed.get("jpeg") if isinstance(mixed, dict) else None
    for size in sizes if isinstance(sizes, list) else ():
        url = size.get("url") if isinstance(size, dict) else None
        if variant := variant_of(url):
            yield str(url), variant, whole(size.get("width")) or 0


def _photo(key: str, told: _Told, *, position: int) -> PhotoRef:
    # The stated widths are of the box a variant fits into, not of the picture, so the
    # photo itself gets no size.
    best, *others = sorted(told.widths, key=lambda url: _rank(url, told.widths[url]))
    return PhotoRef(
        source=Source.ZILLOW,
        photo_key=key,
        url=best,
        position=position,
        fallback_urls=tuple(others),
        caption=told.caption,
        tags=told.tags,
    )


def _rank(url: str, width: int) -> tuple[bool, int]:
    variant = variant_of(url)
    return (variant is None or not variant.is_full_frame, -width)
