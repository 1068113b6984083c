"""Asset `manifest`: named files and the JSON views. The work is in `stages.publish`."""

from typing import Any

import dagster as dg

from phx_pipeline.defs.assets.categorized_images import categorized_images
from phx_pipeline.defs.checks import CHECKS, results
from phx_pipeline.defs.failures import explained
from phx_pipeline.defs.partitions import PROPERTIES, requested_house
from phx_pipeline.defs.results import contact_sheet, materialized, nothing_found
from phx_pipeline.stages.context import StageContext
from phx_pipeline.stages.publish import publish
from phx_pipeline.stages.sheet import property_sheet


@dg.asset(
    deps=[categorized_images],
    partitions_def=PROPERTIES,
    group_name="property",
    check_specs=CHECKS,
    kinds={"json"},
)
def manifest(
    context: dg.AssetExecutionContext, pipeline: dg.ResourceParam[StageContext]
) -> dg.MaterializeResult:  # type: ignore[type-arg]  # beside check_specs Dagster knows only the bare class
    """The property's folder and the manifest, as the catalogue says they should be."""
    with explained():
        slug = requested_house(context, pipeline).slug
        report = publish(pipeline, slug)
        if not (tally := pipeline.tally(slug)).gave_anything:
            raise nothing_found(tally)
        more: dict[str, dg.MetadataValue[Any]] = {}
        if report.changed and (sheet := property_sheet(pipeline, slug)):
            more["contact_sheet"] = contact_sheet(sheet)
        checks = results(pipeline, slug)
        return materialized(
            pipeline, slug, asset="manifest", did=report, more=more, checks=checks
        )
