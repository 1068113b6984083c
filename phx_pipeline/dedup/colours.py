"""Whether two aligned pictures have the same colours; the eye sees these coarsely."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from phx_pipeline.dedup.planes import Mask, Plane, block_means
from phx_pipeline.dedup.sights import Move, Sight, luminance, warped

_SEEN: Final = 0.9  # share of a block that both show
_GREY: Final = 2.5  # levels of colour, root mean square, below which a picture has none
_COLOURFUL: Final = 5.0  # levels from which one has
_APART: Final = 6.0  # levels by which the median block differs, of another paint
_TURNED: Final = 25.0  # degrees of hue; light and brackets turn by 18 at most
_APART_IN_THE_DARK: Final = 2.5  # levels, where hues are turned by much, or:
_MUCH_TURNED: Final = 30.0  # degrees; strips of coloured paper turn them by 21

Colours = NDArray[np.complex64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Colouring:
    """How the colours of two pictures relate.

    `grey` is 1 where the first has no colours but the second has, 2 the other way
    round, else 0.
    """

    is_other: bool
    grey: int


def colouring(a: Sight, b: Sight, move: Move) -> Colouring:
    """Compare the colours of what both show; *move* takes points of a to those of b."""
    ours, theirs = _blocks(a, b, move)
    if not ours.size:
        return Colouring(is_other=False, grey=0)
    strengths = [float(np.sqrt((np.abs(it) ** 2).mean())) for it in (ours, theirs)]
    if min(strengths) < _GREY:
        fainter = 1 if strengths[0] < strengths[1] else 2
        return Colouring(is_other=False, grey=fainter * (max(strengths) > _COLOURFUL))
    apart = float(np.median(np.abs(ours - theirs)))
    turned = abs(float(np.degrees(np.angle((ours * theirs.conj()).sum()))))
    is_other = (apart > _APART and turned > _TURNED) or (
        apart > _APART_IN_THE_DARK and turned > _MUCH_TURNED
    )
    return Colouring(is_other=is_other, grey=0)


def _blocks(a: Sight, b: Sight, move: Move) -> tuple[Colours, Colours]:
    """Return the mean colours of the blocks both show: blue and red as one number."""
    size = (a.shape[1], a.shape[0])
    inside: Mask = np.ones(a.shape[:2], dtype=bool)
    ours, theirs = [], []
    for plane, other in zip(_chroma(a), _chroma(b), strict=True):
        moved, inside = warped(other, move, size=size)
        ours.append(block_means(plane))
        theirs.append(block_means(moved))
    seen = block_means(inside.astype(np.float32)) > _SEEN
    return (ours[0] + 1j * ours[1])[seen], (theirs[0] + 1j * theirs[1])[seen]


def _chroma(sight: Sight) -> tuple[Plane, Plane]:
    grey = luminance(sight)
    blue, red = (sight[:, :, it].astype(np.float32) - grey for it in (2, 0))
    return blue * np.float32(0.564), red * np.float32(0.713)
