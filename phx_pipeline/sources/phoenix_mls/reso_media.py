"""The media of a RESO record: which of them are photos that we may hold and show."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from phx_pipeline.model.photo import PhotoRef
from phx_pipeline.model.reso import ImageOf, MediaCategory, word_of
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
from phx_pipeline.sources.phoenix_mls.photos import photo_at
from phx_pipeline.sources.stated import (
    identifier,
    members_of_any,
    only,
    pixels,
    text,
    whole,
)

_PICTURES = frozenset({MediaCategory.PHOTO, MediaCategory.FLOOR_PLAN})
_KEY = re.compile(r"20\d{24}", re.ASCII)
_LAST = 2**31
_OF_MEDIUM = ("MediaCategory", "Permission", "Order", "ImageOf", "ShortDescription")


def media_of(entries: Sequence[object], *, record_key: str) -> Media:
    """Read the entries of `Media`.

    Only what says that all may see it is shown. What says otherwise is withdrawn; what
    says nothing that is understood is left out, for silence deletes nothing.

    Args:
        entries: as decoded from JSON.
        record_key: the `ListingKey` of the record; media of others, or of another
            resource such as a member, are not its.
    """
    shown: list[tuple[int, PhotoRef]] = []
    withdrawn: dict[str, str] = {}
    left_out: Counter[str] = Counter()
    for entry in entries:
        if not isinstance(entry, dict):
            left_out[UNREADABLE] += 1
        elif _is_of_another(entry, record_key=record_key):
            left_out["of another record"] += 1
        elif not _is_other(entry):
            photo = _photo(entry)
            key = photo.photo_key if photo else _key_of(entry)
            if (why := denied(entry)) and key:
                withdrawn[key] = why
            elif photo and not (fault := _fault(entry)):
                shown.append((_order(entry), photo))
            else:
                left_out[fault if photo else _misplaced(entry)] += 1
    return Media(
        photos=_in_order(shown, but=withdrawn),
        withdrawn=withdrawn,
        left_out=left_out,
        also_read=members_of_any(entries, _OF_MEDIUM),
    )


def _is_other(entry: JsonObject) -> bool:
    """Whether it says that it is something else than a photo or a plan."""
    kind = word_of(MediaCategory, _category(entry))
    return kind is not None and kind not in _PICTURES


def _category(entry: JsonObject) -> str:
    return text(only(entry.get("MediaCategory")))


def _is_of_another(entry: JsonObject, *, record_key: str) -> bool:
    """Whether it says that it is of a person, an office, or another listing."""
    kind = text(only(entry.get("ResourceName")))
    if kind and kind.lower() != "property":
        return True
    owner = identifier(entry.get("ResourceRecordKey"))
    return owner is not None and owner != record_key


def _photo(entry: JsonObject) -> PhotoRef | None:
    photo = photo_at(text(entry.get("MediaURL")), position=0)
    return photo and replace(
        photo,
        caption=text(entry.get("ShortDescription")),
        tags=_tags(entry),
        width=pixels(entry.get("ImageWidth")),
        height=pixels(entry.get("ImageHeight")),
    )


def _misplaced(entry: JsonObject) -> str:
    return ELSEWHERE if text(entry.get("MediaURL")) else UNREADABLE


def _fault(entry: JsonObject) -> str:
    """Return why a photo that nobody denies us is not taken; empty if it is."""
    category = _category(entry)
    if category and word_of(MediaCategory, category) is None:
        return "of an unknown kind"
    if is_shown_to_all(entry):
        return ""
    return "without a word on permission" if is_silent(entry) else UNKNOWN_WORDS


def _key_of(entry: JsonObject) -> str | None:
    """The photo's id, where the feed gives no address of what it holds back."""
    said = (identifier(entry.get(name)) or "" for name in ("MediaObjectID", "MediaKey"))
    return next((key for key in said if _KEY.fullmatch(key)), None)


def _tags(entry: JsonObject) -> tuple[str, ...]:
    category = word_of(MediaCategory, _category(entry))
    said = text(only(entry.get("ImageOf")))
    shows = word_of(ImageOf, said) or said
    plan = str(ImageOf.FLOOR_PLAN) if category is MediaCategory.FLOOR_PLAN else ""
    return tuple(dict.fromkeys(str(tag) for tag in (plan, shows) if tag))


def _order(entry: JsonObject) -> int:
    stated = whole(entry.get("Order"))
    return _LAST if stated is None else stated


def _in_order(
    shown: Iterable[tuple[int, PhotoRef]], *, but: Mapping[str, str]
) -> tuple[PhotoRef, ...]:
    """Number the photos in their order, each key once; equal ones as they came."""
    once: dict[str, PhotoRef] = {}
    for _, photo in sorted(shown, key=lambda it: it[0]):
        once.setdefault(photo.photo_key, photo)
    first = [photo for key, photo in once.items() if key not in but]
    return tuple(replace(photo, position=at) for at, photo in enumerate(first))
