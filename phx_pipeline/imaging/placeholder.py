"""Cards that stand where a photo is missing: words or a sign on an empty ground.

Told from pixels alone. Photos, plans, maps and documents must never pass for one, so
each of several signs is asked for; a card that lacks one of them stays a picture.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

# A card has at least, or at most; beside it the nearest of what must not pass.
MIN_STILL: Final = 0.7  # share of pixels like their neighbours
MIN_GROUND: Final = 0.8  # share of pixels of the ground; photos have 0.49
MIN_INK: Final = 0.002  # share of pixels that stand out; blanks have none
MAX_SPREAD: Final = 0.28  # share of cells with ink; pages of text 0.33, plans 0.34
MAX_HALFWAY: Final = 0.55  # share of ink between ground and full: shadows fade
MIN_LETTERS: Final = 4  # marks on one line

_SIDE: Final = 256  # px, or up to twice it, of the longest side
_POINTS: Final = 96  # per side, by which the ground is found
_LEAST_POINTS: Final = 50
_STILL: Final = 3.0  # grey levels between neighbours
_NEAR: Final = 10.0  # grey levels from the ground
_INK: Final = 20.0
_CELLS: Final = 12  # per side
_CELL_INK: Final = 0.01  # share of its pixels
_LINE_HEIGHT: Final = 0.25  # of the height, at most
_ROUNDS: Final = 6
_BAR_FILL: Final = 0.9  # of a row that belongs to a bar
_LINE_FILL: Final = 0.75  # of a row or column that belongs to a frame

_Pixels = NDArray[np.float32]  # height x width x 3
_Plane = NDArray[np.float32]
_Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class CardSigns:
    """What is measured of a picture; shares are 0 to 1.

    `halfway` is how much of the ink lies between ground and full: drawn ink has sharp
    edges, shadows fade. `letters` counts the marks on the fullest line.
    """

    still: float
    ground: float = 0.0
    ink: float = 1.0
    spread: float = 1.0
    halfway: float = 1.0
    letters: int = 0

    @property
    def is_card(self) -> bool:
        """Whether all signs are there."""
        return (
            self.still >= MIN_STILL
            and self.ground >= MIN_GROUND
            and self.ink >= MIN_INK
            and self.spread <= MAX_SPREAD
            and self.halfway <= MAX_HALFWAY
            and self.letters >= MIN_LETTERS
        )


def is_card(image: Image.Image) -> bool:
    """Tell from an RGB picture."""
    return card_signs(image).is_card


def card_signs(image: Image.Image) -> CardSigns:
    """Measure an RGB picture; the later signs only where the first ones are there."""
    small = image.reduce(max(1, max(image.size) // _SIDE))
    pixels = np.asarray(small).astype(np.float32)
    still = _still(pixels)
    share = float(still.mean())
    apart = _from_ground(pixels, still) if share >= MIN_STILL else None
    if apart is None:
        return CardSigns(still=share)
    apart = _without_frame(apart)
    ink = apart > _INK
    ground = float((apart <= _NEAR).mean())
    if ground < MIN_GROUND or not ink.any():
        return CardSigns(still=share, ground=ground, ink=float(ink.mean()))
    full = float(np.percentile(apart[ink], 95))
    halfway = (apart > 0.15 * full) & (apart < 0.5 * full)
    return CardSigns(
        still=share,
        ground=ground,
        ink=float(ink.mean()),
        spread=_spread(ink),
        halfway=float(halfway.sum() / (apart > 0.15 * full).sum()),
        letters=_letters(apart > max(_INK, 0.3 * full)),
    )


def _still(pixels: _Pixels) -> _Mask:
    """Return which pixels hardly differ from the four around them."""
    still = np.ones(pixels.shape[:2], dtype=bool)
    across = np.abs(np.diff(pixels, axis=1)).max(axis=2) <= _STILL
    down = np.abs(np.diff(pixels, axis=0)).max(axis=2) <= _STILL
    still[:, 1:] &= across
    still[:, :-1] &= across
    still[1:] &= down
    still[:-1] &= down
    return still


def _from_ground(pixels: _Pixels, still: _Mask) -> _Plane | None:
    """Return how far each pixel is from the ground, in grey levels of any channel.

    The ground is flat or fades: the surface of second degree that most still pixels
    lie on. None where there is none.
    """
    surface = _second_degree(still.shape)
    step = max(1, max(still.shape) // _POINTS)
    terms, seen = surface[::step, ::step][still[::step, ::step]], pixels[::step, ::step]
    colours = seen[still[::step, ::step]]
    if len(colours) < _LEAST_POINTS:
        return None
    found = np.zeros((terms.shape[1], 3))
    found[0] = np.median(colours, axis=0)
    for _ in range(_ROUNDS):
        off = np.abs(terms @ found - colours).max(axis=1)
        on = off <= max(8.0, 1.5 * float(np.median(off)))
        if on.sum() < _LEAST_POINTS:
            return None
        found = np.linalg.lstsq(terms[on], colours[on], rcond=None)[0]
    apart: _Plane = np.abs(surface @ found - pixels).max(axis=2)
    return apart


def _second_degree(shape: tuple[int, ...]) -> _Pixels:
    height, width = shape
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j].astype(np.float32)
    terms = (np.ones_like(x), x, y, x * x, y * y, x * y)
    return np.stack(terms, axis=-1)


def _without_frame(apart: _Plane) -> _Plane:
    """Cut off bars at top and bottom, and a frame line near the edges."""
    filled = apart > _INK
    rows, columns = filled.mean(axis=1), filled.mean(axis=0)
    top, bottom = _edge(rows), _edge(rows[::-1])
    left, right = _edge(columns), _edge(columns[::-1])
    height, width = apart.shape
    return apart[top : height - bottom, left : width - right]


def _edge(shares: NDArray[np.float64]) -> int:
    """Return how many lines to cut: up to the last filled one near enough."""
    near = len(shares) // 5
    bars = np.flatnonzero(shares[:near] > _BAR_FILL)
    lines = np.flatnonzero(shares[: len(shares) // 22] > _LINE_FILL)
    last = max((int(found[-1]) for found in (bars, lines) if found.size), default=-1)
    return last + 3  # with the soft edge


def _spread(ink: _Mask) -> float:
    """Return the share of cells that have ink."""
    height, width = ink.shape
    down = np.arange(height) * _CELLS // height
    across = np.arange(width) * _CELLS // width
    cells = (down[:, None] * _CELLS + across).ravel()
    counts = np.bincount(cells, weights=ink.ravel(), minlength=_CELLS**2)
    sizes = np.bincount(cells, minlength=_CELLS**2)
    return float((counts > _CELL_INK * sizes).mean())


def _letters(ink: _Mask) -> int:
    """Return how many marks stand side by side on the fullest line of text."""
    most = 0
    for top, bottom in _runs(ink.max(axis=1)):
        if bottom - top <= _LINE_HEIGHT * len(ink):
            most = max(most, len(_runs(ink[top:bottom].max(axis=0))))
    return most


def _runs(filled: _Mask) -> list[tuple[int, int]]:
    """Return where each run of true values starts and ends."""
    steps = np.flatnonzero(np.diff(filled, prepend=False, append=False))
    return [(int(a), int(b)) for a, b in zip(steps[::2], steps[1::2], strict=True)]
