"""What one source said about one property."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from phx_pipeline.model.facts import ListingFacts
from phx_pipeline.model.outcome import ListingOutcome
from phx_pipeline.model.photo import PhotoRef
from phx_pipeline.model.source import Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """The answer of a source: an outcome, and the gallery when one was seen.

    `photos` is the gallery in order, only photos bound to this listing. `complete` is
    true only if the whole gallery was seen (the stated count agrees). `detail` is one
    line for a person: why it ended so. `challenged` marks a full payload delivered
    under a challenge: it may be used, but the source must not be asked again soon.
    `facts` are what it says of the house itself. `inline` are the bytes, by photo key,
    of photos that came inside the answer; whatever URL they have is replaced.
    """

    source: Source
    outcome: ListingOutcome
    detail: str = ""
    listing_id: str | None = None
    mls_id: str | None = None
    url: str | None = None
    listed_on: date | None = None
    photos: tuple[PhotoRef, ...] = field(default=())
    complete: bool = False
    challenged: bool = False
    facts: ListingFacts | None = None
    inline: Mapping[str, bytes] = field(default_factory=dict, repr=False, hash=False)
