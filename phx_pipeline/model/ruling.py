"""What people ruled: one judgement, and what there are judgements about."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from phx_pipeline.model.source import Source


class About(StrEnum):
    """What a ruling is about, and so what its key and value mean.

    `PHOTO`: whether a photo is of its house; the key is the photo's, the value a
    `PhotoRuling`. `SPELLING`: whether an address a site shows is that of the house; the
    key is the site's spelling, the value a `SpellingRuling`.
    """

    PHOTO = "photo"
    SPELLING = "spelling"

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


_VALUES: Final = {
    About.PHOTO: frozenset(map(str, PhotoRuling)),
    About.SPELLING: frozenset(map(str, SpellingRuling)),
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
