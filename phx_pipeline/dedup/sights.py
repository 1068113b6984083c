"""Pictures in colour at a size at which marks and small things show, and their moves.

A move is an affine map of the plane, shape (2, 3): it takes a point of one picture, in
pixels of its sight with (0, 0) as the corner of the first pixel, to the point of the
other that shows the same.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from phx_pipeline.dedup.planes import Mask, Plane, slopes
from phx_pipeline.dedup.tiles import Tiles, tiles_of

SIDE: Final = 400  # px, the longest side of a sight

Sight = NDArray[np.uint8]  # shape (height, width, 3): RGB
Move = NDArray[np.float64]
Scale = tuple[float, float]

COMPARED: Final = 256  # px, the longest side at which pixels are compared
_COARSE: Final = 128  # px, at which moves are looked for first
_STEPS: Final = (6, 4)  # at most, coarse and fine
_STILL: Final = 0.01  # px; a step that moves no corner farther is the last
_CLIP: Final = 24.0  # grey levels that an overlay may pull
_LOST: Final = 1.5  # times the area; who goes that far goes astray
_DAMPING: Final = 1e-3
_LUMA: Final = np.array([0.299, 0.587, 0.114], dtype=np.float32)


def sight_of(image: Image.Image) -> Sight:
    """Return a decoded picture at `SIDE` pixels; it is never enlarged."""
    scale = min(1.0, SIDE / max(image.size))
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    small = image.resize(size, Image.Resampling.HAMMING, reducing_gap=2.0)
    return np.asarray(small.convert("RGB"))


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What pairs are judged by: the sight, and tiles at full size where it is large."""

    sight: Sight
    tiles: Tiles | None


def view_of(image: Image.Image) -> View:
    """Return what pairs are judged by, of a decoded picture."""
    return View(sight=sight_of(image), tiles=tiles_of(image))


def luminance(sight: Sight) -> Plane:
    """Return the grey levels."""
    grey: Plane = sight.astype(np.float32) @ _LUMA
    return grey


def warped(
    plane: Plane,
    move: Move,
    *,
    size: tuple[int, int],
    by: Image.Resampling = Image.Resampling.BILINEAR,
) -> tuple[Plane, Mask]:
    """Return *plane* as it lies in a frame of *size* (width, height), and where.

    *move* takes points of the frame to points of the plane. By BICUBIC less sharpness
    is lost, but lines overshoot.
    """
    coefficients = [float(value) for value in move.ravel()]
    image = Image.fromarray(plane)
    moved = image.transform(size, Image.Transform.AFFINE, coefficients, by)
    width, height = size
    x, y = np.arange(width) + 0.5, np.arange(height)[:, None] + 0.5
    across = move[0, 0] * x + move[0, 1] * y + move[0, 2]
    down = move[1, 0] * x + move[1, 1] * y + move[1, 2]
    inside = (across >= 1) & (across <= image.width - 1)
    inside &= (down >= 1) & (down <= image.height - 1)
    return np.asarray(moved), inside


def scaled(move: Move, *, before: Scale, behind: Scale) -> Move:
    """Return *move* between pictures scaled by *before* and *behind*, (x, y) each."""
    far = np.array(behind)[:, None]
    return np.column_stack((move[:, :2] * far / np.array(before), move[:, 2:] * far))


class Greys:
    """The grey levels of a sight at the sizes at which pairs are compared."""

    def __init__(self, sight: Sight) -> None:
        self._sight = sight

    @cached_property
    def fine(self) -> tuple[Plane, Scale]:
        """Those at `COMPARED` pixels, and by how much the sight shrank."""
        return _reduced(self._sight, COMPARED)

    @cached_property
    def coarse(self) -> tuple[Plane, Scale]:
        """Those at half as many."""
        return _reduced(self._sight, _COARSE)


def refined(a: Greys, b: Greys, move: Move) -> Move:
    """Return *move* from a to b, between their sights, made exact, coarse to fine.

    Lucas-Kanade with all six parameters; differences count up to a limit, so that an
    overlay does not pull.
    """
    given = move
    levels = ((a.coarse, b.coarse), (a.fine, b.fine))
    for ((ours, before), (theirs, behind)), steps in zip(levels, _STEPS, strict=True):
        there = scaled(move, before=before, behind=behind)
        there = _settled(ours, theirs, there, steps=steps)
        move = scaled(there, before=_inverse(before), behind=_inverse(behind))
    grown = np.linalg.det(move[:, :2]) / np.linalg.det(given[:, :2])
    return move if 1 / _LOST < grown < _LOST else given


def _reduced(sight: Sight, side: int) -> tuple[Plane, Scale]:
    """Return grey levels, *side* px on the longest side, and how much they shrank."""
    image = Image.fromarray(luminance(sight))
    scale = min(1.0, side / max(image.size))
    width, height = (max(1, round(it * scale)) for it in image.size)
    small = image.resize((width, height), Image.Resampling.BOX)
    return np.asarray(small), (width / image.width, height / image.height)


def _inverse(scale: Scale) -> Scale:
    return (1 / scale[0], 1 / scale[1])


def _settled(a: Plane, b: Plane, move: Move, *, steps: int) -> Move:
    """Take steps until nothing moves any more, at most so many."""
    height, width = a.shape
    corners = np.array(((0, width, 0, width), (0, 0, height, height), (1, 1, 1, 1)))
    for _ in range(steps):
        before, move = move, _stepped(a, b, move)
        if np.abs((move - before) @ corners).max() < _STILL:
            break
    return move


def _stepped(a: Plane, b: Plane, move: Move) -> Move:
    """Take one Gauss-Newton step."""
    height, width = a.shape
    moved, inside = warped(b, move, size=(width, height))
    error = np.clip(a - lit_like(a, moved, inside), -_CLIP, _CLIP) * inside
    down, across = slopes(moved)
    x = (np.arange(width, dtype=np.float32) + 0.5) / width - 0.5
    y = ((np.arange(height, dtype=np.float32) + 0.5) / height - 0.5)[:, None]
    across, down = across * inside, down * inside
    columns = np.stack(
        (across * x, across * y, across, down * x, down * y, down)
    ).reshape(6, -1)
    normal = (columns @ columns.T).astype(np.float64)
    normal += np.eye(6) * (_DAMPING * np.trace(normal) / 6 + 1e-6)
    change = np.linalg.solve(normal, (columns @ error.ravel()).astype(np.float64))
    turn = change.reshape(2, 3)
    # From places of the middle to pixels from the corner.
    grown = np.column_stack((turn[:, 0] / width, turn[:, 1] / height))
    shift = turn[:, 2] - (turn[:, 0] + turn[:, 1]) / 2
    step = np.column_stack((np.eye(2) + grown, shift))
    return composed(move, step)


def composed(second: Move, first: Move) -> Move:
    """Return the move that does *first*, then *second*."""
    turn = second[:, :2] @ first[:, :2]
    return np.column_stack((turn, second[:, :2] @ first[:, 2] + second[:, 2]))


def lit_like(a: Plane, b: Plane, inside: Mask) -> Plane:
    """Return b with the brightness and contrast of a, where both are seen."""
    if not inside.any():
        return b
    ours, theirs = a[inside], b[inside]
    gain = (ours.std() + 1) / (theirs.std() + 1)
    lit: Plane = (b - theirs.mean()) * gain + ours.mean()
    return lit
