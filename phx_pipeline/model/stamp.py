"""When and by which run a fact is written."""

from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """When and by which run a fact is written; `today` is the date in Phoenix."""

    at: datetime
    today: date
    run_id: str
