"""Which pictures of a house are cards that stand where a photo is missing.

Two signs that know nothing of each other: drawn on an empty ground
(`imaging.placeholder`), and shown for several houses. Both follow from rows and bytes,
so the order in which houses are looked at does not matter; a house that was decided
before another one showed its card has to be decided again.
"""

import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from phx_pipeline.catalog.lookup import Holder
from phx_pipeline.errors import ImageError, StorageError
from phx_pipeline.imaging.decode import decode
from phx_pipeline.imaging.placeholder import is_card
from phx_pipeline.model.outcome import Verdict
from phx_pipeline.model.photo import Blob, Photo
from phx_pipeline.stages.context import StageContext
from phx_pipeline.stages.guard import near_identical

logger = logging.getLogger(__name__)

MIN_HOUSES: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Cards:
    """The SHA-256s of a house's cards, and other houses that still show their like.

    `broken` are those that turned out to be no pictures.
    """

    sha256s: frozenset[str]
    undecided: frozenset[str]
    broken: Mapping[str, ImageError]


def cards_of(
    context: StageContext,
    slug: str,
    photos: Sequence[Photo],
    blobs: Mapping[str, Blob],
) -> Cards:
    """Return the cards among *photos*, whose bytes are told by *blobs*."""
    plain = {
        sha: blobs[sha]
        for sha in {str(photo.sha256) for photo in photos}
        if (look := blobs[sha].appearance) is not None and look.low_information
    }
    alike: dict[str, set[str]] = defaultdict(set)
    for own, known in near_identical(plain, context.catalog.lookup):
        alike[own].add(known)
    holders: dict[str, list[Holder]] = defaultdict(list)
    known_ones = {known for ones in alike.values() for known in ones}
    for holder in context.catalog.lookup.holders(known_ones):
        holders[holder.sha256].append(holder)
    before = {str(p.sha256) for p in photos if p.verdict is Verdict.PLACEHOLDER}
    cards, undecided, broken = set(), set(), dict[str, ImageError]()
    for own in sorted(plain):
        there = [holder for known in alike[own] for holder in holders[known]]
        elsewhere = {holder.slug for holder in there} - {slug}
        if len(elsewhere) + 1 < MIN_HOUSES:
            continue
        try:
            is_drawn = _is_drawn(context, own, before=own in before)
        except ImageError as error:
            broken[own] = error.bare()
            continue
        if is_drawn:
            cards.add(own)
            undecided |= {
                it.slug for it in there if it.verdict is not Verdict.PLACEHOLDER
            }
    followed = set(context.catalog.slugs()) if undecided else set()
    return Cards(
        sha256s=frozenset(cards),
        undecided=frozenset((undecided & followed) - {slug}),
        broken=broken,
    )


def _is_drawn(context: StageContext, sha: str, *, before: bool) -> bool:
    """Look at the original; one that cannot be read stays what it was.

    Raises:
        ImageError: it is no picture.
    """
    try:
        body = context.blobs.read_raw(sha)
        with context.room_for(body):
            return is_card(decode(body).image)
    except StorageError as error:
        logger.warning("%s: whether it is a card cannot be told now", error)
        return before
