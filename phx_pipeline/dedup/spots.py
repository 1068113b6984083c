"""Which of two aligned copies has a small mark: a date, a caption, a badge, a logo.

A mark lies in one place, and all around it both copies agree. Its pixels are unlike
what both show around it, and its outlines are sharp. Marks all over the frame, and
large ones, are the concern of `overlays`.
"""

from collections.abc import Callable
from typing import Final

import numpy as np

from phx_pipeline.dedup.overlays import Overlap
from phx_pipeline.dedup.planes import Mask, Plane, block_means, edges, local_mean, parts

_CELL: Final = 8  # px, a side of the cells in which what differs is gathered
_SOME: Final = 0.06  # share of a cell
_FEWEST: Final = 100  # px; fewer may be the edges of a coarse JPEG
_TOGETHER: Final = 0.85  # share of the cells that are one part
_LARGEST: Final = 0.05  # share of what both show
_STARK: Final = 28.0  # grey levels by which both differ there
_RIM: Final = 2  # px around what differs that are neither in nor out
_AROUND: Final = 8  # px
_SEEN: Final = 0.1  # share of the pixels around in which both agree
_MORE: Final = 0.4  # how much more one stands out, from -2 to 2
_RATHER: Final = 0.15  # the same where nothing else tells
_LETTERS: Final = 0.0016  # share of what both show, at most; coarse edges are more
_FAINT: Final = 2.0  # grey levels, of no moment


def spotted(each: tuple[Overlap, ...]) -> int:
    """Return 1 where the first plainly has a small mark, 2 the second, else 0.

    *each* are the copies seen in several ways; the one that shows most counts.
    """
    return _told(_strongest(each), least=_MORE)


def dotted(each: tuple[Overlap, ...]) -> int:
    """Return which one has a few letters, as a date is, where nothing else tells."""
    both = _strongest(each)
    return _told(both, least=_RATHER) if both.share < _LETTERS else 0


def _strongest(each: tuple[Overlap, ...]) -> Overlap:
    return max(each, key=lambda it: float(_gap(it).sum()))


def _told(both: Overlap, *, least: float) -> int:
    if not _is_spot(both):
        return 0
    more = _standing_out(both)
    return 0 if abs(more) < least else 1 if more > 0 else 2


def _gap(both: Overlap) -> Plane:
    gap: Plane = np.abs(both.ours - both.theirs)[both.differing]
    return gap


def _is_spot(both: Overlap) -> bool:
    """Whether both differ starkly, and in one place."""
    if both.differing.sum() < _FEWEST or both.share > _LARGEST:
        return False
    cells = block_means(both.differing, _CELL) > _SOME
    largest = max((len(it) for it in parts(cells)), default=0)
    return bool(largest > _TOGETHER * cells.sum() and _gap(both).mean() > _STARK)


def _standing_out(both: Overlap) -> float:
    """Return how much more the first stands out and is drawn, from -2 to 2."""
    near = (local_mean(both.differing, _RIM) > 0) & both.inside
    out = both.inside & ~near
    share = local_mean(out, _AROUND)
    core = both.differing & (share > _SEEN)
    if not core.any():
        return 0.0

    def unlike(plane: Plane) -> float:
        around = local_mean(plane * out, _AROUND)[core] / share[core]
        return float(np.abs(plane[core] - around).mean())

    return _more(both, unlike) + _more(both, lambda it: _steepness(it, near))


def _steepness(plane: Plane, part: Mask) -> float:
    return float(edges(plane)[part].mean())


def _more(both: Overlap, of: Callable[[Plane], float]) -> float:
    ours, theirs = of(both.ours) + _FAINT, of(both.theirs) + _FAINT
    return (ours - theirs) / (ours + theirs)
