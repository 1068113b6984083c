"""What is asked of published pictures of many houses, and what is found."""

from dataclasses import dataclass
from datetime import date

from phx_pipeline.model.published import PublishedImage
from phx_pipeline.model.source import Source
from phx_pipeline.model.taxonomy import Location, Subject


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is asked of a picture; what is None, or 0, is not.

    `source` is where the shown copy is from, `min_confidence` in percent. `since` is
    the first day on which the first of its copies may have been seen.
    """

    location: Location | None = None
    subject: Subject | None = None
    min_confidence: int = 0
    source: Source | None = None
    since: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundImage:
    """A published picture, whose it is, and when the first of its copies was seen.

    `probability` is that of its category; 0 where it has none now. `is_shown` tells
    whether any source shows any copy of it, as last known: its gallery does, and its
    listing is not over. `last_seen_on` is the last day on which one was seen in a whole
    gallery; None if that was never noted.
    """

    slug: str
    image: PublishedImage
    first_seen_on: date
    probability: float
    is_shown: bool
    last_seen_on: date | None
