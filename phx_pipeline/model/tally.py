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
        """Whether every source is settled, and folder and views show the result.

        One without pictures of which no source could be asked is not.
        """
        settled = self.gave_anything and all(it.is_settled for it in self.sources)
        return settled and self.is_published and not self.outdated

    @property
    def is_answered(self) -> bool:
        """Whether a source gave a final answer, or has pictures here and is off."""
        outcomes = {tally.outcome for tally in self.sources if tally.outcome}
        is_off = ListingOutcome.DISABLED in outcomes and self._has_pictures
        return is_off or any(outcome.is_final for outcome in outcomes)

    @property
    def gave_anything(self) -> bool:
        """Whether a run that ended so brought the property to what it should be.

        A source that could not be asked gives nothing to a property without pictures.
        """
        settled = (it for it in self.sources if it.is_settled)
        is_told = any(it.outcome is not ListingOutcome.DISABLED for it in settled)
        return is_told or (self.is_answered and self._has_pictures)

    @property
    def _has_pictures(self) -> bool:
        return self.count(VerdictKind.KEPT) > 0

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
