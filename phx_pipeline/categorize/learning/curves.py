"""Curves by which a stated probability says how often it was right.

Isotonic regression on groups of reviewed pictures. Where the curve is applied is
`fusion`'s matter.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

import numpy as np
from numpy.typing import NDArray

from phx_pipeline.categorize.learning.heads import FOLDS, folds_of
from phx_pipeline.categorize.learning.scores import ONE_SIDED, SURE_AT, Share, Told
from phx_pipeline.categorize.trained import Curve
from phx_pipeline.model.taxonomy import Subject

ENOUGH: Final = 200
"""Reviewed pictures of which a backend named one; a curve of fewer is chance."""

RAISED_FROM: Final = 20
"""Reviewed pictures named so, before a subject may be believed more than stated."""

_GROUP: Final = 25  # pictures of about the same probability that make one point
_LEAST: Final = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class CurveVerdict:
    """Whether a curve is used: its Brier score on held-back houses before and after."""

    pictures: int
    curve: Curve | None
    before: float = 0.0
    after: float = 0.0

    @property
    def why(self) -> str:
        """Why it is used, or is not, in a sentence's half."""
        if self.pictures < ENOUGH:
            return f"{self.pictures} reviewed pictures of {ENOUGH} that are needed"
        better = "better" if self.curve else "no better"
        return (
            f"{better} on held-back houses: Brier score {self.before:.4f} before, "
            f"{self.after:.4f} after"
        )


def judge_curve(told: Sequence[Told], houses: Sequence[str]) -> CurveVerdict:
    """Fit a curve to what a backend said, and judge it on houses held back."""
    said = [it.probability > _LEAST for it in told]
    known = [it for it, counts in zip(told, said, strict=True) if counts]
    if len(known) < ENOUGH:
        return CurveVerdict(pictures=len(known), curve=None)
    at = [house for house, counts in zip(houses, said, strict=True) if counts]
    folds = folds_of(at, np.zeros(len(at), bool))
    before = float(np.mean([_off(it, it.probability) for it in known]))
    after = _held_back(known, folds)
    better = after < before
    return CurveVerdict(
        pictures=len(known),
        curve=fit_curve(known) if better else None,
        before=before,
        after=after,
    )


def fit_curve(told: Sequence[Told]) -> Curve:
    """Return the curve of what was seen; it never says more than that."""
    blocks: list[_Block] = []
    for pictures in _groups(told):
        block = _Block(
            stated=sum(it.probability for it in pictures),
            right=sum(it.right for it in pictures),
            pictures=len(pictures),
        )
        while blocks and blocks[-1].seen >= block.seen:
            block = blocks.pop().with_(block)
        blocks.append(block)
    return Curve(
        stated=tuple(min(1.0, it.mean) for it in blocks),
        seen=tuple(it.seen for it in blocks),
        raises=frozenset(it for it in {it.subject for it in told} if _holds(it, told)),
    )


def _groups(told: Sequence[Told]) -> list[list[Told]]:
    """Part by probability, equals together, no group smaller than `_GROUP`."""
    groups: list[list[Told]] = [[]]
    for _, equals in groupby(sorted(told, key=_probability), key=_probability):
        if len(groups[-1]) >= _GROUP:
            groups.append([])
        groups[-1].extend(equals)
    if len(groups) > 1 and len(groups[-1]) < _GROUP:
        last = groups.pop()
        groups[-1].extend(last)
    return groups


def _holds(subject: Subject, told: Sequence[Told]) -> bool:
    """Whether names of a subject are right as often as 85 promises, for all we saw."""
    named = [it for it in told if it.named is subject]
    right = Share(count=sum(it.right for it in named), of=len(named))
    return len(named) >= RAISED_FROM and right.between(ONE_SIDED)[0] >= SURE_AT


def _probability(told: Told) -> float:
    return told.probability


@dataclass(frozen=True, slots=True, kw_only=True)
class _Block:
    stated: float
    right: int
    pictures: int

    @property
    def mean(self) -> float:
        return self.stated / self.pictures

    @property
    def seen(self) -> float:
        """As if one more had been wrong: what was never seen to fail still may."""
        return self.right / (self.pictures + 1)

    def with_(self, other: "_Block") -> "_Block":
        return _Block(
            stated=self.stated + other.stated,
            right=self.right + other.right,
            pictures=self.pictures + other.pictures,
        )


def _held_back(told: Sequence[Told], folds: NDArray[np.intp]) -> float:
    off = 0.0
    for fold in range(FOLDS):
        curve = fit_curve(
            [it for it, at in zip(told, folds, strict=True) if at != fold]
        )
        for it, at in zip(told, folds, strict=True):
            if at == fold:
                off += _off(it, curve.of(it.subject, it.probability))
    return off / len(told)


def _off(told: Told, probability: float) -> float:
    return (probability - told.right) ** 2
