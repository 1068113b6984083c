"""The publication row: which file name a kept photo has, and keeps."""

from dataclasses import dataclass
from datetime import datetime

from phx_pipeline.model.photo import PhotoKey
from phx_pipeline.model.source import Source
from phx_pipeline.model.taxonomy import Location, Subject


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """One sequence number of one kind of picture in one property.

    A number belongs for ever to the photos it was first given to; an inactive row only
    keeps its number from being given away again.
    """

    slug: str
    location: Location
    subject: Subject
    sequence: int
    active: bool
    source: Source
    photo_key: str
    file_name: str
    sha256: str
    recipe: str
    processed_at: datetime
    run_id: str

    @property
    def number(self) -> tuple[Location, Subject, int]:
        """The primary key within the property."""
        return (self.location, self.subject, self.sequence)

    @property
    def holder(self) -> PhotoKey:
        """The photo the file shows."""
        return (self.source, self.photo_key)
