"""What people ruled: one judgement, and what there are judgements about."""

import string
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final
from urllib.parse import quote, unquote

from phx_pipeline.model.photo import PhotoKey
from phx_pipeline.model.source import Source
from phx_pipeline.model.taxonomy import Location, Subject


class About(StrEnum):
    """What a ruling is about, and so what its key and value mean.

    `PHOTO`: whether a photo is of its house; the key is the photo's, the value a
    `PhotoRuling`. `SPELLING`: whether an address a site shows is that of the house; the
    key is the site's spelling, the value a `SpellingRuling`. `COPIES`: whether two
    photos are of one picture; the key names both (`couple_key`), the value is a
    `CopyRuling`. `CATEGORY`: what the picture of a photo shows; the key is the photo's,
    the value a `category_value`, or `TAKEN_BACK`.
    """

    PHOTO = "photo"
    SPELLING = "spelling"
    COPIES = "copies"
    CATEGORY = "category"

    @property
    def values(self) -> frozenset[str]:
        """What may be ruled."""
        return _VALUES[self]


class PhotoRuling(StrEnum):
    """Whether a photo is of its house; `OPEN`: nobody ruled, or it was taken back."""

    OPEN = "open"
    RELEASED = "released"
    DROPPED = "dropped"


class SpellingRuling(StrEnum):
    """Whether a site's spelling of an address means the house."""

    SAME = "same"
    OTHER = "other"


class CopyRuling(StrEnum):
    """Whether two photos are of one picture; `OPEN`: a ruling was taken back."""

    OPEN = "open"
    SAME = "same"
    OTHER = "other"


TAKEN_BACK: Final = "open"
"""The value that says of any ruling that it counts no more."""


def category_value(location: Location, subject: Subject) -> str:
    """Return the value of a ruling that a picture shows this."""
    return f"{location.value}/{subject.value}"


def category_in(value: str) -> tuple[Location, Subject] | None:
    """Return what a `category_value` says; None if it was taken back.

    So is one that another version wrote, and that nobody can read here.
    """
    return _CATEGORIES.get(value)


_CATEGORIES: Final = {
    category_value(location, subject): (location, subject)
    for location in Location
    for subject in Subject
    if subject is not Subject.UNKNOWN and subject.may_be(location)
}

_VALUES: Final = {
    About.PHOTO: frozenset(map(str, PhotoRuling)),
    About.SPELLING: frozenset(map(str, SpellingRuling)),
    About.COPIES: frozenset(map(str, CopyRuling)),
    About.CATEGORY: frozenset({TAKEN_BACK, *_CATEGORIES}),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """One judgement of a person, never changed: a newer one counts in its place.

    `id` is a UUID, the same in every catalogue the ruling was brought to; `at` in UTC.
    What it judges is (`about`, `slug`, `source`, `key`); `source` is None where the
    judgement holds for every source.
    """

    id: str
    at: datetime
    who: str
    about: About
    slug: str
    source: Source | None
    key: str
    value: str
    why: str = ""

    @property
    def order(self) -> tuple[datetime, str]:
        """By time; the id decides between rulings of one moment."""
        return (self.at, self.id)


_PLAIN: Final = "".join(set(string.punctuation) - {"%"})


def couple_key(one: PhotoKey, other: PhotoKey) -> str:
    """Return the key of a ruling on two photos, whichever is named first.

    `redfin/KEY zillow/KEY`, where a space in a key is %20 and a % is %25.
    """
    sides = sorted((source.value, key) for source, key in (one, other))
    return " ".join(f"{source}/{quote(key, safe=_PLAIN)}" for source, key in sides)


def couple_in(text: str) -> tuple[PhotoKey, PhotoKey]:
    """Return the two photos of a `couple_key`, or of one the other way round.

    They come in the order of the key. `ValueError`: it names no two photos.
    """
    photos = tuple(map(_photo_in, text.split(" ")))
    match photos:
        case (one, other) if one != other:
            right, swapped = couple_key(one, other), " ".join(text.split(" ")[::-1])
            if right == text:
                return one, other
            if right == swapped:
                return other, one
    raise ValueError(f"{text!r} does not name two photos as rulings do")


def _photo_in(text: str) -> PhotoKey:
    source, _, key = text.partition("/")
    return Source(source), unquote(key)
