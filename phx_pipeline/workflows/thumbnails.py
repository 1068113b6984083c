"""Small pictures of published files, kept below the data folder for whoever shows them.

They are a cache: the folder may be deleted at any time. How much of it is kept is the
business of the service.
"""

import stat
from pathlib import Path
from typing import Final

from phx_pipeline.errors import ImageError, StorageError
from phx_pipeline.model.published import PublishedImage
from phx_pipeline.storage.atomic import create_folder, write_view
from phx_pipeline.storage.below import open_below
from phx_pipeline.storage.layout import Layout

SIDE: Final = 480


def thumbnail_path(layout: Layout, image: PublishedImage) -> Path:
    """Where the thumbnail of a published picture lies once it is drawn."""
    return layout.thumbnail(image.folder, image.content_hash, side=SIDE)


def is_drawn(path: Path) -> bool:
    """Whether a thumbnail is there: a plain file, no link, with anything in it."""
    try:
        found = path.lstat()
    except OSError:
        return False
    return stat.S_ISREG(found.st_mode) and found.st_size > 0


def drawn_thumbnail(layout: Layout, image: PublishedImage) -> bytes:
    """Return the thumbnail of a published picture, drawn if there is none.

    Raises:
        StorageError: the picture is not there, or damaged.
        DiskError: the thumbnail cannot be written.
    """
    path = thumbnail_path(layout, image)
    if is_drawn(path):
        return path.read_bytes()
    return draw_thumbnail(layout, image)


def draw_thumbnail(layout: Layout, image: PublishedImage) -> bytes:
    """As `drawn_thumbnail`, whatever is there."""
    from phx_pipeline.imaging.thumbnail import (  # noqa: PLC0415 - decoders, seldom
        thumbnail,
    )

    with open_below(layout.images, image.local_path.split("/")) as file:
        body = file.read()
    try:
        small = thumbnail(body, side=SIDE)
    except ImageError as error:
        raise StorageError(f"{image.local_path} is damaged: {error}") from error
    path = thumbnail_path(layout, image)
    create_folder(path.parent)
    write_view(path, small)
    return small
