"""One thing that changed, as it is noted when it is written: rows of `change`.

What people are told of it is a `model.event.Event`.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from phx_pipeline.model.source import Source

LONGEST: Final = 32
"""Characters that a column holds of what was there before, or after."""
_CUT: Final = "…"


class What(StrEnum):
    """What changed: of a photo, a source's answer, a listing or its gallery.

    `photo_key` names the photo; of `FACT` it is the name of the fact, of a source or a
    listing it is empty.
    """

    VERDICT = "verdict"
    PRESENT = "present"
    OUTCOME = "outcome"
    ADDED = "added"  # a photo that was in no gallery before, once one was seen whole
    PICTURE = "picture"  # another picture under the same key: parts of two hashes
    SIZE = "size"  # other bytes of the same picture: two sizes in pixels
    GALLERY = "gallery"  # how many photos are present
    PRICE = "price"  # dollars
    MARKET = "market"  # a word of `model.market`
    FACT = "fact"
    NUMBER = "number"  # of the listing


RAW: Final = (What.VERDICT, What.PRESENT, What.OUTCOME)
"""What the document `change` tells."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NotedChange:
    """One row of `change`; `photo_key` is empty where a source's outcome changed.

    `id` rises with time; `before` and `after` are words of what changed.
    """

    id: int
    slug: str
    source: Source
    photo_key: str
    what: str
    before: str
    after: str
    at: datetime
    run_id: str


def bounded(before: str, after: str) -> tuple[str, str]:
    """Return two texts as a row can hold them, so that they still differ.

    Of long ones a part is shown that begins shortly before the first difference.
    """
    if max(len(before), len(after)) <= LONGEST:
        return before, after
    pairs = enumerate(zip(before, after, strict=False))
    shorter = min(len(before), len(after))
    first = next((at for at, (one, other) in pairs if one != other), shorter)
    start = max(0, first - LONGEST // 2)
    return _part(before, start), _part(after, start)


def _part(text: str, start: int) -> str:
    shown = _CUT * (start > 0) + text[start:]
    return shown if len(shown) <= LONGEST else shown[: LONGEST - 1] + _CUT


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Of which changes is read: of one property or all that are followed, and so on.

    `source` None stands for all.
    """

    what: Collection[What]
    slug: str | None = None
    source: Source | None = None
