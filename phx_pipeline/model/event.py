"""What changed at a house, as people tell it: price, status, facts, photos.

An event is derived from rows each time it is asked for and stored nowhere; how is in
`model.history`. The raw rows of `change` are in `model.change`.
"""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final

from phx_pipeline.model.source import Source


class EventKind(StrEnum):
    """What kind of thing changed."""

    PRICE_CUT = "price_cut"
    PRICE_RAISED = "price_raised"
    STATUS = "status"  # pending, sold, and every other word but those below
    BACK_ON_MARKET = "back_on_market"
    OFF_MARKET = "off_market"
    RELISTED = "relisted"  # under another listing number
    FACTS = "facts"
    PHOTOS_ADDED = "photos_added"
    PHOTOS_GONE = "photos_gone"
    PHOTOS_REPLACED = "photos_replaced"  # another picture under the same key
    GALLERY_CUT = "gallery_cut"  # most photos of a gallery left at once


NEW_MATCH: Final = "new_match"
"""Beside the kinds of events: a house that fits a saved search."""

ALERTABLE: Final = (*(kind.value for kind in EventKind), NEW_MATCH)
"""All that can be told at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One change of one house at one source on one day in Phoenix.

    `key` is stable and unique: by it nothing is told twice. `before` and `after` are
    words and numbers as people read them, `fact` is the name of the fact of `facts`.
    """

    key: str
    slug: str
    source: Source
    kind: EventKind
    on: date
    at: datetime
    before: str = ""
    after: str = ""
    fact: str = ""
    photo_keys: tuple[str, ...] = ()
