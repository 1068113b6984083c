"""One thing that changed: the verdict or presence of a photo, or a source's outcome."""

from dataclasses import dataclass
from datetime import datetime

from phx_pipeline.model.source import Source


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
