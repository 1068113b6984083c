"""The main job: all assets of one property, in one run."""

import dagster as dg

from phx_pipeline.defs.partitions import PROPERTIES

extract_property = dg.define_asset_job(
    "extract_property",
    selection=dg.AssetSelection.groups("property"),
    partitions_def=PROPERTIES,
    description="Find, download, dedupe, categorize and publish one property's photos.",
)
