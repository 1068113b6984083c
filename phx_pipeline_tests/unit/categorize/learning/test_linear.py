"""The fits: where the slope is zero, and what they say of rows they never saw."""

import numpy as np
import pytest

from phx_pipeline.categorize.learning.linear import (
    Labels,
    Matrix,
    Standardizer,
    balanced,
    fit_multinomial,
    fit_one_against_rest,
    sigmoid,
    softmax,
)
from phx_pipeline.categorize.learning.scaling import fit_platt, fit_temperature

_CLASSES, _WIDTH = 3, 12


def _drawn(seed: int, rows: int = 400) -> tuple[Matrix, Labels]:
    rng = np.random.default_rng(seed)
    centres = np.random.default_rng(99).normal(size=(_CLASSES, _WIDTH))
    y = rng.integers(0, _CLASSES, rows)
    return centres[y] + rng.normal(size=(rows, _WIDTH)), y


def test_the_fit_is_where_the_slope_of_the_loss_is_zero() -> None:
    x, y = _drawn(1)
    weights = balanced(y, classes=_CLASSES)
    head = fit_multinomial(x, y, classes=_CLASSES, l2=3.0, row_weights=weights)
    off = (softmax(head.logits(x)) - np.eye(_CLASSES)[y]) * weights[:, None]
    assert np.abs(off.T @ x + 3.0 * head.weights).max() < 1e-3
    assert np.abs(off.sum(axis=0)).max() < 1e-3
    again = fit_multinomial(x, y, classes=_CLASSES, l2=3.0, row_weights=weights)
    assert np.array_equal(head.weights, again.weights)


def test_one_against_rest_is_the_two_class_fit() -> None:
    x, y = _drawn(2)
    alone = fit_one_against_rest(x, y == 0, l2=1.0)
    # Two classes share one difference of weights, so half the penalty falls on it.
    both = fit_multinomial(x, (y == 0).astype(np.intp), classes=2, l2=2.0)
    logits = both.logits(x)
    np.testing.assert_allclose(
        alone.logits(x)[:, 0], logits[:, 1] - logits[:, 0], atol=1e-3
    )


def test_a_standardizer_can_be_folded_into_the_head() -> None:
    x, y = _drawn(3)
    x[:, 4] = 7.0  # a feature that is the same everywhere
    x[:, 5] *= 1e4
    standardizer = Standardizer.of(x)
    head = fit_multinomial(standardizer(x), y, classes=_CLASSES, l2=1.0)
    folded = head.after(standardizer)
    np.testing.assert_allclose(folded.logits(x), head.logits(standardizer(x)))


def test_scaling_makes_logits_of_other_rows_as_sure_as_they_are_right() -> None:
    x, y = _drawn(4, rows=90)
    other, truth = _drawn(5, rows=3000)
    logits = 5 * fit_multinomial(x, y, classes=_CLASSES, l2=0.01).logits(other)
    heat = fit_temperature(logits, truth)
    assert heat > 4
    chances = softmax(logits, temperature=heat)
    right = chances.argmax(axis=1) == truth
    assert abs(chances.max(axis=1).mean() - right.mean()) < 0.01

    score = logits[:, 0] - logits[:, 1:].max(axis=1)
    slope, offset = fit_platt(score, truth == 0)
    assert abs(sigmoid(slope * score + offset).mean() - (truth == 0).mean()) < 0.005
    assert fit_platt(-score, truth == 0)[0] == 0.0


@pytest.mark.parametrize(
    "bad", [np.full((3, 2), np.nan), np.zeros((2, 2)), np.zeros(3)], ids=str
)
def test_what_cannot_be_fitted_is_refused(bad: Matrix) -> None:
    with pytest.raises(ValueError, match="features"):
        fit_multinomial(bad, np.array([0, 1, 0]), classes=2, l2=1.0)
