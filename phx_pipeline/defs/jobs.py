"""The main job: all assets of one property, in one run."""

import dagster as dg

extract_property = dg.define_asset_job(
    "extract_property",
    selection=dg.AssetSelection.groups("property"),
    description="Find, download, dedupe, categorize and publish one property's photos.",
)
