"""Whether two pictures agree pixel by pixel, once one is moved onto the other.

Hashes say which pictures may be copies; this says whether they are. Crops, borders,
brightness and overlays are undone or tolerated; what moved within the picture is not.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from phx_pipeline.dedup.detail import detail
from phx_pipeline.dedup.lowinfo import is_low_information
from phx_pipeline.model.appearance import THUMBNAIL_SIDE, Appearance

_SIDE: Final = THUMBNAIL_SIDE
_LONGEST: Final = 128  # px; borders are looked for at this size
_FLAT_BELOW: Final = 6.0  # standard deviation of a border line, in grey levels
_LEAST_BOX: Final = 24  # px at _LONGEST; a smaller rest says nothing
_BATCH: Final = 16  # pairs at a time: a quarter of a MB per plane, for a core's cache

_CONTRAST_FLOOR: Final = 4.0  # grey levels, so that noise on a wall is not a pattern
_ITERATIONS: Final = 4  # per level, blurred then sharp
_CLIP: Final = 0.8  # what an overlay may pull, in normalised grey
_DAMPING: Final = 4.0
_FARTHEST: Final = 0.2  # limit of each parameter
_HALF_PIXEL: Final = 0.5  # how far outside a picture its last pixel reaches
_BLUR: Final = np.array([1, 4, 6, 4, 1], dtype=np.float32) / 16

_CELLS: Final = 8  # blocks per side, and pixels per side of a block
_VISIBLE: Final = 0.7  # share of a block's pixels that both pictures must show
_TEXTURE: Final = 0.06  # normalised contrast below which a block says nothing
_SAME: Final = 0.7  # correlation of a block that agrees
_LEAST_BLOCKS: Final = 6

_WINDOW: Final = 16  # px; residual movement is looked for in windows half apart
_STIFFNESS: Final = 1.28  # what keeps windows without pattern where they are
_AROUND: Final = 5  # px; surroundings by which light is evened out
_FAINT: Final = 0.15  # normalised contrast that stays faint
_STILL: Final = 0.4  # px at 64; what stretching and JPEG move by at most

_Planes = NDArray[np.float32]  # shape (pairs, 64, 64)
_Moves = NDArray[np.float32]  # shape (pairs, 4): sx, tx, sy, ty
_U: Final = (np.arange(_SIDE, dtype=np.float32) - 31.5) / 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """How well pairs agree once aligned, one entry per pair.

    `shares` are the agreeing blocks among those that can be judged, NaN where too few
    can. `stirred` is the share of windows that would fit better somewhere else: an
    overlay fits nowhere, but what a moved camera sees fits a little aside. It is NaN
    where nobody asked for it. `moves` are
    (sx, tx, sy, ty): picture a's point u (from -1 to 1) is b's point u (1 + s) + t; so
    s < 0 where a shows less than b.
    """

    shares: NDArray[np.float32]
    stirred: NDArray[np.float32]
    moves: _Moves


def appearance(image: Image.Image, grey: NDArray[np.uint8] | None = None) -> Appearance:
    """Return what `agreement` and the clusters compare, of a picture in any mode.

    *grey* is its `hashes.luminance`, where that is at hand.
    """
    scale = _LONGEST / max(image.size)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    # The gap averages whole pixels first: many times cheaper, and what it changes is
    # less than what a JPEG changes.
    small = image.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0).convert("L")
    box = _content_box(small)
    content = small.crop(box)
    thumbnail = content.resize((_SIDE, _SIDE), Image.Resampling.BILINEAR)
    across, down = image.width / small.width, image.height / small.height
    left, right = round(box[0] * across), round(box[2] * across)
    top, bottom = round(box[1] * down), round(box[3] * down)
    return Appearance(
        thumbnail=thumbnail.tobytes(),
        left=box[0] / small.width,
        top=box[1] / small.height,
        right=box[2] / small.width,
        bottom=box[3] / small.height,
        low_information=is_low_information(np.asarray(content)),
        detail=detail(
            image if grey is None else Image.fromarray(grey), (left, top, right, bottom)
        ),
    )


def moves_of_frames(a: Appearance, b: Appearance) -> tuple[float, float, float, float]:
    """Return the moves if both frames show the same, whatever was trimmed."""
    return (
        (a.right - a.left) / (b.right - b.left) - 1,
        (a.left + a.right - b.left - b.right) / (b.right - b.left),
        (a.bottom - a.top) / (b.bottom - b.top) - 1,
        (a.top + a.bottom - b.top - b.bottom) / (b.bottom - b.top),
    )


def agreement(
    a: NDArray[np.uint8],
    b: NDArray[np.uint8],
    *,
    starts: _Moves | None = None,
    stirred_from: float = 0.0,
) -> Agreement:
    """Align each picture b to its a; both have the shape (pairs, 64, 64).

    *starts* are moves to search around, of shape (pairs, 4); by default none. What is
    stirred is told of pairs whose share is *stirred_from* or more: few are, and it
    takes a third of the time.

    Lucas-Kanade with scale and shift in each direction, see `docs/adr`.
    """
    shares, stirred = np.full((2, len(a)), np.nan, dtype=np.float32)
    moves = np.zeros((len(a), 4), dtype=np.float32) if starts is None else starts.copy()
    for start in range(0, len(a), _BATCH):
        part = slice(start, start + _BATCH)
        ours, theirs = _normalised(a[part]), _normalised(b[part])
        moves[part] = _aligned(ours, theirs, starts=moves[part])
        shares[part] = _agreeing_share(ours, theirs, moves=moves[part])
        near = np.flatnonzero(shares[part] >= stirred_from)
        if near.size:
            stirred[start + near] = _stirred_share(
                ours[near], theirs[near], moves=moves[start + near]
            )
    return Agreement(shares=shares, stirred=stirred, moves=moves)


def _content_box(small: Image.Image) -> tuple[int, int, int, int]:
    """Return the frame without flat borders, or all of it if too little is left."""
    width, height = small.size
    pixels = np.asarray(small, dtype=np.float32)
    left, right = _inner_span(pixels.std(axis=0))
    top, bottom = _inner_span(pixels.std(axis=1))
    if min(right - left, bottom - top) < _LEAST_BOX:
        return (0, 0, width, height)
    return (left, top, right, bottom)


def _inner_span(deviations: NDArray[np.float32]) -> tuple[int, int]:
    flat = deviations < _FLAT_BELOW
    before, behind = _leading(flat), _leading(flat[::-1])
    # A border's last line is half picture after scaling: it goes too.
    return before + (before > 0), len(flat) - behind - (behind > 0)


def _leading(flat: NDArray[np.bool_]) -> int:
    """Return how many lines from the start are flat, at most a third."""
    limit = math.floor(len(flat) / 3)
    busy = np.flatnonzero(~flat[:limit])
    return int(busy[0]) if busy.size else limit


def _normalised(thumbnails: NDArray[np.uint8]) -> _Planes:
    """Take brightness and contrast out."""
    planes = thumbnails.astype(np.float32)
    mean = planes.mean(axis=(1, 2), keepdims=True)
    contrast = planes.std(axis=(1, 2), keepdims=True) + np.float32(_CONTRAST_FLOOR)
    normalised: _Planes = (planes - mean) / contrast
    return normalised


def _aligned(a: _Planes, b: _Planes, *, starts: _Moves) -> _Moves:
    """Return the moves that bring b onto a, coarse to fine, not far from *starts*."""
    moves = starts
    for ours, theirs in ((_blurred(_blurred(a)), _blurred(_blurred(b))), (a, b)):
        for _ in range(_ITERATIONS):
            improved = _improved(ours, theirs, moves=moves)
            moves = starts + np.clip(improved - starts, -_FARTHEST, _FARTHEST)
    return moves


def _blurred(planes: _Planes) -> _Planes:
    for axis in (1, 2):
        margins = [(0, 0), (0, 0), (0, 0)]
        margins[axis] = (2, 2)
        padded = np.pad(planes, margins, mode="edge")
        spans = np.lib.stride_tricks.sliding_window_view(padded, 5, axis=axis)
        planes = (spans @ _BLUR).astype(np.float32, copy=False)
    return planes


def _improved(a: _Planes, b: _Planes, *, moves: _Moves) -> _Moves:
    """Take one Gauss-Newton step."""
    moved, visible = _moved(b, moves=moves)
    moved = _lit_like(a, moved, visible=visible)
    error = np.where(visible, np.clip(a - moved, -_CLIP, _CLIP), np.float32(0))
    columns = _columns(moved, visible=visible)
    normal = columns @ columns.transpose(0, 2, 1)
    normal += np.float32(_DAMPING) * np.eye(4, dtype=np.float32)
    pull = columns @ error.reshape(len(a), -1, 1)
    step = np.linalg.solve(normal, pull)[:, :, 0]
    improved: _Moves = moves + step
    return improved


def _columns(moved: _Planes, *, visible: NDArray[np.bool_]) -> _Planes:
    """Return what each parameter changes: shape (pairs, 4, pixels)."""
    columns = np.empty((len(moved), 4, _SIDE, _SIDE), dtype=np.float32)
    for first, axis, places in ((0, 2, _U), (2, 1, _U[:, None])):
        slope = columns[:, first + 1]
        np.multiply(_slope(moved, axis=axis), visible, out=slope)
        np.multiply(slope, places, out=columns[:, first])
    return columns.reshape(len(moved), 4, -1)


def _lit_like(a: _Planes, moved: _Planes, *, visible: NDArray[np.bool_]) -> _Planes:
    """Return *moved* with the brightness and contrast of a, where both are seen.

    `_normalised` saw the whole of each picture, which need not be the same part.
    """
    count = np.maximum(visible.sum(axis=(1, 2), keepdims=True), 1)
    levels = []
    for plane in (a, moved):
        mean = (plane * visible).sum(axis=(1, 2), keepdims=True) / count
        squares = plane - mean  # in place from here on: each plane more takes time
        squares *= squares
        squares *= visible
        variance = squares.sum(axis=(1, 2), keepdims=True)
        levels.append((mean, np.sqrt(variance / count)))
    (mean_a, spread_a), (mean_b, spread_b) = levels
    gain = (spread_a + _FAINT) / (spread_b + _FAINT)
    apart = moved - mean_b
    apart *= gain
    apart += mean_a
    lit: _Planes = apart.astype(np.float32)
    return lit


def _slope(planes: _Planes, *, axis: int) -> _Planes:
    """Return central differences per unit of u (32 pixels); none at the edges."""
    slope = np.zeros_like(planes)
    inner, ahead, behind = ([slice(None)] * 3 for _ in range(3))
    inner[axis], ahead[axis], behind[axis] = slice(1, -1), slice(2, None), slice(-2)
    within = slope[tuple(inner)]
    np.subtract(planes[tuple(ahead)], planes[tuple(behind)], out=within)
    within *= np.float32(16)
    return slope


def _moved(planes: _Planes, *, moves: _Moves) -> tuple[_Planes, NDArray[np.bool_]]:
    """Return the planes as seen through the moves, and which pixels are inside."""
    across, inside_x = _interpolation(moves[:, 0], moves[:, 1])
    down, inside_y = _interpolation(moves[:, 2], moves[:, 3])
    moved = (down @ planes @ across.transpose(0, 2, 1)).astype(np.float32, copy=False)
    return moved, inside_y[:, :, None] & inside_x[:, None, :]


def _interpolation(
    scale: NDArray[np.float32], shift: NDArray[np.float32]
) -> tuple[_Planes, NDArray[np.bool_]]:
    """Return the matrix of each move along one axis, and which lines are inside."""
    wanted = (_U * (1 + scale[:, None]) + shift[:, None]) * 32 + np.float32(31.5)
    inside = (wanted >= -_HALF_PIXEL) & (wanted <= _SIDE - 1 + _HALF_PIXEL)
    nearest = wanted.clip(0, _SIDE - 1)[:, :, None]
    weights = nearest - np.arange(_SIDE, dtype=np.float32)
    np.abs(weights, out=weights)
    np.subtract(1, weights, out=weights)
    return np.maximum(0, weights, out=weights), inside


def _agreeing_share(a: _Planes, b: _Planes, *, moves: _Moves) -> NDArray[np.float32]:
    moved, visible = _moved(b, moves=moves)
    ours, theirs = _blocks(a), _blocks(moved)
    spread_a, spread_b = ours.std(axis=-1), theirs.std(axis=-1)
    centred = ours - ours.mean(axis=-1, keepdims=True)
    centred *= theirs - theirs.mean(axis=-1, keepdims=True)
    correlation = centred.mean(axis=-1) / (spread_a * spread_b + np.float32(0.001))
    seen = _blocks(visible.astype(np.float32)).mean(axis=-1) > _VISIBLE
    counting = seen & (np.maximum(spread_a, spread_b) > _TEXTURE)
    count = counting.sum(axis=-1)
    same = (counting & (correlation > _SAME)).sum(axis=-1)
    shares = np.where(count >= _LEAST_BLOCKS, same / np.maximum(count, 1), np.nan)
    return shares.astype(np.float32)


def _blocks(planes: _Planes) -> _Planes:
    """Cut each plane into 8 x 8 blocks of 8 x 8 pixels: shape (pairs, 64, 64)."""
    cut = planes.reshape(-1, _CELLS, _CELLS, _CELLS, _CELLS).swapaxes(2, 3)
    return cut.reshape(-1, _CELLS * _CELLS, _CELLS * _CELLS)


def _stirred_share(a: _Planes, b: _Planes, *, moves: _Moves) -> NDArray[np.float32]:
    """Return the share of windows with a residual shift, by one Newton step each."""
    moved, visible = _moved(_blurred(b), moves=moves)
    theirs = _evenly_lit(moved)
    error = np.clip(_evenly_lit(_blurred(a)) - theirs, -1, 1) * visible
    across = _slope(theirs, axis=2) * visible / np.float32(32)  # per pixel
    down = _slope(theirs, axis=1) * visible / np.float32(32)
    xx = _window_sums(across * across) + np.float32(_STIFFNESS)
    yy = _window_sums(down * down) + np.float32(_STIFFNESS)
    xy = _window_sums(across * down)
    xe, ye = _window_sums(across * error), _window_sums(down * error)
    shift = np.hypot(yy * xe - xy * ye, xx * ye - xy * xe) / (xx * yy - xy * xy)
    share: NDArray[np.float32] = (shift > _STILL).mean(axis=(1, 2), dtype=np.float32)
    return share


def _evenly_lit(planes: _Planes) -> _Planes:
    """Normalise each pixel by its surroundings: exposure changes light, not places."""
    mean = _surrounding_mean(planes)
    spread = np.sqrt(np.maximum(_surrounding_mean(planes * planes) - mean * mean, 0))
    return ((planes - mean) / (spread + _FAINT)).astype(np.float32)


def _surrounding_mean(planes: _Planes) -> _Planes:
    side = 2 * _AROUND + 1
    margins = ((0, 0), (_AROUND + 1, _AROUND), (_AROUND + 1, _AROUND))
    padded = np.pad(planes.astype(np.float64), margins, mode="edge")
    padded[:, 0] = padded[:, :, 0] = 0
    sums = padded.cumsum(axis=1).cumsum(axis=2)
    rows = sums[:, side:] - sums[:, :-side]
    boxes = rows[:, :, side:] - rows[:, :, :-side]
    mean: _Planes = (boxes / (side * side)).astype(np.float32)
    return mean


def _window_sums(planes: _Planes) -> _Planes:
    """Return the sums over all windows: shape (pairs, 7, 7)."""
    half = _WINDOW // 2
    cells = planes.reshape(-1, _SIDE // half, half, _SIDE // half, half).sum(
        axis=(2, 4)
    )
    pairs = cells[:, 1:] + cells[:, :-1]
    sums: _Planes = pairs[:, :, 1:] + pairs[:, :, :-1]
    return sums
