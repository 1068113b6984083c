"""Logistic regression of several classes, and the temperature of its logits.

The product fits one class against the rest; the benches compare with this.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from phx_pipeline.categorize.learning.lbfgs import minimize
from phx_pipeline.categorize.learning.linear import Labels, Linear, Matrix

_TOLERANCE: Final = 1e-7
_STEEP_ENOUGH: Final = 1e-6  # of a gradient, per row


def fit_multinomial(
    x: NDArray[np.floating],
    y: Labels,
    *,
    classes: int,
    l2: float,
    row_weights: Matrix | None = None,
) -> Linear:
    """Return the multinomial logistic regression of *y* (0..classes-1) on *x*.

    Minimizes the sum over rows of (weight times) the log loss, plus half of *l2* times
    the sum of the squared weights; the bias is free. So *l2* is 1/C of scikit-learn.
    """
    rows = np.asarray(x, np.float64)
    heavy = np.ones(len(y)) if row_weights is None else row_weights
    truth = np.eye(classes)[y]

    def objective(flat: Matrix) -> tuple[float, Matrix]:
        weights, bias = _unflattened(flat, classes)
        logits = rows @ weights.T + bias
        chances = softmax(logits)
        loss = heavy @ (_logsumexp(logits) - (logits * truth).sum(axis=1))
        off = (chances - truth) * heavy[:, None]
        slope = np.column_stack((off.T @ rows + l2 * weights, off.sum(axis=0)))
        return float(loss + l2 / 2 * (weights**2).sum()), slope.ravel()

    start = np.zeros(classes * (rows.shape[1] + 1))
    flat = minimize(objective, start, tolerance=_STEEP_ENOUGH * max(1.0, heavy.sum()))
    weights, bias = _unflattened(flat, classes)
    return Linear(weights=weights, bias=bias)


def softmax(logits: Matrix, *, temperature: float = 1.0) -> Matrix:
    """Return one row of probabilities per row of *logits*."""
    cooled = logits / temperature
    raised = np.exp(cooled - cooled.max(axis=1, keepdims=True))
    chances: Matrix = raised / raised.sum(axis=1, keepdims=True)
    return chances


def fit_temperature(logits: Matrix, y: Labels) -> float:
    """Return T by which `softmax(logits / T)` gives *y* the least log loss.

    The logits must be of rows that were held back from the fit. Above 1 the logits were
    too sure.
    """
    rows = np.arange(len(y))

    def objective(point: Matrix) -> tuple[float, Matrix]:
        inverse = np.exp(-point[0])
        scaled = logits * inverse
        loss = (_logsumexp(scaled) - scaled[rows, y]).mean()
        off = softmax(scaled)
        off[rows, y] -= 1.0
        return float(loss), np.array([-(off * scaled).sum() / len(y)])

    return float(np.exp(minimize(objective, np.zeros(1), tolerance=_TOLERANCE)[0]))


def _logsumexp(logits: Matrix) -> Matrix:
    """Return the logarithm of the sum of exponentials of each row."""
    highest = logits.max(axis=1, keepdims=True)
    total: Matrix = np.log(np.exp(logits - highest).sum(axis=1)) + highest[:, 0]
    return total


def _unflattened(flat: Matrix, classes: int) -> tuple[Matrix, Matrix]:
    table = flat.reshape(classes, -1)
    return table[:, :-1], table[:, -1]
