"""Asset `discovered_urls`: ask each source for the listing, record what it said."""

import asyncio
import logging
from collections.abc import Coroutine, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from phx_pipeline.catalog.leases import Lease
from phx_pipeline.model.job import Mode
from phx_pipeline.model.listing import Listing
from phx_pipeline.model.property import Property
from phx_pipeline.model.source import Source
from phx_pipeline.model.standing import Standing
from phx_pipeline.process import once_a_process
from phx_pipeline.sources.border import begun
from phx_pipeline.sources.standing import standing_of
from phx_pipeline.stages.blocked_pages import LastAnswer, keep_page
from phx_pipeline.stages.context import StageContext
from phx_pipeline.stages.guard import guard
from phx_pipeline.stages.inline import keep_inline
from phx_pipeline.stages.partners import call_on_partners, converge
from phx_pipeline.stages.plan import sources_due

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscoverReport:
    """What one run of the stage did: sources asked, of them final, photos listed.

    `called` counts houses that get a run because they share photos with this one.
    """

    asked: int
    final: int
    listed: int
    called: int


async def discover(
    context: StageContext,
    slug: str,
    *,
    sources: Sequence[Source] | None = None,
    mode: Mode = Mode.FRESH,
    at_once: bool = False,
) -> DiscoverReport:
    """Ask *sources* (all enabled by default), one after the other or *at_once*.

    In mode resume only those that are open or stale are asked.

    Each answer is committed as it comes: a kill loses at most the one under way.
    """
    house = context.house(slug)
    among = [s for s in context.sources if sources is None or s in sources]
    wanted = among if mode is Mode.FRESH else _due(context, slug, among)
    with context.holding(slug) as lease:
        questions = [_ask(context, house, lease, source) for source in wanted]
        found = await (_together if at_once else _in_turn)(questions)
        held = guard(context, lease, slug)
    if held or any(listing.withdrawn for listing in found):
        converge(context, slug)
    return DiscoverReport(
        asked=len(found),
        final=sum(listing.outcome.is_settled for listing in found),
        listed=sum(len(listing.photos) for listing in found),
        called=len(call_on_partners(context, slug)),
    )


async def _in_turn(questions: Sequence[Coroutine[Any, Any, Listing]]) -> list[Listing]:
    try:
        return [await question for question in questions]
    finally:  # after a failure some were never begun
        for question in questions:
            question.close()


async def _together(
    questions: Sequence[Coroutine[Any, Any, Listing]],
) -> list[Listing]:
    """Wait for all; if one fails, none goes on behind the lease's back."""
    tasks = [asyncio.create_task(question) for question in questions]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _due(context: StageContext, slug: str, among: Sequence[Source]) -> Sequence[Source]:
    return sources_due(
        context.tally(slug),
        among=among,
        mode=Mode.RESUME,
        at=context.stamp().at,
        stale_days=context.stale_days,
        off=context.catalog.policies.switched_off(),
        lacking=context.lacking,
    )


async def _ask(
    context: StageContext,
    house: Property,
    lease: Lease,
    source: Source,
) -> Listing:
    # A fetcher for each: it may hold the source's only browser until it is closed.
    async with aclosing(context.open_fetcher(house.slug)) as fetcher:
        watched = LastAnswer(fetcher)
        listing = await context.sources[source].discover(house, fetcher=watched)
    stamp = context.stamp()
    listing = begun(listing, today=stamp.today)
    keep_inline(context.blobs, listing)
    context.catalog.record_listing(lease, house.slug, listing, stamp=stamp)
    scrub = context.sources[source].scrubbed
    keep_page(
        context.layout, house.slug, listing, watched.page, scrub=scrub, at=stamp.at
    )
    _tell(house, listing, standing=standing_of(context.sources[source], is_named=True))
    return listing


def _tell(house: Property, listing: Listing, *, standing: Standing) -> None:
    """Log how a source ended; what this machine lacks is the same for all houses."""
    name, detail = listing.source.value, listing.detail
    if standing.told:
        _tell_once(name, standing.sentence)
    told = f" ({detail})" if detail and detail != standing.told else ""
    logger.info("%s %s: %s%s", house.slug, name, listing.outcome.value, told)


@once_a_process
def _tell_once(name: str, sentence: str) -> None:
    logger.info("%s is %s", name, sentence)
