"""What is left to do for a property, as its counts tell it."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from phx_pipeline.model.job import Mode
from phx_pipeline.model.source import Source
from phx_pipeline.model.tally import PropertyTally, SourceTally


def sources_due(
    tally: PropertyTally,
    *,
    among: Sequence[Source],
    mode: Mode,
    at: datetime,
    stale_days: int,
) -> tuple[Source, ...]:
    """The sources to ask: all when fresh, else those open or checked too long ago."""
    if mode is Mode.FRESH:
        return tuple(among)
    oldest = at - timedelta(days=stale_days)
    known = {source.source: source for source in tally.sources}
    return tuple(s for s in among if _is_due(known.get(s), oldest=oldest))


def has_work(tally: PropertyTally, *, due: Sequence[Source]) -> bool:
    """Whether a run would do anything: ask a source, fetch a photo, or publish."""
    wanting = any(source.wanting for source in tally.sources)
    unshown = not tally.is_published or tally.outdated > 0
    return bool(due) or wanting or unshown


def _is_due(tally: SourceTally | None, *, oldest: datetime) -> bool:
    if tally is None or tally.outcome is None or not tally.outcome.is_final:
        return True
    return tally.checked_at is None or tally.checked_at < oldest
