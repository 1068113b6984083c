"""The catalogue's counts of houses, by source, as the settings would have them."""

from collections.abc import Collection, Sequence

from phx_pipeline.model.source import Source
from phx_pipeline.model.tally import PropertyTally
from phx_pipeline.reads.base import Reads


def tallies(
    reads: Reads,
    sources: Sequence[Source] = (),
    *,
    slugs: Collection[str] | None = None,
) -> list[PropertyTally]:
    """Return the counts of *slugs* (default all) and *sources* (enabled), by key."""
    return reads.catalog.tallies(
        tuple(sources or reads.enabled),
        slugs=slugs,
        recipe=reads.recipe,
        final_after_days=reads.final_after_days,
    )
