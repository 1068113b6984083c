"""Whether grain that one copy has more of was added to it, or lost by the other.

A JPEG rounds the 64 frequencies of each block of 8 pixels: what is less than half of a
step is gone, what is more is kept. So a copy that lost grain by that has all that was
strong enough; to one without grain it was added, or it was smoothed away.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from phx_pipeline.dedup.frequencies import SUMS, Spectra, cosines, shared
from phx_pipeline.dedup.sights import Move, Sight
from phx_pipeline.dedup.tiles import SIDE, UNIT, Tiles, blocks_shared

_EXACT: Final = 0.0015  # of a side by which a movement may be off that of whole frames
_SHAPE: Final = 0.004  # by which shapes of whole frames differ, as pixels are whole
_LARGER: Final = 1.05  # times the pixels a side
_FEW_PARTS: Final = 20  # quarters of tiles, the same
_DARK, _BRIGHT = 2, 253  # grey levels where tones end, and nothing is seen of grain
_NONE: Final = 2.0  # levels of a frequency that are none
_STEP: Final = 0.25  # quantile of what there is of a frequency: a step, or little more
_SEEN: Final = 12  # blocks that must have some of it
_SOME: Final = 200  # frequencies in question below which nothing is said
_KEPT: Final = 0.97  # share of what a coarser JPEG keeps; noise and lines reach 0.94
_SMOOTH: Final = 0.4  # share of the blocks that count as smooth
_LOW: Final = 4  # sum of both frequencies that all ways of reducing leave alike
_EVENLY: Final = 0.72  # floor of what is finest, for that of the middle block
_RATHER_EVENLY: Final = 0.45  # the same, where the small copy has bare blocks
_FLOOR: Final = 0.05  # share of the blocks that are the smoothest
_ROUGH: Final = 1.2  # levels of a frequency in all others, where none is smooth
_BARE: Final = 0.5  # the same in smooth ones; grain that a JPEG keeps leaves 1 or more
_TAKES: Final = 4.0  # times the grain; JPEGs whose steps are as long leave none
_GRAIN: Final = 1.0  # levels of a frequency from which it is grain
_BEYOND: Final = 1.05  # times the finest that the small one can show
_FINEST: Final = (0.5, 1.1)  # the same, of the finest of the large one
_STRANGE: Final = 0.9  # of the grain, by which both differ; rounding leaves 0.76
_KNOWN: Final = 3  # frequencies of which steps are known, below which nothing is said
_LONGER: Final = 0.7  # log of how many times longer; of quality 30 it is 0.9 or more
_KEPT_LOW: Final = 0.92  # share of what is kept in smooth blocks of a smaller copy

_COARSE: Final = 2  # sum of both frequencies at most that light changes, too
_EVEN: Final = 2.1  # times as much in the blocks that differ most; noise leaves 1.3 up
_UNEVEN: Final = 2.3  # the same; what smooths leaves 2.2 up
_RATHER_EVEN: Final = 2.6  # the same where correlations tell it; noise leaves 2.4
_NOISY: Final = 0.25  # log of how much more there is where it is smooth
_UNRELATED: Final = 0.1  # correlation of noise with the picture it was added to
_RELATED: Final = 0.18  # the same with the noisy one, which has it
_NOTHING: Final = 0.01  # levels squared

_HALF: Final = cosines(SIDE // 2)
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


def is_rounded(fine: Spectra, coarse: Spectra) -> bool:
    """Whether a copy of one size and frame is the other, rounded as JPEG does it.

    All that is strong in *fine* is in *coarse*.
    """
    kept, asked = _kept(fine[:, 1:], coarse[:, 1:], least=1.25, most=2.5)
    return asked > _SOME and kept > _KEPT * asked


def has_coarser_steps(coarse: Spectra, fine: Spectra) -> bool:
    """Whether *coarse* was rounded to steps at least twice as long as the other's.

    What that changes knows nothing of the picture; where light or sharpness makes more
    of all that is there, it does.
    """
    ours, theirs = _middle(fine, coarse)
    if _correlation(theirs - ours, ours) > _UNRELATED:
        return False
    steps = (
        (_step(p), _step(q)) for p, q in zip(coarse.T[1:], fine.T[1:], strict=True)
    )
    longer = [np.log(p / q) for p, q in steps if p and q]
    return len(longer) > _KNOWN and bool(np.median(longer) > _LONGER)


def was_added(large: Tiles, small: Tiles) -> bool | None:
    """Whether the grain of a larger copy of one frame was added when it was enlarged.

    The smaller one has none of it then. None where it cannot be told, or there is none.
    """
    if large.size[0] < _LARGER * small.size[0]:
        return None
    grain, even = _grain(large, small)
    both = shared(*blocks_shared(large, small)) if even > _RATHER_EVENLY else None
    if both is None:
        return None
    if _is_bare(*both):
        return True
    return _is_strange(*both, grain) if grain > 0 and even > _EVENLY else None


def _is_bare(large: Spectra, small: Spectra) -> bool:
    """Whether the small one has smooth blocks, but the large one has none.

    Where a coarse JPEG made them, that says nothing.
    """
    x, y = _middle(large, small)
    floors = [np.quantile(np.sqrt((it**2).mean(axis=1)), _FLOOR) for it in (x, y)]
    if floors[0] < _ROUGH or floors[1] > _BARE:
        return False
    steps = [step for it in y.T if (step := _step(it))]
    return not steps or bool(np.median(steps) < _TAKES * floors[0])


def _is_strange(large: Spectra, small: Spectra, grain: float) -> bool | None:
    """Whether *grain* of the large one is not what the small one lost by rounding."""
    low = (SUMS > 0) & (SUMS <= _LOW)
    x, y = large[:, low], small[:, low]
    strong = np.einsum("ij,ij->i", x, x)
    smooth = strong <= np.quantile(strong, _SMOOTH)
    kept, asked = _kept(x[smooth], y[smooth], steps=y, least=0.75, most=3.0)
    apart = float(np.sqrt(((x - y)[smooth] ** 2).mean())) / grain
    is_there, is_strange = kept > _KEPT_LOW * asked, apart > _STRANGE
    return None if asked < _SOME or is_there == is_strange else is_strange


def differ_evenly(ours: Spectra, theirs: Spectra) -> bool | None:
    """Whether two copies of one size and frame differ as much everywhere.

    Noise does; what was smoothed, blurred or sharpened does not. None where it cannot
    be told.
    """
    uneven = _unevenness(*_middle(ours, theirs))
    return None if _EVEN <= uneven <= _UNEVEN else uneven < _EVEN


def noised(ours: Spectra, theirs: Spectra) -> int:
    """Return 1 where noise was added to the first of one size and frame, 2 the second.

    Noise knows nothing of the picture it is added to; what rounding or smoothing takes
    is of the picture it is taken from. 0 for neither.
    """
    ours, theirs = _middle(ours, theirs)
    if _unevenness(ours, theirs) > _RATHER_EVEN:
        return 0
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


def _middle(ours: Spectra, theirs: Spectra) -> tuple[Spectra, Spectra]:
    """Return the middle frequencies of both."""
    middle = (SUMS > _COARSE) & (SUMS < UNIT)
    return ours[:, middle], theirs[:, middle]


def _unevenness(ours: Spectra, theirs: Spectra) -> float:
    """Return how many times more both differ in the blocks where they do most."""
    least, most = np.quantile(((ours - theirs) ** 2).mean(axis=1), (0.1, 0.9))
    return float(np.sqrt(most / (least + _NOTHING)))


def _correlation(a: Spectra, b: Spectra) -> float:
    return float((a * b).sum() / (np.sqrt((a * a).sum() * (b * b).sum()) + _NOTHING))


def _grain(large: Tiles, small: Tiles) -> tuple[float, float]:
    """Return how strong grain finer than the small one is in it, and how even.

    It is as strong everywhere; detail is not. Faint grain counts as none.
    """
    scale = small.size[0] / large.size[0]
    quarters = large.levels.reshape(-1, 2, SIDE // 2, 2, SIDE // 2)
    parts = quarters.transpose(0, 1, 3, 2, 4).reshape(-1, SIDE // 2, SIDE // 2)
    whole = (parts.min(axis=(1, 2)) > _DARK) & (parts.max(axis=(1, 2)) < _BRIGHT)
    if whole.sum() < _FEW_PARTS:
        return 0.0, 0.0
    spectra = _HALF @ parts[whole].astype(np.float32) @ _HALF.T
    least, most = max(_FINEST[0], _BEYOND * scale), _FINEST[1]
    finer = (least <= _RADII) & (most > _RADII)
    strong = np.sqrt((spectra[:, finer] ** 2).mean(axis=1))
    floor, middle = (float(it) for it in np.quantile(strong, (0.2, 0.5)))
    return (floor * scale if floor > _GRAIN else 0.0), floor / (middle + _NOTHING)


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
        if not (step := _step(rounded)):
            continue
        counts = (ours > least * step) & (ours < most * step)
        asked += int(counts.sum())
        kept += int((theirs > ours / 2)[counts].sum())
    return kept, asked


def _step(levels: NDArray[np.float32]) -> float:
    """Return what there is of a frequency at least, where there is some, else 0."""
    strong = np.abs(levels)
    some = strong[strong > _NONE]
    return float(np.quantile(some, _STEP)) if some.size >= _SEEN else 0.0
