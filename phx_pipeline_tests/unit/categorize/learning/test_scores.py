"""Counting how good names are."""

import pytest

from phx_pipeline.categorize.learning.curves import fit_curve
from phx_pipeline.categorize.learning.scores import ONE_SIDED, Share, Told, scored
from phx_pipeline.categorize.learning.verdicts import by_chance
from phx_pipeline.model.taxonomy import Subject

S = Subject


def told(truth: Subject, subject: Subject, probability: float) -> Told:
    return Told(truth=truth, subject=subject, probability=probability)


def test_names_are_counted_by_how_sure_they_are() -> None:
    found = scored(
        [
            *[told(S.POOL, S.POOL, 0.95)] * 8,
            told(S.POOL, S.KITCHEN, 0.9),
            told(S.MASTER, S.BEDROOM, 0.6),  # a coarser word is no wrong one
            told(S.POOL, S.POOL, 0.4),
        ]
    )
    assert (found.right.count, found.named.count, found.pictures) == (9, 10, 11)
    assert (found.sure.count, found.sure.of) == (8, 9)
    assert found.coverage == {0.95: 8 / 11, 0.98: 8 / 11, 0.99: 8 / 11}
    assert found.confusion[S.POOL, S.UNKNOWN] == 1
    off = abs(8 - (8 * 0.95 + 0.9)) + 0.4 + 0.6
    assert found.ece == pytest.approx(off / 11)
    assert scored([]).right.between() == (0.0, 1.0)


def test_a_share_of_few_is_uncertain() -> None:
    low, high = Share(count=8, of=10).between()
    assert (round(low, 3), round(high, 3)) == (0.490, 0.943)  # Wilson's, 95 %
    assert Share(count=15, of=15).between(ONE_SIDED)[0] < 0.85
    assert Share(count=16, of=16).between(ONE_SIDED)[0] >= 0.85


def test_a_few_better_names_may_be_chance() -> None:
    assert by_chance(5, 0) == 1 / 32
    assert by_chance(0, 0) == 1.0
    assert by_chance(3, 3) > 0.5


def test_a_curve_rises_and_says_no_more_than_was_seen() -> None:
    sure = [told(S.POOL, S.POOL, 0.9)] * 40
    shaky = [told(S.POOL, S.POOL if it % 4 else S.ROOF, 0.6) for it in range(40)]
    odd = [told(S.POOL, S.ROOF, 0.95)] * 4  # too few for a point of their own
    curve = fit_curve([*sure, *shaky, *odd])
    assert list(curve.seen) == sorted(curve.seen)
    assert curve.of(S.POOL, 0.99) == max(curve.seen) == 40 / 45
    assert curve.of(S.ROOF, 0.9) <= 0.9
    assert S.POOL in curve.raises
