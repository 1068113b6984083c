"""Asset `deduped_images`: one picture per scene. The work is in `stages.dedupe`."""

import dagster as dg

from phx_pipeline.defs.assets.raw_images import raw_images
from phx_pipeline.defs.failures import at_work
from phx_pipeline.defs.partitions import OWNERS, PROPERTIES
from phx_pipeline.defs.results import materialized
from phx_pipeline.stages.context import StageContext
from phx_pipeline.stages.dedupe import dedupe
from phx_pipeline.stages.partners import call_on


@dg.asset(
    deps=[raw_images],
    partitions_def=PROPERTIES,
    group_name="property",
    owners=OWNERS,
    kinds={"numpy"},
)
def deduped_images(
    context: dg.AssetExecutionContext, pipeline: dg.ResourceParam[StageContext]
) -> dg.MaterializeResult[None]:
    """Which photos show the same picture, and the best copy of each as PNG."""
    with at_work(context, pipeline) as house:
        report = dedupe(pipeline, house.slug)
        call_on(pipeline, report.to_settle)
        return materialized(pipeline, house, asset="deduped_images", did=report)
