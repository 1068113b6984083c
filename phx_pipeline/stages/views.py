"""The JSON files of the metadata folder: rendered from rows, never read back."""

from typing import Final

from phx_pipeline.catalog.leases import process_owner
from phx_pipeline.exports.address_lookup import FolderEntry, render_address_lookup
from phx_pipeline.exports.hash_index import render_hash_index
from phx_pipeline.exports.manifest import render_manifest
from phx_pipeline.stages.context import StageContext
from phx_pipeline.storage.atomic import write_atomically

VIEWS_LEASE: Final = "views"


def refresh_views(context: StageContext) -> int:
    """Render the JSON views from the rows; return how many files changed."""
    owner = process_owner(context.run_id)
    wait_s = context.lease_wait_s
    with context.catalog.leases.hold(VIEWS_LEASE, owner=owner, wait_s=wait_s):
        views = render_views(context)
        folder = context.layout.metadata
        return sum(
            write_atomically(folder / name, text.encode())
            for name, text in views.items()
        )


def render_views(context: StageContext) -> dict[str, str]:
    """Return the text of every view, by file name; a pure function of the rows."""
    images = list(context.catalog.published_images())
    counts: dict[str, int] = {}
    for image in images:
        counts[image.folder] = counts.get(image.folder, 0) + 1
    entries = [
        FolderEntry(
            address=str(house.address),
            folder=house.folder,
            image_count=counts[house.folder],
        )
        for house in context.catalog.properties()
        if house.folder in counts
    ]
    return {
        "image_manifest.json": render_manifest(images),
        "address_folder_lookup.json": render_address_lookup(entries),
        "hash_index.json": render_hash_index(images),
    }
