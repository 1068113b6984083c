"""Asking the sources without taking anything: what `phx extract --dry-run` shows."""

from collections.abc import Sequence
from contextlib import aclosing

from phx_pipeline.model.listing import Listing
from phx_pipeline.model.source import Source
from phx_pipeline.stages.context import StageContext


async def preview(
    context: StageContext, slug: str, *, sources: Sequence[Source] | None = None
) -> list[Listing]:
    """Ask each source for its listing; no photo is fetched, no row is written.

    Only what keeps us polite is noted: pace, Retry-After, circuit.
    """
    wanted = [s for s in context.sources if sources is None or s in sources]
    return [await _ask(context, slug, source) for source in wanted]


async def _ask(context: StageContext, slug: str, source: Source) -> Listing:
    async with aclosing(context.open_fetcher(slug)) as fetcher:
        house = context.house(slug)
        return await context.sources[source].discover(house, fetcher=fetcher)
