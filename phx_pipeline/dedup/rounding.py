"""Whether grain that one copy has more of was added to it, or lost by the other.

A JPEG rounds the 64 frequencies of each block of 8 pixels: what is less than half of a
step is gone, what is more is kept. So a copy that lost grain by that has all that was
strong enough; to one without grain it was added, or it was smoothed away.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from phx_pipeline.dedup.planes import Plane
from phx_pipeline.dedup.sights import Move, Sight
from phx_pipeline.dedup.tiles import SIDE, UNIT, Tiles, blocks, blocks_shared

_EXACT: Final = 0.0015  # of a side by which a movement may be off that of whole frames
_SHAPE: Final = 0.004  # by which shapes of whole frames differ, as pixels are whole
_LARGER: Final = 1.05  # times the pixels a side
_FEW: Final = 60  # blocks below which nothing is said
_NONE: Final = 2.0  # levels of a frequency that are none
_DARK, _BRIGHT = 2, 253  # grey levels where tones end, and blocks are not as rounded
_STEP: Final = 0.25  # quantile of what there is of a frequency: a step, or little more
_SEEN: Final = 12  # blocks that must have some of it
_SOME: Final = 200  # frequencies in question below which nothing is said
_KEPT: Final = 0.97  # share of what a coarser JPEG keeps; noise and lines reach 0.94
_SMOOTH: Final = 0.4  # share of the blocks that count as smooth
_LOW: Final = 4  # sum of both frequencies that all ways of reducing leave alike
_EVENLY: Final = 0.72  # floor of what is finest, for that of the middle block
_GRAIN: Final = 1.0  # levels of a frequency from which it is grain
_BEYOND: Final = 1.05  # times the finest that the small one can show
_FINEST: Final = (0.5, 1.1)  # the same, of the finest of the large one
_STRANGE: Final = 0.9  # of the grain, by which both differ; rounding leaves 0.76
_KEPT_LOW: Final = 0.92  # share of what is kept in smooth blocks of a smaller copy

_COARSE: Final = 2  # sum of both frequencies at most that light changes, too
_EVEN: Final = 2.1  # times as much in the blocks that differ most; noise leaves 1.3 up
_UNEVEN: Final = 2.3  # the same; what smooths leaves 2.2 up
_NOISY: Final = 0.25  # log of how much more there is where it is smooth
_UNRELATED: Final = 0.1  # correlation of noise with the picture it was added to
_RELATED: Final = 0.18  # the same with the noisy one, which has it
_NOTHING: Final = 0.01  # levels squared

Spectra = NDArray[np.float32]
Levels = NDArray[np.uint8]


def _cosines(side: int) -> Plane:
    """Return the DCT-II of so many pixels."""
    frequency, position = np.arange(side)[:, None], np.arange(side) + 0.5
    basis = np.cos(np.pi / side * frequency * position) * np.sqrt(2 / side)
    basis[0] /= np.sqrt(2)
    cosines: Plane = basis.astype(np.float32)
    return cosines


_EIGHT: Final = _cosines(UNIT)
_HALF: Final = _cosines(SIDE // 2)
_SUMS: Final = np.add.outer(np.arange(UNIT), np.arange(UNIT))
_RADII: Final = np.hypot(*np.mgrid[: SIDE // 2, : SIDE // 2]) / (SIDE // 2)


def are_whole(
    sights: tuple[Sight, Sight], move: Move, both: tuple[Tiles, Tiles]
) -> bool:
    """Whether two copies show one frame, so that their tiles lie on each other."""
    (a, b), (ours, theirs) = both, sights
    wider = a.size[0] * b.size[1] / (a.size[1] * b.size[0])
    if abs(np.log(wider)) > _SHAPE:
        return False
    before, behind = (np.array(it.shape[1::-1]) for it in (ours, theirs))
    corners = np.array(((0, 0), (1, 0), (0, 1), (1, 1)))
    there = corners * before @ move[:, :2].T + move[:, 2]
    return bool(np.abs(there / behind - corners).max() < _EXACT)


def is_rounded(fine: Tiles, coarse: Tiles) -> bool:
    """Whether a copy of one size and frame is the other, rounded as JPEG does it.

    All that is strong in *fine* is in *coarse*.
    """
    if fine.size != coarse.size:
        return False
    x, y = _spectra(*_within_tones(blocks(fine), blocks(coarse)), _SUMS > 0)
    if len(x) < _FEW:
        return False
    kept, asked = _kept(x, y, least=1.25, most=2.5)
    return asked > _SOME and kept > _KEPT * asked


def was_added(large: Tiles, small: Tiles) -> bool | None:
    """Whether the grain of a larger copy of one frame was added when it was enlarged.

    The smaller one has none of it then. None where it cannot be told, or there is none.
    """
    if large.size[0] < _LARGER * small.size[0] or not (grain := _grain(large, small)):
        return None
    low = (_SUMS > 0) & (_SUMS <= _LOW)
    x, y = _spectra(*_within_tones(*blocks_shared(large, small)), low)
    if len(x) < _FEW:
        return None
    strong = np.einsum("ij,ij->i", x, x)
    smooth = strong <= np.quantile(strong, _SMOOTH)
    kept, asked = _kept(x[smooth], y[smooth], steps=y, least=0.75, most=3.0)
    apart = float(np.sqrt(((x - y)[smooth] ** 2).mean())) / grain
    is_there, is_strange = kept > _KEPT_LOW * asked, apart > _STRANGE
    return None if asked < _SOME or is_there == is_strange else is_strange


def differ_evenly(a: Tiles, b: Tiles) -> bool | None:
    """Whether two copies of one size and frame differ as much everywhere.

    Noise does; what was smoothed, blurred or sharpened does not. None where it cannot
    be told.
    """
    return None if (found := _middle(a, b)) is None else _evenly(*found)


def noised(a: Tiles, b: Tiles) -> int:
    """Return 1 where noise was added to the first of one size and frame, 2 the second.

    Noise knows nothing of the picture it is added to; what rounding or smoothing takes
    is of the picture it is taken from. 0 for neither.
    """
    if (found := _middle(a, b)) is None or not _evenly(*found):
        return 0
    ours, theirs = found
    gap = theirs - ours
    alike = _correlation(gap, ours), _correlation(-gap, theirs)
    strong = np.sqrt((ours**2).mean(axis=1)), np.sqrt((theirs**2).mean(axis=1))
    smooth = strong[0] + strong[1] <= np.quantile(strong[0] + strong[1], _SMOOTH)
    more = float(np.log(strong[1][smooth].mean() / (strong[0][smooth].mean() + 0.1)))
    if abs(more) < _NOISY:
        return 0
    plain, noisy = alike if more > 0 else alike[::-1]
    is_added = abs(plain) < _UNRELATED and -noisy > _RELATED
    return (2 if more > 0 else 1) * is_added


def _middle(a: Tiles, b: Tiles) -> tuple[Spectra, Spectra] | None:
    """Return the middle frequencies of all blocks that are clipped in neither."""
    if a.size != b.size:
        return None
    ours, theirs = _within_tones(blocks(a), blocks(b))
    if len(ours) < _FEW:
        return None
    return _spectra(ours, theirs, (_SUMS > _COARSE) & (_SUMS < UNIT))


def _evenly(ours: Spectra, theirs: Spectra) -> bool | None:
    least, most = np.quantile(((ours - theirs) ** 2).mean(axis=1), (0.1, 0.9))
    uneven = float(np.sqrt(most / (least + _NOTHING)))
    return None if _EVEN <= uneven <= _UNEVEN else uneven < _EVEN


def _correlation(a: Spectra, b: Spectra) -> float:
    return float((a * b).sum() / (np.sqrt((a * a).sum() * (b * b).sum()) + _NOTHING))


def _grain(large: Tiles, small: Tiles) -> float:
    """Return how strong grain finer than the small one is in it, 0 for none.

    It is as strong everywhere; detail is not.
    """
    scale = small.size[0] / large.size[0]
    quarters = large.levels.reshape(-1, 2, SIDE // 2, 2, SIDE // 2)
    parts = quarters.transpose(0, 1, 3, 2, 4).reshape(-1, SIDE // 2, SIDE // 2)
    spectra = _HALF @ parts.astype(np.float32) @ _HALF.T
    least, most = max(_FINEST[0], _BEYOND * scale), _FINEST[1]
    finer = (least <= _RADII) & (most > _RADII)
    strong = np.sqrt((spectra[:, finer] ** 2).mean(axis=1))
    floor, middle = np.quantile(strong, (0.2, 0.5))
    is_grain = floor > _GRAIN and floor > _EVENLY * middle
    return float(floor * scale) if is_grain else 0.0


def _kept(
    x: Spectra, y: Spectra, *, least: float, most: float, steps: Spectra | None = None
) -> tuple[int, int]:
    """Return how often y has what x has, and of how many.

    Asked is what has *least* to *most* steps of the rounding of y, or of *steps*.
    """
    strong, there = np.abs(x), np.abs(y)
    known = there if steps is None else np.abs(steps)
    kept = asked = 0
    for ours, theirs, rounded in zip(strong.T, there.T, known.T, strict=True):
        some = rounded[rounded > _NONE]
        if some.size < _SEEN:
            continue
        step = np.quantile(some, _STEP)
        counts = (ours > least * step) & (ours < most * step)
        asked += int(counts.sum())
        kept += int((theirs > ours / 2)[counts].sum())
    return kept, asked


def _within_tones(a: Plane, b: Plane) -> tuple[Plane, Plane]:
    """Return the blocks that are clipped in neither."""
    whole = np.ones(len(a), dtype=bool)
    for it in (a, b):
        whole &= (it.min(axis=(1, 2), initial=255) > _DARK) & (
            it.max(axis=(1, 2), initial=0) < _BRIGHT
        )
    return a[whole], b[whole]


def _spectra(a: Plane, b: Plane, which: NDArray[np.bool_]) -> tuple[Spectra, Spectra]:
    return _frequencies(a)[:, which], _frequencies(b)[:, which]


def _frequencies(units: Plane) -> Spectra:
    return (_EIGHT @ units @ _EIGHT.T).astype(np.float32, copy=False)
