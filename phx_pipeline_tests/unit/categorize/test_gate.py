"""A head is believed where the words agree, and says what it is worth elsewhere."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from phx_pipeline.categorize.gate import SUREST, UNSURE, Opinion, weighed
from phx_pipeline.categorize.heads import Heads
from phx_pipeline.categorize.words import UNDECIDED, VAT, WORDS
from phx_pipeline.model.taxonomy import Subject

HEADS = Heads(
    subjects=(Subject.KITCHEN, Subject.BEDROOM),
    rooms=np.zeros((2, 1281), np.float32),
    outdoors=np.zeros(1281, np.float32),
    known=np.array([2.0, 0.5, 2.5]),
)
STOVE, QUILT, DESK, HOTDOG, BATHTUB = 827, 750, 526, 934, 435
INSIDE, OUTSIDE = -6.0, 6.0  # logits of outdoors
(SOFA,) = UNDECIDED


def said(**shares: float) -> NDArray[np.float32]:
    numbers = {
        "stove": STOVE,
        "quilt": QUILT,
        "desk": DESK,
        "sofa": SOFA,
        "bathtub": BATHTUB,
        "vat": VAT,
    }
    words = np.zeros(1000, np.float32)
    for word, share in shares.items():
        words[numbers[word]] = share
    words[HOTDOG] += 1 - words.sum()
    return words


def opinion(
    words: NDArray[np.float32],
    *,
    kitchen: float = 5.0,
    outdoors: float = INSIDE,
    heads: Heads = HEADS,
) -> Opinion:
    (told,) = weighed(
        heads,
        logits=np.array([[kitchen, 0.0]]),
        outdoors=np.array([outdoors]),
        words=words[None],
    )
    return told


def test_head_and_words_together_make_it_sure() -> None:
    told = opinion(said(stove=0.6))

    assert told.sure
    assert 0.9 < told.probabilities[Subject.KITCHEN] <= SUREST


@pytest.mark.parametrize(
    ("words", "kitchen"),
    [
        ({"stove": 0.32}, 5.0),  # too few of its own
        ({"stove": 0.4, "quilt": 0.5}, 5.0),  # the words speak of another
        ({"stove": 0.4, "desk": 0.5}, 5.0),  # and of one the heads do not know
        ({"stove": 0.6}, 1.0),  # the head is in doubt
        ({}, 9.0),  # the surest head alone
    ],
)
def test_one_without_the_other_does_not(
    words: Mapping[str, float], kitchen: float
) -> None:
    told = opinion(said(**words), kitchen=kitchen)

    assert not told.sure
    assert max(told.probabilities.values()) <= UNSURE


@pytest.mark.parametrize("outdoors", [OUTSIDE, 0.0, -1.7])  # of 0.85: -1.73
def test_no_room_is_likelier_than_that_the_picture_was_taken_inside(
    outdoors: float,
) -> None:
    told = opinion(said(stove=0.6, desk=0.3), outdoors=outdoors)

    assert not told.sure
    for subject in (Subject.KITCHEN, Subject.BEDROOM, Subject.OFFICE):
        assert told.probabilities[subject] <= 1 - told.outside


def test_nor_is_what_stands_outside_likelier_than_that_it_was_taken_there() -> None:
    heads = replace(HEADS, subjects=(Subject.EXTERIOR, Subject.BEDROOM))
    words = np.zeros(1000, np.float32)
    words[list(WORDS[Subject.EXTERIOR])] = 1 / len(WORDS[Subject.EXTERIOR])

    out, doubtful, inside = (
        opinion(words, outdoors=it, heads=heads) for it in (OUTSIDE, 0.0, INSIDE)
    )

    assert out.sure
    assert not doubtful.sure
    assert doubtful.probabilities[Subject.EXTERIOR] <= 0.5
    assert inside.probabilities[Subject.EXTERIOR] < 0.01


def test_a_vat_is_no_bathroom() -> None:
    heads = replace(HEADS, subjects=(Subject.BATHROOM, Subject.BEDROOM))

    tub = opinion(said(bathtub=0.5, vat=0.3), heads=heads)
    spa = opinion(said(bathtub=0.4, vat=0.5), heads=heads)

    assert tub.sure
    assert not spa.sure
    assert max(spa.probabilities.values()) < 0.5


def test_a_sofa_decides_between_no_two_rooms_but_is_a_first_guess() -> None:
    assert opinion(said(stove=0.4, sofa=0.6)).sure
    told = opinion(said(sofa=0.9), kitchen=0.1).probabilities
    assert max(told, key=told.__getitem__) is Subject.LIVING


def test_what_no_head_knows_is_believed_as_far_as_the_words_go() -> None:
    told = opinion(said(desk=0.6), kitchen=2.0).probabilities

    assert 0.5 < told[Subject.OFFICE] < 0.6
    assert opinion(said(desk=1.0)).probabilities[Subject.OFFICE] <= UNSURE


@given(
    st.lists(st.floats(-20, 20), min_size=2, max_size=2),
    st.lists(st.floats(0, 1), min_size=len(WORDS), max_size=len(WORDS)),
)
def test_whatever_is_said_are_probabilities(
    logits: list[float], shares: list[float]
) -> None:
    words = np.full((1, 1000), 1e-9, np.float32)
    for labels, share in zip(WORDS.values(), shares, strict=True):
        words[0, list(labels)] = share / len(labels)
    words /= words.sum()

    (told,) = weighed(
        HEADS, logits=np.array([logits]), outdoors=np.array([INSIDE]), words=words
    )

    assert all(0 <= p <= SUREST for p in told.probabilities.values())
    assert sum(told.probabilities.values()) <= 1 + 1e-6
    assert (max(told.probabilities.values()) > UNSURE) == told.sure


def test_no_label_speaks_for_two_subjects() -> None:
    labels = [at for group in WORDS.values() for at in group]

    assert len(labels) == len(set(labels))
    assert set(labels) >= UNDECIDED
