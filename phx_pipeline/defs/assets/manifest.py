"""Asset `manifest`: named files and the JSON views. The work is in `stages.publish`."""

import dagster as dg

from phx_pipeline.defs.assets.categorized_images import categorized_images
from phx_pipeline.defs.checks import MANIFEST_CHECKS, results
from phx_pipeline.defs.failures import at_work
from phx_pipeline.defs.partitions import OWNERS, PROPERTIES
from phx_pipeline.defs.results import materialized, nothing_found
from phx_pipeline.defs.sheets import sheet_of
from phx_pipeline.stages.context import StageContext
from phx_pipeline.stages.publish import publish


@dg.asset(
    deps=[categorized_images],
    partitions_def=PROPERTIES,
    group_name="property",
    owners=OWNERS,
    check_specs=MANIFEST_CHECKS,
    kinds={"json"},
)
def manifest(
    context: dg.AssetExecutionContext, pipeline: dg.ResourceParam[StageContext]
) -> dg.MaterializeResult:  # type: ignore[type-arg]  # beside check_specs Dagster knows only the bare class
    """The property's folder and the manifest, as the catalogue says they should be."""
    with at_work(context, pipeline) as house:
        slug = house.slug
        report = publish(pipeline, slug, ends_run=True)
        if not pipeline.tally(slug).gave_anything:
            raise nothing_found(pipeline, house)
        sheet = sheet_of(context, pipeline, slug)
        return materialized(
            pipeline,
            house,
            asset="manifest",
            did=report,
            more=sheet.metadata,
            tags=sheet.tags,
            checks=results(pipeline, slug),
        )
