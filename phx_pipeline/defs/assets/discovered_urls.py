"""Asset `discovered_urls`: what each source lists. The work is in `stages.discover`."""

import asyncio

import dagster as dg

from phx_pipeline.defs.checks import DISCOVERED_CHECKS, discovered
from phx_pipeline.defs.failures import at_work
from phx_pipeline.defs.partitions import OWNERS, PROPERTIES
from phx_pipeline.defs.results import materialized
from phx_pipeline.defs.tags import requested_mode, requested_sources
from phx_pipeline.stages.context import StageContext
from phx_pipeline.stages.discover import discover


@dg.asset(
    partitions_def=PROPERTIES,
    group_name="property",
    owners=OWNERS,
    check_specs=DISCOVERED_CHECKS,
    kinds={"http"},
)
def discovered_urls(
    context: dg.AssetExecutionContext, pipeline: dg.ResourceParam[StageContext]
) -> dg.MaterializeResult:  # type: ignore[type-arg]  # beside check_specs Dagster knows only the bare class
    """The listing of the property on each source, and the photo URLs bound to it."""
    with at_work(context, pipeline) as house:
        sources, mode = requested_sources(context), requested_mode(context)
        report = asyncio.run(discover(pipeline, house.slug, sources=sources, mode=mode))
        return materialized(
            pipeline,
            house,
            asset="discovered_urls",
            did=report,
            checks=discovered(pipeline, house.slug),
        )
