"""Everything that follows from rows and originals, made again; no request."""

from phx_pipeline.stages.categorize import categorize
from phx_pipeline.stages.context import StageContext
from phx_pipeline.stages.dedupe import dedupe
from phx_pipeline.stages.partners import call_on
from phx_pipeline.stages.publish import PublishReport, publish


def rebuild(context: StageContext, slug: str) -> PublishReport:
    """Count, decide, standardize, categorize and publish *slug* anew.

    The PNGs are made of the stored originals where they are missing, or are of another
    recipe than the settings ask for.
    """
    with context.holding(slug) as lease:
        context.catalog.door.recount(lease, slug)
    call_on(context, dedupe(context, slug).to_settle)
    categorize(context, slug)
    return publish(context, slug)
