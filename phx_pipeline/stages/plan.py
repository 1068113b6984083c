"""What is left to do for a property, as its counts tell it."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from phx_pipeline.model.due import is_source_due
from phx_pipeline.model.job import Mode
from phx_pipeline.model.source import Source
from phx_pipeline.model.tally import PropertyTally


def sources_due(
    tally: PropertyTally,
    *,
    among: Sequence[Source],
    mode: Mode,
    at: datetime,
    stale_days: int,
    off: Collection[Source],
    lacking: Collection[Source] = (),
) -> tuple[Source, ...]:
    """The sources to ask: all when fresh, else those that are due.

    Args:
        tally: the counts of the property.
        among: the sources that may be asked.
        mode: fresh or resume.
        at: now.
        stale_days: how many days a final answer counts.
        off: the sources the user has switched off.
        lacking: those that cannot be asked here for want of something.
    """
    if mode is Mode.FRESH:
        return tuple(among)
    oldest = at - timedelta(days=stale_days)
    known = {source.source: source for source in tally.sources}
    return tuple(
        source
        for source in among
        if is_source_due(
            known.get(source),
            oldest=oldest,
            now=at,
            is_off=source in off,
            is_lacking=source in lacking,
        )
    )


def has_work(
    tally: PropertyTally, *, due: Sequence[Source], off: Collection[Source]
) -> bool:
    """Whether a run would do anything: ask a source, fetch a photo, or publish.

    Photos of a source that is switched *off* wait until it is on.
    """
    wanting = any(it.wanting for it in tally.sources if it.source not in off)
    unshown = not tally.is_published or tally.outdated > 0
    return bool(due) or wanting or unshown
