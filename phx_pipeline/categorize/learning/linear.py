"""Logistic regression on features, of one class against the rest.

Deterministic: the same numbers in give the same numbers out. Which pictures are fitted
on, and whether the outcome is good enough, is not decided here.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from phx_pipeline.categorize.chances import sigmoid
from phx_pipeline.categorize.learning.lbfgs import minimize

Matrix = NDArray[np.float64]
Labels = NDArray[np.intp]

_TOLERANCE: Final = 1e-6  # of a gradient, per row
_DEAD: Final = 1e-9  # a feature that varies less is the same in all pictures


@dataclass(frozen=True, slots=True, kw_only=True)
class Standardizer:
    """Brings every feature to mean 0 and standard deviation 1."""

    mean: Matrix
    scale: Matrix

    @classmethod
    def of(cls, x: NDArray[np.floating]) -> "Standardizer":
        """Return the one that standardizes the rows of *x*."""
        rows = np.asarray(x, np.float64)
        deviation = rows.std(axis=0)
        return cls(
            mean=rows.mean(axis=0), scale=np.where(deviation > _DEAD, deviation, 1.0)
        )

    def __call__(self, x: NDArray[np.floating]) -> Matrix:
        """Return *x* standardized, as float64."""
        standardized: Matrix = (np.asarray(x, np.float64) - self.mean) / self.scale
        return standardized


@dataclass(frozen=True, slots=True, kw_only=True)
class Linear:
    """Logits of k classes from d features: `weights` (k, d), `bias` (k,)."""

    weights: Matrix
    bias: Matrix

    def logits(self, x: NDArray[np.floating]) -> Matrix:
        """Return one row of k logits per row of *x*."""
        return np.asarray(x, np.float64) @ self.weights.T + self.bias

    def after(self, standardizer: Standardizer) -> "Linear":
        """Return the one that says of plain features what this says of standardized."""
        weights = self.weights / standardizer.scale
        return Linear(weights=weights, bias=self.bias - weights @ standardizer.mean)


def fit_one_against_rest(
    x: NDArray[np.floating],
    is_it: NDArray[np.bool_],
    *,
    l2: float,
    row_weights: Matrix | None = None,
) -> Linear:
    """Return the logistic regression whose one logit tells whether a row is the class.

    Minimizes the sum over rows of (weight times) the log loss, plus half of *l2* times
    the sum of the squared weights; the bias is free. So *l2* is 1/C of scikit-learn.
    """
    rows = _checked(x, len(is_it))
    heavy = np.ones(len(is_it)) if row_weights is None else row_weights
    sign = np.where(is_it, 1.0, -1.0)

    def objective(flat: Matrix) -> tuple[float, Matrix]:
        weights, bias = flat[:-1], flat[-1]
        margins = sign * (rows @ weights + bias)
        loss = heavy @ np.logaddexp(0.0, -margins)
        off = -sign * sigmoid(-margins) * heavy
        slope = np.append(off @ rows + l2 * weights, off.sum())
        return float(loss + l2 / 2 * weights @ weights), slope

    start = np.zeros(rows.shape[1] + 1)
    flat = minimize(objective, start, tolerance=_TOLERANCE * max(1.0, heavy.sum()))
    return Linear(weights=flat[None, :-1], bias=flat[-1:])


def balanced(y: Labels, *, classes: int) -> Matrix:
    """Return weights by which every class that occurs counts as much as any other."""
    counts = np.bincount(y, minlength=classes)
    present = np.count_nonzero(counts)
    weights: Matrix = len(y) / (present * counts[y])
    return weights


def _checked(x: NDArray[np.floating], rows: int) -> Matrix:
    """Return *x* as float64; `ValueError` for what no fit can be made of."""
    checked: Matrix = np.asarray(x, np.float64)
    if checked.ndim != 2 or len(checked) != rows or not rows:  # noqa: PLR2004 - a table
        raise ValueError(f"features of shape {checked.shape} for {rows} labels")
    if not np.isfinite(checked).all():
        raise ValueError("features hold NaN or infinite numbers")
    return checked
