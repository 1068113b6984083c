"""One head: it tells the pictures of a subject from all others.

Whether it is good enough to be used is `verdicts`' matter.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

import numpy as np
from numpy.typing import NDArray

from phx_pipeline.categorize.chances import sigmoid
from phx_pipeline.categorize.learning.linear import (
    Linear,
    Matrix,
    balanced,
    fit_one_against_rest,
)
from phx_pipeline.categorize.learning.scaling import fit_platt
from phx_pipeline.categorize.trained import Head

PRIOR: Final = 0.05
"""Of how many pictures one shows a subject, before anything is known of it."""

FOLDS: Final = 5

_LIKELY: Final = 0.5
_LEAST: Final = 1e-9
_L2: Final = 10.0  # for features as the network gives them; 3 to 30 do as well


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rows:
    """Pictures by their features (n, d), and the house of each."""

    features: NDArray[np.floating]
    houses: tuple[str, ...]

    def __len__(self) -> int:
        """Return how many pictures there are."""
        return len(self.houses)

    def __add__(self, other: "Rows") -> "Rows":
        """Return the pictures of both, these first."""
        return Rows(
            features=np.concatenate([self.features, other.features]),
            houses=self.houses + other.houses,
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fitted:
    """A head, and what it says of each row when that row's house is held back."""

    head: Head
    held_back: Matrix


def fit_head(
    rows: Rows,
    is_it: NDArray[np.bool_],
    *,
    folds: NDArray[np.intp],
    fitted_on: NDArray[np.bool_] | None = None,
    easy: NDArray[np.bool_] | None = None,
) -> Fitted:
    """Fit a head to tell the rows where *is_it* from the others.

    It is calibrated on what it says of held-back houses, as if one picture in twenty
    showed its subject: how many of the reviewed ones do says nothing of a house.

    Args:
        rows: the pictures.
        is_it: which of them show the subject.
        folds: of each row, as `folds_of` makes them; there must be examples and
            others beyond each fold.
        fitted_on: rows that may be fitted on; the rest is only judged. Default all.
        easy: rows that were chosen because they are easy to tell: they say nothing of
            how sure the head may be. Default none.
    """
    usable = np.ones(len(rows), bool) if fitted_on is None else fitted_on
    logits = np.empty(len(rows))
    for fold in np.unique(folds):
        apart = folds == fold
        fit = _fit(rows, is_it, usable & ~apart)
        logits[apart] = fit.logits(rows.features[apart])[:, 0]
    fair = usable if easy is None or is_it[usable & ~easy].all() else usable & ~easy
    known = is_it[fair]
    slope, offset = fit_platt(logits[fair], known, weights=_as_in_a_house(known))
    head = _fit(rows, is_it, usable)
    return Fitted(
        head=Head(
            weights=(slope * head.weights[0]).astype(np.float32),
            bias=float(slope * head.bias[0] + offset),
        ),
        held_back=sigmoid(slope * logits + offset),
    )


def stricter(
    fitted: Fitted, is_it: NDArray[np.bool_], *, precision: float, recall: float
) -> Fitted:
    """Return the head, less sure of all by as much as its held-back names ask for.

    Of the first rows, for which *is_it* is given, so many of those that it finds likely
    are right then as *precision* says. A head that would find less than *recall* of
    them is left as it is: nothing helps it.
    """
    said = fitted.held_back[: len(is_it)]
    for limit in (_LIKELY, *np.unique(said[said > _LIKELY]).tolist()):
        found = said >= limit
        right = np.count_nonzero(found & is_it)
        if right < recall * np.count_nonzero(is_it):
            break
        if right >= precision * np.count_nonzero(found):
            return _less_sure(fitted, limit=limit) if limit > _LIKELY else fitted
    return fitted


def _less_sure(fitted: Fitted, *, limit: float) -> Fitted:
    """Make *limit* the least that is likely."""
    below = min(float(np.nextafter(limit, 0.0)), 1 - _LEAST)
    by = max(0.0, float(np.log(below / (1 - below))))
    chances = np.clip(fitted.held_back, _LEAST, 1 - _LEAST)
    return Fitted(
        head=Head(weights=fitted.head.weights, bias=fitted.head.bias - by),
        held_back=sigmoid(np.log(chances / (1 - chances)) - by),
    )


def folds_of(houses: Sequence[str], is_it: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Part rows by house, the examples as evenly as their houses allow.

    The same houses are parted alike every time, in whichever order they come.
    """
    with_examples = {house for house, it in zip(houses, is_it, strict=True) if it}
    order = sorted(set(houses), key=lambda it: (it not in with_examples, _mixed(it)))
    place = {house: number % FOLDS for number, house in enumerate(order)}
    return np.array([place[house] for house in houses], np.intp)


def _mixed(house: str) -> str:
    return sha256(house.encode()).hexdigest()


def _fit(rows: Rows, is_it: NDArray[np.bool_], where: NDArray[np.bool_]) -> Linear:
    known = is_it[where]
    return fit_one_against_rest(
        rows.features[where],
        known,
        l2=_L2,
        row_weights=balanced(known.astype(np.intp), classes=2),
    )


def _as_in_a_house(is_it: NDArray[np.bool_]) -> Matrix:
    """Weights by which the examples are as rare as `PRIOR` says."""
    yes = max(1, int(is_it.sum()))
    no = max(1, len(is_it) - yes)
    weights: Matrix = np.where(is_it, PRIOR / yes, (1 - PRIOR) / no) * len(is_it)
    return weights
