"""Asset `discovered_urls`: ask each source for the listing, record what it said."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from phx_pipeline.catalog.leases import Lease
from phx_pipeline.fetch.base import Fetcher
from phx_pipeline.model.listing import Listing
from phx_pipeline.model.property import Property
from phx_pipeline.model.source import Source
from phx_pipeline.stages.context import StageContext

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscoverReport:
    """What one run of the stage did: sources asked, of them final, photos listed."""

    asked: int
    final: int
    listed: int


async def discover(
    context: StageContext, slug: str, *, sources: Sequence[Source] | None = None
) -> DiscoverReport:
    """Ask *sources* (all enabled by default), one after the other.

    Each answer is committed as it comes: a kill loses at most the one under way.
    """
    house = context.house(slug)
    wanted = [s for s in context.sources if sources is None or s in sources]
    fetcher = context.open_fetcher()
    try:
        with context.holding(slug) as lease:
            found = [
                await _ask(context, house, lease, fetcher, source) for source in wanted
            ]
    finally:
        await fetcher.aclose()
    return DiscoverReport(
        asked=len(found),
        final=sum(listing.outcome.is_final for listing in found),
        listed=sum(len(listing.photos) for listing in found),
    )


async def _ask(
    context: StageContext,
    house: Property,
    lease: Lease,
    fetcher: Fetcher,
    source: Source,
) -> Listing:
    listing = await context.sources[source].discover(house, fetcher=fetcher)
    context.catalog.record_listing(lease, house.slug, listing, stamp=context.stamp())
    logger.info(
        "%s %s: %s, %d photos %s",
        house.slug,
        source.value,
        listing.outcome.value,
        len(listing.photos),
        listing.detail,
    )
    return listing
