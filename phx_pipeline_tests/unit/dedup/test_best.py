"""Which of many copies is kept, by what was judged of each two."""

from dataclasses import replace
from itertools import combinations
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phx_pipeline.dedup.best import best_of
from phx_pipeline.dedup.proposals import Candidate
from phx_pipeline.model.appearance import Appearance
from phx_pipeline.model.judgement import Alike, Judgement, Method, Why, by_pair, pair_of
from phx_pipeline.model.photo import PictureHashes

Defeat = tuple[str, str, Why]  # winner, loser

_HASHES = PictureHashes(phash=0, dhash=0, trimmed_phash=0, trimmed_dhash=0)


def copies(names: str) -> list[Candidate]:
    """Copies that only their names and places tell apart."""
    return [
        Candidate(sha256=it, width=9, height=9, hashes=_HASHES, order=("", at, it))
        for at, it in enumerate(names)
    ]


def looks(name: str) -> Appearance:
    """What is seen of a copy; the later its name, the more detail is counted."""
    return Appearance(
        thumbnail=b"",
        left=0,
        top=0,
        right=1,
        bottom=1,
        low_information=False,
        detail="abcd".index(name) + 1,
    )


def beats(winner: str, loser: str, why: Why) -> Judgement:
    first, second = pair_of(winner, loser)
    return Judgement(
        first=first,
        second=second,
        method=Method.PIXELS,
        version="1",
        verdict=Alike.SAME,
        better=winner,
        why=why,
    )


def kept(names: str, defeats: list[Defeat]) -> str:
    return best_of(copies(names), by_pair(beats(*it) for it in defeats)).sha256


@st.composite
def tournaments(draw: st.DrawFn) -> tuple[str, list[Defeat]]:
    """Some copies, and what was judged of some pairs of them."""
    names = "abcdef"[: draw(st.integers(2, 6))]
    defeats = [
        (*draw(st.permutations(pair)), draw(st.sampled_from(Why)))
        for pair in combinations(names, 2)
        if draw(st.booleans())
    ]
    return names, defeats


@pytest.mark.parametrize(
    "defeats",
    [
        [("b", "a", Why.CLEAN), ("c", "b", Why.CLEAN), ("a", "c", Why.DETAIL)],
        [("b", "a", Why.WHOLE), ("c", "b", Why.WHOLE), ("a", "c", Why.SIZE)],
    ],
)
def test_a_copy_that_is_itself_beaten_puts_no_better_one_out(
    defeats: list[Defeat],
) -> None:
    assert kept("cba", defeats) == "a"


def test_who_is_beaten_by_a_weightier_merit_is_out_in_spite_of_more_detail() -> None:
    cropped = [("a", "c", Why.UNCROPPED), ("c", "b", Why.DETAIL)]

    assert kept("cba", [("a", "b", Why.CLEAN), *cropped]) == "a"


CYCLE = [("b", "a", Why.DETAIL), ("c", "b", Why.DETAIL), ("a", "c", Why.DETAIL)]


@pytest.mark.parametrize(
    ("more", "best"),
    [
        ([], "b"),
        ([("d", "b", Why.DETAIL), ("a", "d", Why.DETAIL), ("c", "d", Why.DETAIL)], "a"),
    ],
)
def test_of_a_cycle_the_one_with_most_wins_is_kept_then_the_largest(
    more: list[Defeat], best: str
) -> None:
    group = [
        replace(it, width=10 if it.sha256 == "b" else 9, appearance=looks(it.sha256))
        for it in copies("abcd" if more else "abc")
    ]

    found = best_of(group, by_pair(beats(*it) for it in [*CYCLE, *more]))

    assert found.sha256 == best


@given(tournaments(), st.randoms(use_true_random=False))
def test_the_copy_kept_does_not_depend_on_the_order(
    tournament: tuple[str, list[Defeat]], shuffler: Random
) -> None:
    names, defeats = tournament
    judgements = by_pair(beats(*it) for it in defeats)
    group = copies(names)
    best = best_of(group, judgements)
    shuffler.shuffle(group)
    shuffler.shuffle(defeats)

    assert best_of(group, by_pair(beats(*it) for it in defeats)) == best


@given(tournaments(), st.data())
def test_a_copy_that_beats_all_others_is_kept(
    tournament: tuple[str, list[Defeat]], data: st.DataObject
) -> None:
    names, defeats = tournament
    champion = data.draw(st.sampled_from(names))
    others = [it for it in defeats if champion not in it[:2]]
    wins = [
        (champion, it, data.draw(st.sampled_from(Why)))
        for it in names
        if it != champion
    ]

    assert kept(names, [*others, *wins]) == champion
