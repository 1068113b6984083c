"""Which pairs of a house's pictures are worth a look, by their hashes alone."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from phx_pipeline.dedup.shapes import SHAPES, UNLIKE, cut_hashes, shape_of
from phx_pipeline.dedup.sights import View
from phx_pipeline.model.appearance import Appearance
from phx_pipeline.model.photo import PictureHashes

MAX_PHASH_DISTANCE: Final = 8
MAX_DHASH_DISTANCE: Final = 10
MAX_WIDE_PHASH_DISTANCE: Final = 16
MAX_FAR_PHASH_DISTANCE: Final = 24

_ROWS: Final = 256  # pictures compared with all others at a time

_HashPairs = NDArray[np.uint64]  # shape (pictures, 2): full frame, trimmed frame
Indexes = NDArray[np.int64]
"""Pairs of indexes a < b, shape (pairs, 2)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A picture to be compared: its raw SHA-256, size in pixels, hashes and looks.

    Without an appearance only the hashes decide whose copy it is. `order` is where the
    first photo with these bytes stands in the gallery. `view` makes what pairs are
    judged by, which costs a decoding, or returns None where that cannot be had.
    """

    sha256: str
    width: int
    height: int
    hashes: PictureHashes
    appearance: Appearance | None = None
    size_bytes: int = 0
    order: tuple[str, int, str] = ("", 0, "")
    view: Callable[[], View | None] | None = field(
        default=None, compare=False, repr=False
    )

    @property
    def content_pixels(self) -> float:
        """The pixels inside flat borders."""
        share = 1.0 if self.appearance is None else self.appearance.content_share
        return self.width * self.height * share

    @property
    def by_size(self) -> tuple[float, str]:
        """For an order that begins with the largest."""
        return (-self.content_pixels, self.sha256)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposed:
    """Pairs that may be copies, by how near their hashes are.

    `strict` are those that hashes alone would take, `wide` those that aligned pixels
    confirm; the others take more proof.
    """

    pairs: Indexes
    strict: NDArray[np.bool_]
    wide: NDArray[np.bool_]

    def only(self, chosen: NDArray[np.int64]) -> "Proposed":
        """Return some of the pairs, by their rows."""
        return Proposed(
            pairs=self.pairs[chosen],
            strict=self.strict[chosen],
            wide=self.wide[chosen],
        )


def proposed(pictures: Sequence[Candidate]) -> Proposed:
    """Return the pairs whose hashes are near.

    The least pHash distance over full and trimmed frames is at most
    `MAX_FAR_PHASH_DISTANCE`, or for pictures of unlike shapes that of both cut to a
    usual shape is at most `MAX_WIDE_PHASH_DISTANCE`. Wide are pairs at most
    `MAX_WIDE_PHASH_DISTANCE` apart; strict those at most `MAX_PHASH_DISTANCE` apart
    whose least dHash distance, taken by itself, is at most `MAX_DHASH_DISTANCE`.
    """
    all_hashes = [picture.hashes for picture in pictures]
    phashes = _pairs([(it.phash, it.trimmed_phash) for it in all_hashes])
    dhashes = _pairs([(it.dhash, it.trimmed_dhash) for it in all_hashes])
    shapes, cut = _cut(pictures)
    pairs = [np.empty((0, 2), dtype=np.int64)]
    for start in range(0, len(pictures), _ROWS):
        near = _least_distances(phashes, start=start) <= MAX_FAR_PHASH_DISTANCE
        near |= _near_once_cut(shapes, cut, start=start)
        found = np.argwhere(np.triu(near, k=1 + start))
        pairs.append(found + np.array((start, 0)))
    both = np.concatenate(pairs)
    distances = _pair_distances(phashes, both)
    strict = distances <= MAX_PHASH_DISTANCE
    strict &= _pair_distances(dhashes, both) <= MAX_DHASH_DISTANCE
    wide = strict | (distances <= MAX_WIDE_PHASH_DISTANCE)
    return Proposed(pairs=both, strict=strict, wide=wide)


def _cut(
    pictures: Sequence[Candidate],
) -> tuple[NDArray[np.float64], NDArray[np.uint64]]:
    """Return the shape of each, NaN where it is unknown, and the hashes once cut.

    Those of one shape with all others are not asked for theirs.
    """
    hashes = np.zeros((len(pictures), 2 * len(SHAPES)), dtype=np.uint64)
    shapes = np.array([_shape(it) for it in pictures], dtype=np.float64)
    known = shapes[~np.isnan(shapes)]
    least, most = known.min(initial=np.inf), known.max(initial=0)
    for index, (it, shape) in enumerate(zip(pictures, shapes, strict=True)):
        is_unlike = max(shape / least, most / shape) > UNLIKE
        if it.appearance is not None and is_unlike:
            hashes[index] = cut_hashes(it.appearance, shape=shape)
    return shapes, hashes


def _shape(picture: Candidate) -> float:
    look = picture.appearance
    if look is None or look.low_information:
        return np.nan
    return shape_of(look, width=picture.width, height=picture.height)


def _near_once_cut(
    shapes: NDArray[np.float64], hashes: NDArray[np.uint64], *, start: int
) -> NDArray[np.bool_]:
    part = slice(start, start + _ROWS)
    ratios = shapes[part, None] / shapes
    unlike = np.maximum(ratios, 1 / ratios) > UNLIKE
    if not unlike.any():
        return unlike
    differing = hashes[part, None] ^ hashes
    least = np.bitwise_count(differing).min(axis=2)
    near: NDArray[np.bool_] = unlike & (least <= MAX_WIDE_PHASH_DISTANCE)
    return near


def _pairs(values: Sequence[tuple[int, int]]) -> _HashPairs:
    return np.array(values, dtype=np.uint64).reshape(-1, 2)


def _least_distances(hashes: _HashPairs, *, start: int) -> NDArray[np.uint8]:
    """Return the distances of some rows to all pictures, least of four each."""
    rows = hashes[start : start + _ROWS]
    least = np.full((len(rows), len(hashes)), 64, dtype=np.uint8)
    for ours in rows.T:
        for theirs in hashes.T:
            differing = ours[:, None] ^ theirs
            np.minimum(least, np.bitwise_count(differing), out=least)
    return least


def _pair_distances(hashes: _HashPairs, pairs: Indexes) -> NDArray[np.uint8]:
    ours, theirs = hashes[pairs[:, 0]], hashes[pairs[:, 1]]
    differing = ours[:, :, None] ^ theirs[:, None, :]
    least: NDArray[np.uint8] = np.bitwise_count(differing).min(axis=(1, 2))
    return least
