"""How near two hashes have to be, to the bit, and what aligned pixels add to that."""

from dataclasses import replace

import numpy as np
import pytest

from phx_pipeline.dedup.confirm import confirmed
from phx_pipeline.dedup.proposals import Candidate, Proposed, proposed
from phx_pipeline.model.appearance import Appearance
from phx_pipeline.model.photo import PictureHashes


def candidate(name: str, *, phash: int, dhash: int) -> Candidate:
    hashes = PictureHashes(
        phash=phash, dhash=dhash, trimmed_phash=phash, trimmed_dhash=dhash
    )
    return Candidate(sha256=name, width=1024, height=768, hashes=hashes)


def bits(count: int) -> int:
    return (1 << count) - 1


@pytest.mark.parametrize(
    ("phash", "dhash", "told"),
    [
        (0, 0, "strict, wide"),
        (8, 10, "strict, wide"),
        (9, 0, "wide"),
        (8, 11, "wide"),  # of a plan, outlines are not enough
        (0, 64, "wide"),
        (16, 64, "wide"),
        (17, 0, "far"),
        (24, 0, "far"),
        (25, 0, ""),
    ],
)
def test_pairs_are_as_near_as_both_their_hashes(
    phash: int, dhash: int, told: str
) -> None:
    one = candidate("a", phash=0, dhash=0)
    other = candidate("b", phash=bits(phash), dhash=bits(dhash))

    found = proposed([one, other])

    names = zip(("strict", "wide"), (found.strict, found.wide), strict=True)
    words = [name for name, column in names if column.any()]
    assert (", ".join(words) or "far" * len(found.pairs)) == told


@pytest.mark.parametrize(
    ("pages", "is_strict", "is_same"),
    [
        ((False, False), False, True),
        ((True, False), False, False),  # it may be a plan of the same builder
        ((False, True), False, False),
        ((True, True), False, False),
        ((True, False), True, True),
        ((True, True), True, True),
    ],
)
def test_pixels_that_agree_are_enough_unless_one_is_a_plan(
    pages: tuple[bool, bool], *, is_strict: bool, is_same: bool
) -> None:
    coarse = np.random.default_rng(1).integers(0, 255, (16, 16), dtype=np.uint8)
    seen = Appearance(
        thumbnail=np.kron(coarse, np.ones((4, 4), dtype=np.uint8)).tobytes(),
        left=0.0,
        top=0.0,
        right=1.0,
        bottom=1.0,
        low_information=False,
    )
    pictures = [
        replace(
            candidate(str(at), phash=0, dhash=0),
            appearance=replace(seen, low_information=is_page),
        )
        for at, is_page in enumerate(pages)
    ]
    pair = Proposed(
        pairs=np.array([[0, 1]]), strict=np.array([is_strict]), wide=np.array([True])
    )

    (found,) = confirmed(pictures, pair)

    assert found.is_same is is_same
    assert (found.is_page, found.are_pages) == (any(pages), all(pages))
