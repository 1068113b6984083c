"""The `Categorizer` seam: evidence in, a vote or an abstention out."""

from dataclasses import dataclass
from typing import Protocol

from phx_pipeline.model.source import Source
from phx_pipeline.model.taxonomy import Location, Subject


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What is known of one photo before naming it."""

    source: Source
    photo_key: str
    position: int
    caption: str
    tags: tuple[str, ...]
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Vote:
    """One backend's opinion; `confidence` 0..1, already capped to what it may claim.

    A vote for `unknown` tells where the picture is, and not what it shows.
    """

    backend: str
    location: Location
    subject: Subject
    confidence: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Abstention:
    """A backend that cannot tell, and why."""

    backend: str
    reason: str


class Categorizer(Protocol):
    """One way to tell what photos show."""

    name: str
    version: str
    knows: frozenset[Subject]

    def categorize(self, photos: list[Evidence]) -> list[Vote | Abstention]:
        """Return one vote or abstention per photo, in the same order.

        The list holds all photos of one listing, so a backend may judge a caption by
        how often it repeats.
        """
        ...
