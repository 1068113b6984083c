"""The fits: where the slope is zero, and what they say of rows they never saw."""

import numpy as np
import pytest

from phx_pipeline.categorize.chances import sigmoid
from phx_pipeline.categorize.learning.linear import (
    Labels,
    Matrix,
    Standardizer,
    balanced,
    fit_one_against_rest,
)
from phx_pipeline.categorize.learning.scaling import fit_platt

_CLASSES, _WIDTH = 3, 12


def _drawn(seed: int, rows: int = 400) -> tuple[Matrix, Labels]:
    rng = np.random.default_rng(seed)
    centres = np.random.default_rng(99).normal(size=(_CLASSES, _WIDTH))
    y = rng.integers(0, _CLASSES, rows)
    return centres[y] + rng.normal(size=(rows, _WIDTH)), y


def test_the_fit_is_where_the_slope_of_the_loss_is_zero() -> None:
    x, y = _drawn(1)
    is_it = y == 0
    weights = balanced(is_it.astype(np.intp), classes=2)
    head = fit_one_against_rest(x, is_it, l2=3.0, row_weights=weights)
    off = (sigmoid(head.logits(x)[:, 0]) - is_it) * weights
    assert np.abs(off @ x + 3.0 * head.weights).max() < 1e-3
    assert np.abs(off.sum()) < 1e-3
    again = fit_one_against_rest(x, is_it, l2=3.0, row_weights=weights)
    assert np.array_equal(head.weights, again.weights)


def test_a_standardizer_can_be_folded_into_the_head() -> None:
    x, y = _drawn(3)
    x[:, 4] = 7.0  # a feature that is the same everywhere
    x[:, 5] *= 1e4
    standardizer = Standardizer.of(x)
    head = fit_one_against_rest(standardizer(x), y == 0, l2=1.0)
    folded = head.after(standardizer)
    np.testing.assert_allclose(folded.logits(x), head.logits(standardizer(x)))


def test_scaling_makes_logits_of_other_rows_as_sure_as_they_are_right() -> None:
    x, y = _drawn(4, rows=90)
    other, truth = _drawn(5, rows=3000)
    head = fit_one_against_rest(x, y == 0, l2=0.01)
    score = 5 * head.logits(other)[:, 0]
    slope, offset = fit_platt(score, truth == 0)
    assert abs(sigmoid(slope * score + offset).mean() - (truth == 0).mean()) < 0.005
    assert fit_platt(-score, truth == 0)[0] == 0.0


@pytest.mark.parametrize(
    "bad", [np.full((3, 2), np.nan), np.zeros((2, 2)), np.zeros(3)], ids=str
)
def test_what_cannot_be_fitted_is_refused(bad: Matrix) -> None:
    with pytest.raises(ValueError, match="features"):
        fit_one_against_rest(bad, np.array([True, False, True]), l2=1.0)
