"""Which pairs are asked for, and that earlier answers to others change nothing."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phx_pipeline.dedup import cluster as grouping
from phx_pipeline.dedup.cluster import Cluster, Grouping, cluster
from phx_pipeline.dedup.proposals import Candidate
from phx_pipeline.model.appearance import Appearance
from phx_pipeline.model.judgement import Alike, Judgement, Method, Pair, Why
from phx_pipeline.model.photo import PictureHashes

Known = dict[Pair, Judgement]

SEEN = Appearance(
    thumbnail=b"", left=0, top=0, right=1, bottom=1, low_information=False, detail=1
)


def picture(number: int) -> Candidate:
    """A picture that has been looked at; the first ones are the largest."""
    hashes = PictureHashes(phash=0, dhash=0, trimmed_phash=0, trimmed_dhash=0)
    return Candidate(
        sha256=f"{number:03}",
        width=2000 - number,
        height=900,
        hashes=hashes,
        appearance=SEEN,
    )


def answer(
    pair: Pair, *, photos: int = 1, faults: float = 0, seed: int = 0
) -> Judgement:
    """Pictures of one number modulo *photos* are copies, but for some *faults*."""
    first, second = map(int, pair)
    dice = np.random.default_rng((first, second, seed))
    same = first % photos == second % photos
    return Judgement(
        first=pair[0],
        second=pair[1],
        method=Method.FEATURES,
        version="1",
        verdict=Alike.SAME if same ^ (dice.random() < faults) else Alike.OTHER,
        better=(*pair, None)[dice.integers(3)],
        why=list(Why)[dice.integers(len(Why))],
    )


def grouped(
    numbers: Iterable[int], known: Known, say: Callable[[Pair], Judgement] = answer
) -> list[Cluster]:
    """Group some pictures; what is asked for is added to *known*."""
    asking = Grouping([picture(it) for it in numbers], known)
    for pairs in asking.rounds():
        assert len(set(pairs)) == len(pairs)
        for it in pairs:
            known.setdefault(it, say(it))
    return asking.clusters()


@settings(max_examples=40)
@given(data=st.data(), photos=st.integers(1, 4), faults=st.sampled_from([0, 0.1, 0.4]))
@pytest.mark.parametrize("most", [30, 2_000])
def test_arrival_in_any_order_and_parts_gives_the_same_groups(
    most: int, data: st.DataObject, photos: int, faults: float
) -> None:
    order = data.draw(st.permutations(range(data.draw(st.integers(0, 36)))))
    at_first = order[: data.draw(st.integers(0, len(order)))]
    seed = data.draw(st.integers(0, 9))
    say = partial(answer, photos=photos, faults=faults, seed=seed)
    known: Known = {}

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(grouping, "MOST_LOOKS", most)
        grouped(at_first, known, say)
        found = grouped(order, known, say)

        assert found == grouped(sorted(order), {}, say)
        assert found == cluster([picture(it) for it in order], judgements=known)


@pytest.mark.parametrize(
    ("count", "most", "grey"),
    [(12, 66, 0), (60, 360, 0), (60, 420, 3), (200, 1200, 0)],
)
def test_many_copies_of_one_picture_are_not_compared_all_with_all(
    count: int, most: int, grey: int
) -> None:
    def say(pair: Pair) -> Judgement:
        found = answer(pair)
        greys = [int(it) < grey for it in pair]
        if any(greys) and not all(greys):
            return replace(found, better=pair[1], why=Why.WHOLE)
        return replace(found, why=Why.SIZE)

    asked: Known = {}

    assert len(grouped(range(count), asked, say)) == 1
    assert count - 1 <= len(asked) <= most


A_AND_B = {"010", "020", "021"}  # of two paints; 010 is of one, the others of the other


@pytest.mark.parametrize("greys", [["001"], ["001", "002", "003"], ["030", "031"]])
@pytest.mark.parametrize("share", [0.5, 0.9])
@pytest.mark.parametrize("choosing", [True, False])
def test_copies_without_colours_join_no_pictures_that_were_told_apart(
    greys: list[str], share: float, *, choosing: bool
) -> None:
    def say(pair: Pair) -> Judgement:
        told = [it for it in pair if it in A_AND_B]
        found = replace(answer(pair), better=None, why=None)
        if len(told) == 1:
            return replace(found, better=told[0], why=Why.WHOLE)
        if told and "010" in told:
            return replace(found, verdict=Alike.OTHER, share=share)
        return found

    numbers = [int(it) for it in (*greys, *A_AND_B)]
    known: Known = {}
    asking = Grouping([picture(it) for it in numbers], known)
    for pairs in asking.rounds(choosing=choosing):
        known |= {it: say(it) for it in pairs}

    found = [A_AND_B & set(it.members) for it in asking.clusters()]
    assert sorted(map(len, found)) == [1, 2]
    assert {"010"} in found


def test_pictures_that_were_told_apart_share_no_group() -> None:
    def say(pair: Pair) -> Judgement:
        verdict = Alike.SAME if "000" in pair else Alike.OTHER
        return replace(answer(pair), verdict=verdict, share=0.95, why=Why.SIZE)

    found = grouped([1, 0, 2], {}, say)

    assert {it.members for it in found} == {("000", "001"), ("002",)}


@pytest.mark.parametrize("share", [0.85, 1.0])
def test_pairs_that_are_told_apart_by_their_colours_count_as_looked_at(
    share: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    def say(pair: Pair) -> Judgement:
        found = replace(answer(pair), verdict=Alike.OTHER, share=share)
        return replace(found, method=Method.PIXELS)

    monkeypatch.setattr(grouping, "MOST_LOOKS", 10)
    known: Known = {}
    grouped(range(20), known, say)

    assert len(known) == 10


def test_a_new_copy_is_compared_by_itself() -> None:
    known: Known = {}
    grouped(range(60), known)
    before = set(known)

    grouped(range(61), known)

    assert {pair for pair in known.keys() - before if "060" not in pair} == set()


def test_a_clean_copy_among_many_marked_ones_is_found() -> None:
    def say(pair: Pair) -> Judgement:
        clean = "037" in pair
        better, why = ("037", Why.CLEAN) if clean else (pair[0], Why.DETAIL)
        return replace(answer(pair), better=better, why=why)

    (found,) = grouped(range(40), {}, say)

    assert found.best == "037"


def test_beyond_the_most_pairs_nothing_is_compared_or_joined(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(grouping, "MOST_LOOKS", 10)
    known: Known = {}

    found = grouped(range(20), known)

    assert len(known) == 10
    assert sorted(len(it.members) for it in found) == [1] * 9 + [11]
