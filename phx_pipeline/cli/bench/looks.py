"""What the pipeline knows of a picture before it compares it, from its bytes."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from phx_pipeline.dedup.proposals import Candidate


def candidate(body: bytes, *, name: str, at_once: bool = False) -> "Candidate":
    """Return the picture under *name*; `ImageError` where the pipeline refuses it.

    What pairs are judged by is made when it is asked for, or *at_once*, which saves a
    decoding and takes 0.5 MB.
    """
    from phx_pipeline.dedup.align import appearance
    from phx_pipeline.dedup.hashes import picture_hashes
    from phx_pipeline.dedup.proposals import Candidate
    from phx_pipeline.dedup.sights import view_of
    from phx_pipeline.imaging.decode import decode

    image = decode(body).image
    view = view_of(image) if at_once else None
    return Candidate(
        sha256=name,
        width=image.width,
        height=image.height,
        hashes=picture_hashes(image),
        appearance=appearance(image),
        size_bytes=len(body),
        view=lambda: view_of(decode(body).image) if view is None else view,
    )
