"""Photos that may be of another house, and photos of two houses that agree.

What is held, and what lets a photo go, is decided in `stages.guard` and by people.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from phx_pipeline.model.ruling import PhotoRuling
from phx_pipeline.model.source import Source


class Reason(StrEnum):
    """Why a photo is held."""

    PHOTO_KEY = "photo_key"
    LISTING_ID = "listing_id"
    UPLOAD_DATE = "upload_date"
    PERSON = "person"


class Likeness(StrEnum):
    """In what two photos of two properties agree; the strongest that holds."""

    PHOTO_KEY = "photo_key"
    SAME_BYTES = "same_bytes"
    NEAR_IDENTICAL = "near_identical"


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class PhotoAt:
    """One photo of one property."""

    slug: str
    source: Source
    photo_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspicion:
    """Why a photo should be held; `detail` is one line for a person."""

    reason: Reason
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A photo that is or was held, or that a person ruled on."""

    photo: PhotoAt
    suspicion: Suspicion
    ruling: PhotoRuling
    first_seen_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookalike:
    """Two photos of two properties that agree; `one` comes first by slug.

    The distances are in bits of 64; None while the bytes of a side are missing.
    """

    one: PhotoAt
    other: PhotoAt
    likeness: Likeness
    phash_distance: int | None = None
    dhash_distance: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenLookalike:
    """A lookalike and when it was first seen."""

    pair: Lookalike
    first_seen_at: datetime
