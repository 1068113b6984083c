"""Which of two aligned copies has a small mark: a date, a caption, a badge, a logo.

A mark lies in one place, and all around it both copies agree. Its pixels are unlike
what both show around it, and its outlines are sharp. Marks all over the frame, and
large ones, are the concern of `overlays`.
"""

from typing import Final

import numpy as np

from phx_pipeline.dedup.overlays import Overlap, jumps
from phx_pipeline.dedup.planes import Plane, block_means, edges, local_mean, parts
from phx_pipeline.dedup.tones import Tones

_CELL: Final = 8  # px, a side of the cells in which what differs is gathered
_SOME: Final = 0.06  # share of a cell
_FEWEST: Final = 100  # px; fewer may be the edges of a coarse JPEG
_TOGETHER: Final = 0.85  # share of the cells that are one part
_LARGEST: Final = 0.05  # share of what both show
_STARK: Final = 28.0  # grey levels by which both differ there
_RIM: Final = 2  # px around what differs in which outlines lie
_MORE: Final = 0.3  # log of how much more one stands out
_PLAINLY: Final = 1.2  # the same, whatever else is told; shades get 0.6 at most
_FAINT: Final = 2.0  # grey levels, of no moment


def spotted(each: tuple[Overlap, ...]) -> tuple[int, bool]:
    """Return 1 where the first has a small mark, 2 the second, else 0, and how plainly.

    *each* are the copies seen in several ways; they count by how much each shows.
    """
    if not any(map(_is_spot, each)) or max(it.share for it in each) > _LARGEST:
        return 0, False
    seen = [it for it in each if it.differing.sum() >= _FEWEST]
    shown = [float(_gap(it).sum()) for it in seen]
    more = float(np.average([_standing_out(it) for it in seen], weights=shown))
    which = 0 if abs(more) < _MORE else 1 if more > 0 else 2
    return which, abs(more) > _PLAINLY


def _gap(both: Overlap) -> Plane:
    gap: Plane = np.abs(both.ours - both.theirs)[both.differing]
    return gap


def _is_spot(both: Overlap) -> bool:
    """Whether both differ starkly, and in one place."""
    if both.differing.sum() < _FEWEST:
        return False
    cells = block_means(both.differing, _CELL) > _SOME
    largest = max((len(it) for it in parts(cells)), default=0)
    return bool(largest > _TOGETHER * cells.sum() and _gap(both).mean() > _STARK)


def _standing_out(both: Overlap) -> float:
    """Return the log of how much more the first stands out.

    A mark breaks off, which counts twice, has fewer shades than a scene, and has
    outlines. Where the scene is plain, the first tells; where it is busy, the second.
    """
    near = (local_mean(both.differing, _RIM) > 0) & both.inside
    shades = (_shades(it[both.differing]) for it in (both.ours, both.theirs))
    outlines = (float(edges(it)[near].mean()) for it in (both.ours, both.theirs))
    return 2 * _more(*jumps(both)) - _more(*shades) + _more(*outlines) / 2


def _shades(tones: Tones) -> float:
    """Return how far tones are off the nearer of two inks, as letters have shadows."""
    lighter = tones > tones.mean()
    inks = [it for it in (tones[lighter], tones[~lighter]) if it.size]
    return sum(float(np.abs(it - np.median(it)).sum()) for it in inks) / tones.size


def _more(ours: float, theirs: float) -> float:
    return float(np.log((ours + _FAINT) / (theirs + _FAINT)))
