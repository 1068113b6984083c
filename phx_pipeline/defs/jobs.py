"""Jobs of one property each, all its assets or its names alone; and daily ones."""

import dagster as dg

extract_property = dg.define_asset_job(
    "extract_property",
    selection=dg.AssetSelection.groups("property"),
    description="Find, download, dedupe, categorize and publish one property's photos.",
)

categorize_property = dg.define_asset_job(
    "categorize_property",
    selection=dg.AssetSelection.assets("categorized_images", "manifest"),
    description=(
        "Name one property's pictures anew and publish them; no site is asked."
    ),
)

look_at_houses = dg.define_asset_job(
    "look_at_houses",
    selection=dg.AssetSelection.assets("look"),
    description="Ask for the pages of all houses that are due today; no photos.",
)

search_listings = dg.define_asset_job(
    "search_listings",
    selection=dg.AssetSelection.assets("new_listings"),
    description="Run the saved searches: their pages, no house's own.",
)
