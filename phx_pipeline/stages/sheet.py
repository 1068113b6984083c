"""The contact sheet of a property: all kept pictures small, for one look."""

from hashlib import sha256
from pathlib import Path

from phx_pipeline.imaging.contact_sheet import contact_sheet
from phx_pipeline.stages.context import StageContext

MAX_BYTES = 12_000


def property_sheet(context: StageContext, slug: str) -> bytes | None:
    """Return a JPEG of at most `MAX_BYTES`; None when nothing is published."""
    images = context.catalog.published_images(slug)
    paths = [context.layout.images / image.local_path for image in images]
    if not paths:
        return None
    return contact_sheet(map(_bytes_of, paths), max_bytes=MAX_BYTES)


def _bytes_of(path: Path) -> bytes:
    """What a published file holds; nothing if it is gone, which a check tells."""
    return path.read_bytes() if path.is_file() else b""


def pictures_digest(context: StageContext, slug: str) -> str:
    """Return what the sheet depends on: another digest, another sheet.

    Empty when nothing is published.
    """
    images = context.catalog.published_images(slug)
    shown = "".join(f"{image.content_hash}\n" for image in images)
    return sha256(shown.encode()).hexdigest()[:16] if shown else ""
