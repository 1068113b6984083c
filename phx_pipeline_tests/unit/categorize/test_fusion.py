from collections.abc import Sequence
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phx_pipeline.categorize.base import Vote
from phx_pipeline.categorize.fusion import fuse
from phx_pipeline.model.taxonomy import UNCATEGORIZED, Location, Subject

FOUR = frozenset({Subject.KITCHEN, Subject.BATHROOM, Subject.BEDROOM, Subject.EXTERIOR})


def vote(backend: str, subject: Subject, confidence: float) -> Vote:
    return Vote(
        backend=backend,
        location=subject.location,
        subject=subject,
        confidence=confidence,
    )


votes_strategy = st.lists(
    st.builds(
        Vote,
        backend=st.sampled_from(["text", "embedded", "clip", "llm"]),
        location=st.sampled_from(Location),
        subject=st.sampled_from(Subject),
        confidence=st.floats(0, 0.95),
    ),
    max_size=6,
)


def test_no_votes_are_uncategorized() -> None:
    assert fuse([]) == UNCATEGORIZED


def somewhere(backend: str, location: Location, confidence: float) -> Vote:
    return replace(vote(backend, Subject.UNKNOWN, confidence), location=location)


@pytest.mark.parametrize("location", [Location.EXTERIOR, Location.INTERIOR])
def test_what_nobody_names_is_where_somebody_is_sure_of(location: Location) -> None:
    category = fuse([somewhere("clip", location, 0.95)])

    assert category == replace(UNCATEGORIZED, location=location)


@pytest.mark.parametrize(
    "votes",
    [
        [somewhere("clip", Location.INTERIOR, 0.94)],
        [somewhere("clip", Location.SYSTEM, 0.99)],
        [
            somewhere("clip", Location.INTERIOR, 0.99),
            somewhere("text", Location.EXTERIOR, 0.95),
        ],
    ],
    ids=["unsure", "no place", "two places"],
)
def test_else_it_claims_no_place(votes: list[Vote]) -> None:
    assert fuse(votes) == UNCATEGORIZED


def test_a_name_counts_before_a_place() -> None:
    sure = somewhere("text", Location.INTERIOR, 0.95)

    category = fuse([sure, vote("clip", Subject.POOL, 0.4)])

    assert (category.location, category.subject) == (Location.EXTERIOR, Subject.POOL)


@pytest.mark.parametrize(
    ("confidence", "percent"), [(0.95, 95), (0.849, 84), (0.29, 29), (1.0, 99)]
)
def test_one_voter_is_taken_at_its_word_rounded_down(
    confidence: float, percent: int
) -> None:
    category = fuse([vote("text", Subject.KITCHEN, confidence)])

    assert (category.subject, category.confidence) == (Subject.KITCHEN, percent)
    assert category.location is Location.INTERIOR


@pytest.mark.parametrize(
    ("one", "other", "percent"), [(0.69, 0.50, 79), (0.85, 0.69, 95), (0.95, 0.9, 97)]
)
def test_agreement_adds_ten_up_to_ninety_seven(
    one: float, other: float, percent: int
) -> None:
    category = fuse(
        [vote("text", Subject.KITCHEN, one), vote("clip", Subject.KITCHEN, other)]
    )

    assert category.confidence == percent


def test_agreement_never_lowers_a_surer_vote() -> None:
    category = fuse(
        [vote("human", Subject.KITCHEN, 0.99), vote("clip", Subject.KITCHEN, 0.8)]
    )

    assert category.confidence == 99


def test_one_backend_cannot_agree_with_itself() -> None:
    category = fuse([vote("clip", Subject.KITCHEN, 0.7)] * 3)

    assert category.confidence == 70


def test_two_sure_voters_that_differ_go_to_review() -> None:
    category = fuse(
        [vote("text", Subject.KITCHEN, 0.95), vote("clip", Subject.LAUNDRY, 0.60)]
    )

    assert (category.subject, category.confidence) == (Subject.KITCHEN, 49)


def test_a_weak_dissent_changes_nothing() -> None:
    category = fuse(
        [vote("text", Subject.KITCHEN, 0.85), vote("clip", Subject.LAUNDRY, 0.59)]
    )

    assert (category.subject, category.confidence) == (Subject.KITCHEN, 85)


def test_a_sure_dissenter_also_disputes_two_that_agree() -> None:
    category = fuse(
        [
            vote("text", Subject.KITCHEN, 0.85),
            vote("clip", Subject.KITCHEN, 0.70),
            vote("llm", Subject.LAUNDRY, 0.80),
        ]
    )

    assert (category.subject, category.confidence) == (Subject.KITCHEN, 49)


@pytest.mark.parametrize(
    ("exact", "coarse"),
    [(Subject.MASTER, Subject.BEDROOM), (Subject.POOL, Subject.EXTERIOR)],
)
@pytest.mark.parametrize(("sure", "less"), [(0.92, 0.69), (0.65, 0.69)])
def test_a_coarser_word_does_not_contradict_and_the_exact_one_stands(
    exact: Subject, coarse: Subject, sure: float, less: float
) -> None:
    category = fuse([vote("text", exact, sure), vote("embedded", coarse, less)])

    assert category.subject is exact
    assert category.confidence == round(sure * 100)


def test_an_unsure_special_case_does_not_replace_the_sure_general_one() -> None:
    category = fuse(
        [vote("clip", Subject.MASTER, 0.3), vote("embedded", Subject.BEDROOM, 0.69)]
    )

    assert (category.subject, category.confidence) == (Subject.BEDROOM, 69)


def test_a_backend_cannot_contradict_a_subject_it_does_not_know() -> None:
    votes = [
        vote("text", Subject.LIVING, 0.92),
        vote("embedded", Subject.BEDROOM, 0.69),
    ]

    assert fuse(votes, knows={"embedded": FOUR}).confidence == 92
    assert fuse(votes).confidence == 49


@given(votes_strategy, st.randoms(use_true_random=False))
def test_the_order_of_votes_does_not_matter(votes: list[Vote], random: Random) -> None:
    shuffled = list(votes)
    random.shuffle(shuffled)

    assert fuse(shuffled, knows={"embedded": FOUR}) == fuse(
        votes, knows={"embedded": FOUR}
    )


@given(votes_strategy)
def test_the_subject_is_one_that_was_voted_for(votes: list[Vote]) -> None:
    category = fuse(votes)

    voted = {vote.subject for vote in votes} | {Subject.UNKNOWN}
    assert category.subject in voted
    assert category.confidence <= 97


@given(votes_strategy)
def test_an_undisputed_category_is_as_sure_as_its_surest_vote(
    votes: list[Vote],
) -> None:
    category = fuse(votes)

    own = [vote.confidence for vote in votes if vote.subject is category.subject]
    ceiling = max(own, default=0) + 0.10
    assert category.confidence <= round(ceiling * 100, 4)


def _subjects(votes: Sequence[Vote]) -> set[Subject]:
    return {vote.subject for vote in votes}


@given(votes_strategy)
def test_knowing_less_never_makes_a_contradiction(votes: list[Vote]) -> None:
    nothing: frozenset[Subject] = frozenset()
    knows = dict.fromkeys(["text", "embedded", "clip", "llm"], nothing)

    freed = fuse(votes, knows=knows)

    assert freed.confidence >= fuse(votes).confidence
    assert freed.subject in _subjects(votes) | {Subject.UNKNOWN}
