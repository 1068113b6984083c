"""What one source said about one property."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from phx_pipeline.model.facts import ListingFacts
from phx_pipeline.model.outcome import ListingOutcome
from phx_pipeline.model.photo import PhotoRef
from phx_pipeline.model.source import Source
from phx_pipeline.model.valuation import Valuation

EVERY_PHOTO: Final = "*"
"""In `Listing.withdrawn` in place of a key: all that the answer does not show."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """The answer of a source: an outcome, and the gallery when one was seen.

    `photos` is the gallery in order, only photos bound to this listing. `complete` is
    true only if the whole gallery was seen (the stated count agrees). `detail` is one
    line for a person: why it ended so. `challenged` marks a full payload delivered
    under a challenge: it may be used, but the source must not be asked again soon.
    `facts` are what it says of the house itself. `inline` are the bytes, by photo key,
    of photos that came inside the answer; whatever URL they have is replaced.
    `withdrawn` are the photos, by key, that the source's licence does not let us hold
    any more, each with the reason: their bytes are deleted.
    `valuations` are an assessor's, by tax year.

    What fields the pages of a source hold is counted (`model.drift`). For that:
    `page_kind` tells which of its pages was read, where a source has several that hold
    different fields, such as `detail` and `search row`; `stated_photos` how many photos
    the page says there are; and `also_read` whether it had what no other field shows,
    by a name of the source's choice, such as `{"largest photos": True}`.
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
    withdrawn: Mapping[str, str] = field(default_factory=dict, hash=False)
    valuations: tuple[Valuation, ...] = ()
    page_kind: str = ""
    stated_photos: int | None = None
    also_read: Mapping[str, bool] = field(default_factory=dict, hash=False)
