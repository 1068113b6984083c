"""What is learnt of made-up pictures, whose classes lie apart in their features."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pytest

from phx_pipeline.categorize.fusion import FUSED
from phx_pipeline.categorize.learning.lessons import (
    EMBEDDED,
    Course,
    Other,
    Reviewed,
    learn,
)
from phx_pipeline.categorize.trained import TrainedModel
from phx_pipeline.model.taxonomy import Subject
from phx_pipeline.model.vote import Vote

S = Subject
_WIDTH = 16
_CENTRES = dict(
    zip(
        (S.KITCHEN, S.BATHROOM, S.LAUNDRY, S.BEDROOM),
        3 * np.eye(_WIDTH)[:4],
        strict=True,
    )
)


def features(subject: Subject, number: int, *, spread: float = 0.6) -> np.ndarray:
    rng = np.random.default_rng([number, sorted(_CENTRES).index(subject)])
    return np.asarray(_CENTRES[subject] + spread * rng.normal(size=_WIDTH), np.float32)


def said(told: Mapping[Subject, float]) -> tuple[Vote, ...]:
    return (Vote(backend=EMBEDDED, version="1", probabilities=told),)


def reviewed(
    subject: Subject,
    count: int,
    *,
    told: Mapping[Subject, float],
    houses: int = 20,
    start: int = 0,
) -> list[Reviewed]:
    return [
        Reviewed(
            sha256=f"{subject}{number}",
            house=f"house {number % houses}",
            subject=subject,
            votes=said(told),
            features=features(subject, number),
        )
        for number in range(start, start + count)
    ]


def others(*subjects: Subject, count: int = 40) -> list[Other]:
    return [
        Other(house=f"other {number}", subject=it, features=features(it, 500 + number))
        for it in subjects
        for number in range(count)
    ]


def course(*groups: Sequence[Reviewed], rest: Sequence[Other] = ()) -> Course:
    return Course(
        reviewed=[it for group in groups for it in group],
        others=rest or others(S.KITCHEN, S.BEDROOM),
        network="n",
    )


LAUNDRIES = reviewed(S.LAUNDRY, 20, told={S.BATHROOM: 0.6})
KITCHENS = reviewed(S.KITCHEN, 20, told={S.KITCHEN: 0.9})


def test_twenty_pictures_make_a_class_that_nobody_knew() -> None:
    lesson = learn(course(LAUNDRIES, KITCHENS))

    (laundry, _) = sorted(lesson.heads, key=lambda it: it.subject is not S.LAUNDRY)
    assert not laundry.refused
    assert laundry.recall.value >= 0.7
    assert set(lesson.model.heads) == {S.LAUNDRY}  # kitchens were named right before
    assert lesson.after[FUSED].right.count > lesson.before[FUSED].right.count
    new = np.stack([features(S.LAUNDRY, 900 + it) for it in range(50)])
    old = np.stack([features(S.BEDROOM, 900 + it) for it in range(50)])
    assert np.mean([it[S.LAUNDRY] >= 0.5 for it in lesson.model.chances(new)]) >= 0.7
    assert max(it[S.LAUNDRY] for it in lesson.model.chances(old)) < 0.5


def test_what_was_learnt_is_not_learnt_again() -> None:
    first = learn(course(LAUNDRIES, KITCHENS)).model
    known = [replace(it, known=True) for it in (*LAUNDRIES, *KITCHENS)]
    again = learn(replace(course(known), in_use=first))
    assert again.refused
    assert again.model is first


def test_a_head_stays_below_85_until_its_names_have_been_judged() -> None:
    few = learn(course(LAUNDRIES, KITCHENS))
    assert S.LAUNDRY in few.model.heads
    assert S.LAUNDRY not in few.model.judged
    more = reviewed(S.LAUNDRY, 60, told={S.BATHROOM: 0.6}, houses=30)
    lesson = learn(course(more, KITCHENS))
    (laundry,) = (it for it in lesson.heads if it.subject is S.LAUNDRY)
    assert laundry.judged
    assert S.LAUNDRY in lesson.model.judged
    surely = lesson.after[EMBEDDED].sure.of
    assert surely >= few.after[EMBEDDED].sure.of + 40


@pytest.mark.parametrize(
    ("laundries", "why"),
    [
        (LAUNDRIES[:12], "8 more reviewed pictures"),
        (reviewed(S.LAUNDRY, 25, told={}, houses=1), "pictures of 4 more houses"),
        (
            [replace(it, features=None) for it in LAUNDRIES],
            f"20 more reviewed pictures (beside 0 and {len(LAUNDRIES)} not looked at)",
        ),
    ],
)
def test_too_few_make_none_and_what_is_missing_is_told(
    laundries: list[Reviewed], why: str
) -> None:
    lesson = learn(course(laundries, KITCHENS))
    assert S.LAUNDRY not in lesson.tried.heads
    (lacking,) = (it for it in lesson.lacking if it.subject is S.LAUNDRY)
    assert why in lacking.why
    assert lesson.refused


def test_wrong_labels_are_refused() -> None:
    rows = [*LAUNDRIES, *KITCHENS, *reviewed(S.BEDROOM, 20, told={S.BEDROOM: 0.9})]
    mixed = np.random.default_rng(1).permutation(len(rows))
    wrong = [
        replace(it, subject=rows[other].subject)
        for it, other in zip(rows, mixed, strict=True)
    ]
    lesson = learn(course(wrong))
    assert len(lesson.heads) == 3
    assert all(it.refused for it in lesson.heads)
    assert not lesson.model.heads


def test_a_head_that_is_worse_than_what_is_known_is_refused() -> None:
    hard = [
        replace(it, features=features(S.KITCHEN, number, spread=4.0))
        for number, it in enumerate(KITCHENS)
    ]
    lesson = learn(course(hard, rest=others(S.BEDROOM, S.BATHROOM)))
    (kitchen,) = lesson.heads
    assert kitchen.refused
    assert lesson.model.id == TrainedModel(network="n").id


def test_a_name_that_the_class_had_before_is_no_example_against_it() -> None:
    """Laundries were called bathrooms: among what is called so may be more of them."""
    hidden = [
        replace(it, subject=S.BATHROOM)
        for it in others(S.LAUNDRY, S.BATHROOM, count=30)
    ]
    told = {S.BATHROOM: 0.9}
    lesson = learn(
        course(reviewed(S.LAUNDRY, 20, told=told), rest=[*hidden, *others(S.KITCHEN)])
    )
    (laundry,) = lesson.heads
    assert not laundry.refused


def test_a_backend_that_says_too_much_is_believed_less() -> None:
    right = reviewed(S.KITCHEN, 150, told={S.KITCHEN: 0.95}, houses=40)
    wrong = reviewed(S.BEDROOM, 90, told={S.KITCHEN: 0.95}, houses=40)
    bare = [replace(it, features=None) for it in (*right, *wrong)]
    lesson = learn(course(bare))
    verdict = lesson.curves[EMBEDDED]
    assert verdict.curve is not None
    assert verdict.after < verdict.before
    assert max(verdict.curve.seen) <= 150 / 240 + 0.01
    assert verdict.curve.raises == frozenset()
    assert lesson.after[FUSED].ece < lesson.before[FUSED].ece
    few = learn(course(bare[:100]))
    assert few.curves[EMBEDDED].curve is None
    assert "of 200" in few.curves[EMBEDDED].why


def test_a_finer_word_than_was_known_is_better() -> None:
    pools = [
        replace(it, subject=S.POOL, votes=said({S.EXTERIOR: 0.9})) for it in LAUNDRIES
    ]
    lesson = learn(course(pools, KITCHENS))
    assert set(lesson.model.heads) == {S.POOL}
    assert lesson.before[FUSED].right == lesson.after[FUSED].right


def test_features_that_are_no_numbers_are_refused() -> None:
    broken = [replace(LAUNDRIES[0], features=np.full(_WIDTH, np.nan)), *LAUNDRIES[1:]]
    with pytest.raises(ValueError, match="NaN"):
        learn(course(broken, KITCHENS))
