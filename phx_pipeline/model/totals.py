"""How much a whole catalogue holds."""

from collections.abc import Mapping
from dataclasses import dataclass

from phx_pipeline.model.outcome import VerdictKind
from phx_pipeline.model.quarantine import Likeness
from phx_pipeline.model.source import Source


@dataclass(frozen=True, slots=True, kw_only=True)
class PhotoTotals:
    """Photos in the five bins, and how many properties they are of."""

    properties: int
    counts: Mapping[VerdictKind, int]

    @property
    def discovered(self) -> int:
        """All photos ever listed."""
        return sum(self.counts.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    """Totals of the catalogue.

    `hashes` counts different bytes, `distinct_phashes` different pHashes of them;
    `alike` counts pairs of photos of two properties that the lookup found.
    """

    properties: int
    removed: int
    photos: PhotoTotals
    by_source: Mapping[Source, PhotoTotals]
    hashes: int
    distinct_phashes: int
    alike: Mapping[Likeness, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenJobs:
    """Jobs that have not ended; of their properties those that wait, and the others."""

    jobs: int = 0
    waiting: int = 0
    under_way: int = 0
