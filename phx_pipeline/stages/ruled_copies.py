"""What people ruled on photos, in terms of the bytes the photos have now.

A ruling names photos, because bytes change when a source shows a better copy; what is
compared are bytes. Giving rulings is for
`workflows.split_join`.
"""

from collections.abc import Iterable, Mapping

from phx_pipeline.catalog.rulings import Subject
from phx_pipeline.model.judgement import Pair, Ruled, pair_of
from phx_pipeline.model.photo import Photo, PhotoKey
from phx_pipeline.model.ruling import CopyRuling, Ruling, couple_in


def ruled_copies(photos: Iterable[Photo], rulings: Mapping[Subject, Ruling]) -> Ruled:
    """Return the pairs of bytes that people parted or joined."""
    newest = rulings_by_bytes(photos, rulings)

    def pairs(value: CopyRuling) -> frozenset[Pair]:
        return frozenset(pair for pair, it in newest.items() if it.value == value)

    return Ruled(apart=pairs(CopyRuling.OTHER), together=pairs(CopyRuling.SAME))


def rulings_by_bytes(
    photos: Iterable[Photo], rulings: Mapping[Subject, Ruling]
) -> dict[Pair, Ruling]:
    """Return the newest ruling on each pair of bytes.

    Photos with the same bytes are one picture, whatever was ruled while they differed.
    Rulings on a photo that is not here, or has no bytes, wait for it.
    """
    shas = {photo.key: photo.sha256 for photo in photos if photo.sha256}
    found: dict[Pair, Ruling] = {}
    for ruling in sorted(rulings.values(), key=lambda it: it.order):
        both = [shas.get(name) for name in photos_ruled_on(ruling)]
        match both:
            case [str(a), str(b)] if a != b:
                found[pair_of(a, b)] = ruling
    return found


def photos_ruled_on(ruling: Ruling) -> tuple[PhotoKey, ...]:
    """Return both photos; none if another version named them in its own way."""
    try:
        return couple_in(ruling.key)
    except ValueError:
        return ()
