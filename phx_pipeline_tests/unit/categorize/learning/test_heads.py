"""Parting by house, and making a head less sure than its names deserve."""

import numpy as np

from phx_pipeline.categorize.chances import sigmoid
from phx_pipeline.categorize.learning.heads import Fitted, folds_of, stricter
from phx_pipeline.categorize.trained import Head

HEAD = Head(weights=np.ones(2, np.float32), bias=1.0)


def test_a_house_is_in_one_fold_and_the_examples_are_in_all() -> None:
    houses = [f"house {it // 3}" for it in range(60)]
    is_it = np.array([it % 3 == 0 and it < 15 for it in range(60)])
    folds = folds_of(houses, is_it)
    assert len({*zip(houses, folds.tolist(), strict=True)}) == 20
    assert sorted(folds[is_it].tolist()) == [0, 1, 2, 3, 4]
    again = folds_of(houses[::-1], is_it[::-1])
    assert again.tolist() == folds.tolist()[::-1]


def test_a_head_is_made_less_sure_until_its_names_are_right() -> None:
    chances = np.array([0.99, 0.95, 0.9, 0.7, 0.6, 0.2, 0.99])
    is_it = np.array([True, True, True, False, True, False])
    fitted = Fitted(head=HEAD, held_back=chances)

    strict = stricter(fitted, is_it, precision=0.95, recall=0.5)

    assert (strict.held_back[:6] >= 0.5).tolist() == [True, True, True] + [False] * 3
    assert strict.held_back[6] == strict.held_back[0] < 0.99
    moved = HEAD.bias - strict.head.bias
    np.testing.assert_allclose(
        strict.held_back, sigmoid(np.log(chances / (1 - chances)) - moved), atol=1e-6
    )


def test_a_head_that_nothing_helps_is_left_as_it_is() -> None:
    fitted = Fitted(head=HEAD, held_back=np.array([0.6, 0.9, 0.8, 0.3]))
    is_it = np.array([True, False, True, True])
    assert stricter(fitted, is_it, precision=0.95, recall=0.5) is fitted
    right = np.array([True, True, True, False])
    assert stricter(fitted, right, precision=0.95, recall=0.5) is fitted
