"""Removing the bytes of photos whose licence was withdrawn.

Which photos those are is told by their source and recorded with its answer; here are
only the files.
"""

import logging
import shutil
from collections.abc import Callable, Iterable
from functools import partial

from phx_pipeline.catalog.leases import Lease
from phx_pipeline.errors import StorageError
from phx_pipeline.model.counted import counted
from phx_pipeline.stages.context import StageContext

logger = logging.getLogger(__name__)


def drop_withdrawn(context: StageContext, lease: Lease, slug: str) -> int:
    """Remove originals and PNGs that only withdrawn photos of *slug* have.

    Call it when they are no longer published. A kill at any moment leaves rows that
    name what is still to be removed.

    Returns:
        How many originals withdrawn photos had.
    """
    book = context.catalog.withdrawn
    sha256s = book.to_remove(slug)
    for sha256 in sha256s:
        drop_bytes(
            context,
            sha256,
            recipes=book.recipes(sha256),
            is_needed=partial(book.is_needed, sha256),
        )
    if sha256s:
        drop_thumbnails(context, context.house(slug).folder)
        book.record_removed(lease, slug, sha256s, stamp=context.stamp())
        told = counted(len(sha256s), "original")
        logger.info("%s: %s removed, for want of a licence", slug, told)
    return len(sha256s)


def drop_thumbnails(context: StageContext, folder: str) -> None:
    """Delete what the service drew of a house; it draws anew what may be shown."""
    drawn = context.layout.thumbnails(folder)
    if drawn.is_dir():
        shutil.rmtree(drawn)


def drop_bytes(
    context: StageContext,
    sha256: str,
    *,
    recipes: Iterable[str],
    is_needed: Callable[[], bool],
) -> None:
    """Delete an original and its PNGs, unless somebody needs it.

    Args:
        context: of the run.
        sha256: of the original.
        recipes: by which PNGs were made of it; the context's own is added.
        is_needed: looks whether a photo has the bytes; asked before and after.
    """
    if is_needed():
        return
    try:
        body = context.blobs.read_raw(sha256)
    except StorageError:
        body = b""
    context.blobs.drop_raw(sha256)
    # Who stored the same bytes a moment ago found the file there and wrote its row now.
    if body and is_needed():
        context.blobs.put_raw(body)
        return
    for recipe in {*recipes, context.recipe}:
        context.blobs.drop_standardized(sha256, recipe)
