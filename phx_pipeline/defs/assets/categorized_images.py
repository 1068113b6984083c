"""Asset `categorized_images`: what is shown. The work is in `stages.categorize`."""

import dagster as dg

from phx_pipeline.defs.assets.deduped_images import deduped_images
from phx_pipeline.defs.failures import at_work
from phx_pipeline.defs.partitions import OWNERS, PROPERTIES
from phx_pipeline.defs.results import materialized
from phx_pipeline.stages.categorize import categorize
from phx_pipeline.stages.context import StageContext
from phx_pipeline.stages.report import inert


@dg.asset(
    deps=[deduped_images],
    partitions_def=PROPERTIES,
    group_name="property",
    owners=OWNERS,
    kinds={"python"},
)
def categorized_images(
    context: dg.AssetExecutionContext, pipeline: dg.ResourceParam[StageContext]
) -> dg.MaterializeResult[None]:
    """Location, subject and confidence of every kept picture."""
    with at_work(context, pipeline) as house:
        report = categorize(pipeline, house.slug)
        return materialized(
            pipeline,
            house,
            asset="categorized_images",
            did=report,
            more={
                **{f"voted/{name}": count for name, count in report.voted.items()},
                **{
                    f"missing/{name}": inert(reason)
                    for name, reason in pipeline.lacks_categorizers.items()
                },
            },
        )
