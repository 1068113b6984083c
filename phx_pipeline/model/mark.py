"""What a photo tells of where it comes from, to be held against its gallery."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """What a photo's key or URL tells; None what it leaves out.

    `listing` is the MLS id it is filed under, `owner` the data source (MLS) that gave
    it, `uploaded` the day it was put there.
    """

    listing: str | None = None
    owner: str | None = None
    uploaded: date | None = None
