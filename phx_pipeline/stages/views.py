"""The JSON files of the metadata folder: rendered from rows, never read back.

Rendering takes time that grows with the number of properties, publishing one property
must not. So a publication only notes that the views are stale; whoever comes next with
time for it renders them: the publication itself while rendering is a matter of moments,
else the end of a command or the sensor `refresh_views`.
"""

import logging
import time
from pathlib import Path
from typing import Final

from phx_pipeline.catalog.leases import process_owner
from phx_pipeline.catalog.views import ViewState
from phx_pipeline.errors import DiskError
from phx_pipeline.exports.address_lookup import FolderEntry, render_address_lookup
from phx_pipeline.exports.hash_index import render_hash_index
from phx_pipeline.exports.manifest import render_manifest
from phx_pipeline.stages.context import StageContext
from phx_pipeline.stages.view_rows import (
    JOB_FOLDER,
    RUN_FOLDER,
    history_views,
    outdated_files,
)
from phx_pipeline.storage.atomic import set_aside, write_atomically

logger = logging.getLogger(__name__)

VIEWS_LEASE: Final = "views"

# Processor time, which does not depend on what else the machine does.
_MOMENT_S = 0.5  # what a publication may spend on the views: some 100 houses
_START_S = 1.0  # what a process costs that only renders
_SHARE = 20  # between renderings nobody waits for: this many times what one takes


def refresh_views(context: StageContext, *, anyway: bool = False) -> int:
    """Render the views if rows changed since, or *anyway*; return the files changed.

    One process at a time renders; one that waited finds its work done.
    """
    if not anyway and not context.catalog.views.state().is_stale:
        return 0
    owner = process_owner(context.run_id)
    wait_s = context.lease_wait_s
    with context.catalog.leases.hold(VIEWS_LEASE, owner=owner, wait_s=wait_s) as lease:
        state = context.catalog.views.state()
        if not anyway and not state.is_stale:
            return 0
        started = time.thread_time()
        written = _write_views(context)
        context.catalog.views.record_rendered(
            lease,
            state.wanted,
            took_s=time.thread_time() - started,
            at_s=context.clock().timestamp(),
        )
    return written


def refresh_if_quick(context: StageContext) -> int:
    """Render stale views if that lately took no more than a moment."""
    if context.catalog.views.state().took_s > _MOMENT_S:
        return 0
    return refresh_views(context)


def is_due(state: ViewState, *, now_s: float) -> bool:
    """Whether stale views should be rendered in the background by now."""
    rest_s = _SHARE * (state.took_s + _START_S)
    return state.is_stale and now_s - state.rendered_at >= rest_s


def _write_views(context: StageContext) -> int:
    folder = context.layout.metadata
    views = render_views(context)
    for path in outdated_files(folder, views=views):
        set_aside(path)
        path.unlink(missing_ok=True)
    return sum(_written(folder / name, text) for name, text in views.items())


def _written(path: Path, text: str) -> bool:
    """Write one view, unless it holds these bytes.

    One of a single run or job that the disk refuses keeps no other back.

    Raises:
        DiskError: the disk takes no file at all, or not one that tells of all.
    """
    try:
        return write_atomically(path, text.encode())
    except DiskError as error:
        if error.stops_all or path.parent.name not in {RUN_FOLDER, JOB_FOLDER}:
            raise
        logger.warning("the view of one run or job was not written: %s", error)
        return False


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
        **history_views(context),
    }
