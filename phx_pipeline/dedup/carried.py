"""What becomes of the lines of one copy in another one of the same frame and size.

Sharpening makes fine lines steeper by as much as even finer ones, and they are all
there; what blurring took is gone, the more the finer it was. Light changes all alike.
What lies beside the lines, as noise does, is the concern of `rounding`.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from phx_pipeline.dedup.frequencies import SUMS, Spectra

_COARSE, _FINE, _FINEST = (np.flatnonzero(it == SUMS) for it in (1, 3, 6))
_STEEPER: Final = 0.25  # log; sharpening leaves 0.30 or more, smoothing 0.15 at most
_SAME: Final = 0.5  # of what is finest that both have: 0.72 or more; blurred much 0.2
_BENT: Final = 1.0  # times as much for what is finest; blurring does 1.1 times or more
_LEVEL: Final = 0.12  # log by which fine lines may be steeper than coarse ones
_LEVEL_FINEST: Final = 0.25  # the same of what is finest
_NOTHING: Final = 1.0  # grey levels squared


@dataclass(frozen=True, slots=True, kw_only=True)
class _Carried:
    """How strong the lines of one copy are in the other, as logs.

    `fine` is for coarse ones, `finest` for fine ones, `same` the share of what is
    finest that follows from the other.
    """

    fine: float
    finest: float
    same: float

    @property
    def is_sharper(self) -> bool:
        is_steeper = self.fine > _STEEPER and self.finest < _BENT * self.fine
        return is_steeper and self.same > _SAME

    @property
    def is_level(self) -> bool:
        return abs(self.fine) < _LEVEL and abs(self.finest) < _LEVEL_FINEST


def sharpened(ours: Spectra, theirs: Spectra) -> int:
    """Return 1 where the first was sharpened, 2 where the second was, else 0."""
    there, back = _carried(ours, theirs), _carried(theirs, ours)
    if there.is_sharper == back.is_sharper:
        return 0
    return 2 if there.is_sharper else 1


def are_level(ours: Spectra, theirs: Spectra) -> bool:
    """Whether lines of all sizes are stronger by one factor, as light makes them."""
    return all(_carried(*it).is_level for it in ((ours, theirs), (theirs, ours)))


def _carried(ours: Spectra, theirs: Spectra) -> _Carried:
    factors, shares = [], []
    for band in (_COARSE, _FINE, _FINEST):
        x, y = ours[:, band], theirs[:, band]
        both, own, other = (float((p * q).sum()) for p, q in ((x, y), (x, x), (y, y)))
        factors.append(max(both / (own + _NOTHING), 1e-3))
        shares.append(both * abs(both) / ((own + _NOTHING) * (other + _NOTHING)))
    coarse, fine, finest = np.log(factors)
    return _Carried(fine=fine - coarse, finest=finest - fine, same=shares[-1])
