"""Counts of one property and source; they add up by construction."""

from dataclasses import dataclass, field
from datetime import date, datetime

from phx_pipeline.model.outcome import ListingOutcome, VerdictKind
from phx_pipeline.model.source import Source


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceTally:
    """What one source gave for one property.

    `outcome` is None while the source was never asked, `checked_at` also while it was
    not asked since the property was renamed. `wanting` counts photos a later run would
    ask for; of them `faulted` gave no picture so far, last on `faulted_on`, and `fault`
    is the verdict and detail of one of these.
    """

    slug: str
    source: Source
    outcome: ListingOutcome | None = None
    detail: str = ""
    checked_at: datetime | None = None
    counts: dict[VerdictKind, int] = field(default_factory=dict)
    wanting: int = 0
    faulted: int = 0
    faulted_on: date | None = None
    fault: str = ""

    def count(self, kind: VerdictKind) -> int:
        """Photos in one bin."""
        return self.counts.get(kind, 0)

    @property
    def discovered(self) -> int:
        """All photos the source ever listed for the property."""
        return sum(self.counts.values())

    @property
    def is_settled(self) -> bool:
        """Whether nothing is left to ask the source for, and no photo to fetch."""
        return self.outcome is not None and self.outcome.is_settled and not self.wanting


@dataclass(frozen=True, slots=True, kw_only=True)
class PropertyTally:
    """All sources of one property.

    `is_published` is false when a stage has begun since the last publication that came
    to its end: a run was killed, or is under way. `outdated` counts published files
    that were made by another recipe than the settings ask for.
    """

    slug: str
    sources: tuple[SourceTally, ...]
    is_published: bool = True
    outdated: int = 0

    @property
    def is_complete(self) -> bool:
        """Whether every source is settled, and folder and views show the result."""
        settled = bool(self.sources) and all(tally.is_settled for tally in self.sources)
        return settled and self.is_published and not self.outdated

    @property
    def gave_anything(self) -> bool:
        """Whether any source ended as it should, or was switched off."""
        return any(
            tally.outcome is not None and tally.outcome.is_settled
            for tally in self.sources
        )

    @property
    def is_unknown(self) -> bool:
        """Whether every source that was asked says it has no such house, ever."""
        told = {tally.outcome for tally in self.sources} - {ListingOutcome.DISABLED}
        return told == {ListingOutcome.NOT_FOUND} and not self.discovered

    def count(self, kind: VerdictKind) -> int:
        """Photos in one bin, over all sources."""
        return sum(tally.count(kind) for tally in self.sources)

    @property
    def discovered(self) -> int:
        """All photos ever listed."""
        return sum(tally.discovered for tally in self.sources)


def tally_counts(tally: PropertyTally) -> dict[str, int]:
    """All counts of a property by name; discovered is the sum of the others."""
    return {
        "discovered": tally.discovered,
        **{kind.value: tally.count(kind) for kind in VerdictKind},
    }
