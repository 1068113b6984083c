"""Asset `raw_images`: the original bytes. The work is in `stages.collect`."""

import asyncio

import dagster as dg

from phx_pipeline.defs.assets.discovered_urls import discovered_urls
from phx_pipeline.defs.failures import at_work
from phx_pipeline.defs.partitions import OWNERS, PROPERTIES
from phx_pipeline.defs.results import materialized
from phx_pipeline.defs.tags import requested_mode
from phx_pipeline.stages.collect import collect
from phx_pipeline.stages.context import StageContext


@dg.asset(
    deps=[discovered_urls],
    partitions_def=PROPERTIES,
    group_name="property",
    owners=OWNERS,
    kinds={"jpeg"},
)
def raw_images(
    context: dg.AssetExecutionContext, pipeline: dg.ResourceParam[StageContext]
) -> dg.MaterializeResult[None]:
    """Every listed photo at its best size, untouched, checked to be a picture."""
    with at_work(context, pipeline) as house:
        mode = requested_mode(context)
        report = asyncio.run(collect(pipeline, house.slug, mode=mode))
        return materialized(pipeline, house, asset="raw_images", did=report)
