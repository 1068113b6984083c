"""One picture small, as JPEG, for pages that show many."""

from io import BytesIO
from typing import Final

from PIL import Image

from phx_pipeline.imaging.decode import decode

_QUALITY: Final = 82


def thumbnail(body: bytes, *, side: int) -> bytes:
    """Return the picture in *body* with *side* pixels at its longest side, or fewer.

    A smaller picture keeps its size. Nothing but pixels of *body* is in the JPEG.

    Raises:
        ImageError: *body* is not a usable picture.
    """
    image = decode(body, at_least=side).image
    if max(image.size) > side:
        image.thumbnail((side, side), Image.Resampling.HAMMING, reducing_gap=None)
    buffer = BytesIO()
    image.save(buffer, format="JPEG", quality=_QUALITY)
    return buffer.getvalue()
