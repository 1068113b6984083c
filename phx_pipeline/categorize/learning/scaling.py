"""Platt scaling: logits made to say how often they are right."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from phx_pipeline.categorize.chances import sigmoid
from phx_pipeline.categorize.learning.lbfgs import minimize
from phx_pipeline.categorize.learning.linear import Matrix

_TOLERANCE: Final = 1e-7


def fit_platt(
    scores: Matrix, is_it: NDArray[np.bool_], *, weights: Matrix | None = None
) -> tuple[float, float]:
    """Return (slope, offset) by which `sigmoid(slope * score + offset)` is calibrated.

    Platt's own targets, not 0 and 1, keep a few cases from being certain. Scores must
    be of rows that were held back. A slope that would turn the order round is 0.
    *weights* tell how much each row counts.
    """
    heavy = np.ones(len(scores)) if weights is None else weights
    heavy = heavy / heavy.sum()
    yes = int(is_it.sum())
    no = len(is_it) - yes
    target = np.where(is_it, (yes + 1) / (yes + 2), 1 / (no + 2))
    centre, width = float(scores.mean()), float(scores.std()) or 1.0
    spread = (scores - centre) / width

    def objective(point: Matrix) -> tuple[float, Matrix]:
        logits = point[0] * spread + point[1]
        loss = np.logaddexp(0.0, logits) - target * logits
        off = (sigmoid(logits) - target) * heavy
        return float(loss @ heavy), np.array([off @ spread, off.sum()])

    slope, offset = minimize(objective, np.zeros(2), tolerance=_TOLERANCE)
    if slope < 0:
        share = float(heavy @ target)
        return 0.0, float(np.log(share / (1 - share)))
    return float(slope / width), float(offset - slope * centre / width)
