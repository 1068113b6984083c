from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phx_pipeline.dedup.cluster import Cluster
from phx_pipeline.dedup.evaluate import (
    Score,
    kept_in_order,
    score_clusters,
    score_pairs,
)

LABELS = ["a", "a", "a", "b", "b", "c"]


def cluster(*members: int) -> Cluster:
    return Cluster(members=tuple(map(str, members)), best=str(members[0]))


def counts(score: Score) -> tuple[int, int, int, int]:
    return (score.merged, score.right, score.lost, score.left_in)


@pytest.mark.parametrize(
    ("clusters", "expected"),
    [
        ([cluster(0, 1, 2), cluster(3, 4), cluster(5)], (4, 4, 0, 0)),
        ([cluster(0, 1), cluster(2), cluster(3, 4), cluster(5)], (2, 2, 0, 1)),
        ([cluster(0, 1, 2), cluster(3, 4, 5)], (6, 4, 1, 0)),
        ([cluster(index) for index in range(6)], (0, 0, 0, 3)),
    ],
    ids=["perfect", "a copy left in", "a photo lost", "nothing found"],
)
def test_clusters_are_counted(
    clusters: Sequence[Cluster], expected: tuple[int, int, int, int]
) -> None:
    score = score_clusters(LABELS, clusters)

    assert counts(score) == expected
    assert (score.pictures, score.photos, score.pairs) == (6, 3, 4)


def test_a_photo_with_two_pictures_kept_is_shown_twice_once() -> None:
    apart = score_clusters(LABELS, [cluster(index) for index in range(6)])
    together = score_clusters(LABELS, [cluster(0, 1, 2), cluster(3, 4), cluster(5)])

    assert (apart.twice, together.twice) == (2, 0)
    assert (apart + together).shown_twice == pytest.approx(2 / 6)


def test_precision_and_recall_are_shares_of_pairs() -> None:
    score = score_clusters(LABELS, [cluster(0, 1), cluster(2), cluster(3, 4, 5)])

    assert score.precision == pytest.approx(2 / 4)
    assert score.recall == pytest.approx(2 / 4)


def test_nothing_merged_is_precise_and_nothing_to_find_is_found() -> None:
    score = score_pairs(["a", "b"], [])

    assert (score.precision, score.recall) == (1, 1)


def test_a_picture_goes_only_for_one_that_stayed() -> None:
    assert kept_in_order(3, pairs=[(0, 1), (1, 2)]) == [0, 2]


def test_pairs_may_be_named_either_way() -> None:
    assert kept_in_order(3, pairs=[(2, 0)]) == [0, 1]


@given(st.lists(st.sampled_from("abcd"), max_size=12))
def test_the_truth_scores_full_marks(labels: list[str]) -> None:
    pairs = [
        (a, b) for b in range(len(labels)) for a in range(b) if labels[a] == labels[b]
    ]

    score = score_pairs(labels, pairs)

    assert (score.precision, score.recall) == (1, 1)
    assert (score.lost, score.left_in) == (0, 0)
