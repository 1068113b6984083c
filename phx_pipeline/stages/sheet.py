"""The contact sheet of a property: all kept pictures small, for one look."""

from hashlib import sha256

from PIL import Image

from phx_pipeline.imaging.contact_sheet import contact_sheet
from phx_pipeline.model.identity import image_id
from phx_pipeline.model.published import PublishedImage
from phx_pipeline.stages.context import StageContext

MAX_BYTES = 12_000
_JPEG = b"\xff\xd8\xff"


def property_sheet(context: StageContext, slug: str) -> bytes | None:
    """Return a JPEG of at most `MAX_BYTES`; None when nothing is published."""
    images = list(context.catalog.published_images(slug))
    if not images:
        return None
    originals = {
        image_id(slug, photo.sha256): photo.sha256
        for photo in context.catalog.photos(slug)
        if photo.sha256
    }
    bodies = (
        _body(context, image, original=originals.get(image.image_id))
        for image in images
    )
    return contact_sheet(bodies, max_bytes=MAX_BYTES)


def _body(
    context: StageContext, image: PublishedImage, *, original: str | None
) -> bytes | Image.Image:
    """What a published file shows; nothing if it is gone, which a check tells.

    What this run has decoded is at hand. Of another photo that came as JPEG the
    original is taken: a small picture of it costs a tenth of what one of the PNG does.
    """
    path = context.layout.images / image.local_path
    if not path.is_file():
        return b""
    if original and (tile := context.frames.tile(original)):
        return tile
    raw = context.layout.raw(original) if original else path
    body = raw.read_bytes() if raw.is_file() else b""
    return body if body.startswith(_JPEG) else path.read_bytes()


def pictures_digest(context: StageContext, slug: str) -> str:
    """Return what the sheet depends on: another digest, another sheet.

    Empty when nothing is published.
    """
    images = context.catalog.published_images(slug)
    shown = "".join(f"{image.content_hash}\n" for image in images)
    return sha256(shown.encode()).hexdigest()[:16] if shown else ""
