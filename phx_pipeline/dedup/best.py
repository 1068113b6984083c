"""Which of several copies a person would choose."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from phx_pipeline.dedup.aligned import aligned, frame_moves
from phx_pipeline.dedup.proposals import Candidate
from phx_pipeline.dedup.strips import has_strip
from phx_pipeline.model.appearance import Appearance

_ENOUGH: Final = 0.4  # of the most detail for the same part of the scene
_UNCROPPED: Final = 0.98  # of the largest extent; aligning is no more exact
_UNRELATED: Final = 0.5  # share of blocks below which moves tell nothing
_TRIMMED_ALIKE: Final = 0.02  # moves (of frames) below this are found anyway


def best_of(group: Sequence[Candidate]) -> Candidate:
    """Return the copy a person would choose; *group* has the largest first.

    Out go those with far less detail than another has of the same part of the scene,
    of the rest those with a strip of text, then the cropped ones. Then the most detail
    counts, pixels, bytes.
    """
    if len(group) == 1:
        return group[0]
    details, views = _details(group), _views(group)
    densities = details / views.extents
    left = densities >= _ENOUGH * densities.max()
    if (left & ~views.stripped).any():
        left &= ~views.stripped
    left &= views.extents >= _UNCROPPED * views.extents[left].max()
    rivals = [index for index in range(len(group)) if left[index]]
    return group[min(rivals, key=lambda it: (-details[it], *_rank(group[it])))]


def _rank(picture: Candidate) -> tuple[float, int, str]:
    return (-picture.content_pixels, -picture.size_bytes, picture.sha256)


def _details(group: Sequence[Candidate]) -> NDArray[np.float64]:
    """Return the detail of each, at least 1; pixels stand in where one is unknown."""
    found = [None if it.appearance is None else it.appearance.detail for it in group]
    known = [it for it in found if it is not None]
    if len(known) < len(group):
        return np.array([it.content_pixels for it in group])
    return np.maximum(known, 1).astype(np.float64)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Views:
    """How much of the scene each copy shows, the first one 1, and who adds a strip."""

    extents: NDArray[np.float64]
    stripped: NDArray[np.bool_]


def _views(group: Sequence[Candidate]) -> _Views:
    extents, stripped = np.ones(len(group)), np.zeros(len(group), dtype=bool)
    looks = [it.appearance for it in group if it.appearance is not None]
    if len(looks) == len(group):
        pairs = np.array([(0, index) for index in range(1, len(group))])
        found = aligned(group, pairs)
        related = found.shares >= _UNRELATED
        aside = np.abs(found.moves - frame_moves(group, pairs)) > _TRIMMED_ALIKE
        _measure_extents(extents, found.moves, told=aside & related[:, None])
        _find_strips(stripped, looks, found.moves * related[:, None])
    return _Views(extents=extents, stripped=stripped)


def _measure_extents(
    extents: NDArray[np.float64],
    moves: NDArray[np.float32],
    *,
    told: NDArray[np.bool_],
) -> None:
    # What was trimmed off one copy only may be its ceiling or sky: where the frames
    # explain how the contents lie, both copies show the same, in that direction.
    for first in (0, 2):
        counts = told[:, first] | told[:, first + 1]
        extents[1:][counts] /= 1 + moves[counts, first]


def _find_strips(
    stripped: NDArray[np.bool_],
    looks: Sequence[Appearance],
    moves: NDArray[np.float32],
) -> None:
    for index, (_, _, scale, shift) in enumerate(moves.astype(float), start=1):
        grown = 1 + scale
        ours = has_strip(looks[0], top=(-1 - shift) / grown, bottom=(1 - shift) / grown)
        stripped[0] |= ours
        stripped[index] = has_strip(
            looks[index], top=shift - grown, bottom=shift + grown
        )
