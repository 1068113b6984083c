"""All five stages of one property in one process, as `phx extract --sync` runs them."""

from collections.abc import Sequence

from phx_pipeline.model.job import Mode
from phx_pipeline.model.source import Source
from phx_pipeline.model.tally import PropertyTally
from phx_pipeline.stages.categorize import categorize
from phx_pipeline.stages.collect import collect
from phx_pipeline.stages.context import StageContext
from phx_pipeline.stages.dedupe import dedupe
from phx_pipeline.stages.discover import discover
from phx_pipeline.stages.partners import call_on
from phx_pipeline.stages.publish import publish
from phx_pipeline.stages.runs import recorded


async def extract(
    context: StageContext,
    slug: str,
    *,
    sources: Sequence[Source] | None = None,
    mode: Mode = Mode.FRESH,
) -> PropertyTally:
    """Run discover → collect → dedupe → categorize → publish; return the counts."""
    context.require_disk()
    with recorded(context, slug, mode=mode):
        await discover(context, slug, sources=sources, mode=mode)
        await collect(context, slug, mode=mode)
        call_on(context, dedupe(context, slug).to_settle)
        categorize(context, slug)
        publish(context, slug, ends_run=True)
    return context.tally(slug)
