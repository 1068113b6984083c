"""Asking the sources without taking anything: what `phx extract --dry-run` shows."""

from collections.abc import Sequence

from phx_pipeline.model.listing import Listing
from phx_pipeline.model.source import Source
from phx_pipeline.stages.context import StageContext


async def preview(
    context: StageContext, slug: str, *, sources: Sequence[Source] | None = None
) -> list[Listing]:
    """Ask each source for its listing; no photo is fetched, no row is written.

    Only what keeps us polite is noted: pace, Retry-After, circuit.
    """
    house = context.house(slug)
    wanted = [s for s in context.sources if sources is None or s in sources]
    fetcher = context.open_fetcher(slug)
    try:
        return [
            await context.sources[source].discover(house, fetcher=fetcher)
            for source in wanted
        ]
    finally:
        await fetcher.aclose()
