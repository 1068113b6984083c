"""What is known of each kept picture before it is named: its copies' words, its pixels.

Nothing is read here before a backend asks for it.
"""

import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from phx_pipeline.categorize.base import Evidence, Said
from phx_pipeline.categorize.listing_text import repeated_captions
from phx_pipeline.errors import ImageError, PhxError, StorageError
from phx_pipeline.imaging.glimpse import glimpse
from phx_pipeline.model.outcome import Verdict
from phx_pipeline.model.photo import Photo, PhotoKey
from phx_pipeline.model.source import Source
from phx_pipeline.stages.context import StageContext, in_one

logger = logging.getLogger(__name__)


class Originals:
    """Gives the pixels of originals, and remembers which could not be read."""

    def __init__(self, context: StageContext) -> None:
        self._context = context
        self._faults: dict[str, PhxError] = {}

    def pixels(self, sha256: str) -> NDArray[np.uint8]:
        """Return a picture as backends look at it.

        Raises:
            ImageError: the bytes are no picture that can be read.
            StorageError: the file is missing or damaged.
        """
        try:
            body = self._context.blobs.read_raw(sha256)
            with self._context.room_for(body):
                return glimpse(body)
        except (ImageError, StorageError) as error:
            self._faults[sha256] = error
            raise

    def is_unreadable(self, sha256: str) -> bool:
        """Whether it was asked for and could not be read: it may be back next time."""
        return sha256 in self._faults

    def tell(self) -> None:
        """Tell in one line of those that could not be read."""
        told = [f"original {sha[:12]}: {it}" for sha, it in self._faults.items()]
        if told:
            logger.warning("%s: named by what is known of it", in_one(told))


def evidence_of(
    photos: Sequence[Photo], originals: Originals
) -> dict[PhotoKey, Evidence]:
    """Return what is known of each kept photo, with the words of all its copies."""
    copies: dict[str, list[Said]] = defaultdict(list)
    clustered = [it for it in photos if it.cluster_id is not None]
    repeated = _repeated(clustered)
    for photo in clustered:
        copies[str(photo.cluster_id)].append(
            _said(photo, repeats=photo.ref.caption in repeated[photo.ref.source])
        )
    return {
        photo.key: Evidence(
            sha256=str(photo.sha256),
            said=tuple(copies[str(photo.cluster_id)]),
            pixels=partial(originals.pixels, str(photo.sha256)),
        )
        for photo in clustered
        if photo.verdict is Verdict.KEPT
    }


def _repeated(photos: Sequence[Photo]) -> Mapping[Source, frozenset[str]]:
    captions: dict[Source, list[str]] = defaultdict(list)
    for photo in photos:
        captions[photo.ref.source].append(photo.ref.caption)
    return {source: repeated_captions(them) for source, them in captions.items()}


def _said(photo: Photo, *, repeats: bool) -> Said:
    return Said(
        source=photo.ref.source,
        photo_key=photo.ref.photo_key,
        position=photo.ref.position,
        caption=photo.ref.caption,
        tags=photo.ref.tags,
        repeats=repeats,
    )
