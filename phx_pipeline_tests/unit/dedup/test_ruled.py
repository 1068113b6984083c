"""What people ruled comes before what was judged."""

from itertools import combinations

import pytest

from phx_pipeline.dedup.cluster import cluster
from phx_pipeline.dedup.proposals import Candidate
from phx_pipeline.model.judgement import Pair, Ruled
from phx_pipeline.model.photo import PictureHashes

SAME = 0
OTHER = 2**64 - 1


def picture(name: str, bits: int, *, width: int = 800) -> Candidate:
    hashes = PictureHashes(
        phash=bits, dhash=bits, trimmed_phash=bits, trimmed_dhash=bits
    )
    return Candidate(sha256=name, width=width, height=600, hashes=hashes)


def groups(
    pictures: list[Candidate], *, apart: str = "", together: str = ""
) -> set[str]:
    """Group them by what was ruled of pairs, written as in "ab bc"."""
    ruled = Ruled(apart=pairs(apart), together=pairs(together))
    found = cluster(pictures, judgements={}, ruled=ruled)
    return {"".join(it.members) for it in found}


def pairs(written: str) -> frozenset[Pair]:
    return frozenset((it[0], it[1]) for it in written.split())


COPIES = [picture("a", SAME), picture("b", SAME), picture("c", SAME, width=900)]
STRANGERS = [picture("a", SAME), picture("b", OTHER), picture("c", OTHER)]


@pytest.mark.parametrize(
    ("apart", "expected"),
    [
        ("", {"abc"}),
        ("ab", {"ac", "b"}),
        ("ac bc", {"ab", "c"}),
        ("ab ac", {"a", "bc"}),
    ],
)
def test_parted_pictures_share_no_cluster(apart: str, expected: set[str]) -> None:
    assert groups(COPIES, apart=apart) == expected


def test_joined_pictures_share_a_cluster_with_all_their_copies() -> None:
    assert groups(STRANGERS, together="ab") == {"abc"}


def test_a_pair_is_not_joined_where_that_would_join_a_parted_one() -> None:
    assert groups(STRANGERS, together="ab", apart="ac") == {"a", "bc"}


def test_rulings_on_pictures_that_are_not_there_are_left_alone() -> None:
    assert groups(COPIES, apart="ax", together="xy") == {"abc"}


def test_the_order_of_pictures_does_not_matter_to_rulings() -> None:
    letters = "abcd"
    pictures = [picture(name, SAME) for name in letters]
    for a, b in combinations(letters, 2):
        forward = groups(pictures, apart=a + b)
        assert forward == groups(pictures[::-1], apart=a + b)
        assert len(forward) == 2
