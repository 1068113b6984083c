"""What is to be said of a pair of pictures, looked at by itself.

Which pictures form a cluster follows from many pairs, and is not decided here.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from phx_pipeline.dedup.align import Agreement
from phx_pipeline.dedup.aligned import aligned, frame_moves
from phx_pipeline.dedup.proposals import Candidate, Proposed, proposed
from phx_pipeline.model.judgement import Alike, Judgement, Method, Pair, pair_of

VERSION: Final = "1"
MIN_AGREEING: Final = 0.8  # share of blocks
MIN_AGREEING_PAGE: Final = 0.9  # plans of one builder agree in outline and title
MAX_STIRRED: Final = 0.11  # share of windows: 5 of 49

_TRIMMED_ALIKE: Final = 0.02  # moves (of frames) below this are found anyway


def judged(
    candidates: Sequence[Candidate], known: Mapping[Pair, Judgement]
) -> list[Judgement]:
    """Judge the pairs that hashes propose and these rules have not judged yet.

    Plans, documents and blanks have to be strict as well. Pairs with a picture nobody
    has looked at are left out: of those the hashes alone decide.
    """
    pictures = [it for it in candidates if it.appearance is not None]
    pictures.sort(key=lambda it: it.by_size)
    found = _new(pictures, proposed(pictures), known)
    shares, same = _confirmed(pictures, found)
    return [
        _by_pixels(pictures[a], pictures[b], share=float(share), same=bool(is_same))
        for (a, b), share, is_same in zip(found.pairs, shares, same, strict=True)
    ]


def _new(
    pictures: Sequence[Candidate], found: Proposed, known: Mapping[Pair, Judgement]
) -> Proposed:
    fresh = np.array(
        [_is_new(pictures[a], pictures[b], known) for a, b in found.pairs], dtype=bool
    )
    return Proposed(pairs=found.pairs[fresh], strict=found.strict[fresh])


def _is_new(a: Candidate, b: Candidate, known: Mapping[Pair, Judgement]) -> bool:
    before = known.get(pair_of(a.sha256, b.sha256))
    return before is None or before.version != VERSION


def _by_pixels(a: Candidate, b: Candidate, *, share: float, same: bool) -> Judgement:
    first, second = pair_of(a.sha256, b.sha256)
    return Judgement(
        first=first,
        second=second,
        method=Method.PIXELS,
        version=VERSION,
        verdict=Alike.SAME if same else Alike.OTHER,
        share=None if np.isnan(share) else share,
    )


def _confirmed(
    pictures: Sequence[Candidate], proposals: Proposed
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Return the shares of agreeing blocks, and which pairs are copies."""
    pairs, strict = proposals.pairs, proposals.strict
    looks = [picture.appearance for picture in pictures]
    pages = np.array(
        [look is not None and look.low_information for look in looks], dtype=bool
    )
    page = pages[pairs[:, 0]] | pages[pairs[:, 1]]
    asked = strict | ~page
    confirmed = np.zeros(len(pairs), dtype=bool)
    shares = np.full(len(pairs), np.nan, dtype=np.float32)
    least = np.where(page, MIN_AGREEING_PAGE, MIN_AGREEING)
    found = aligned(pictures, pairs[asked])
    shares[asked] = found.shares
    # Too little to compare: the strict tier has to do.
    confirmed[asked] = _same(found, least[asked]) | (
        np.isnan(found.shares) & strict[asked]
    )
    # A flat sky may be trimmed off one copy and not the other; what is then compared is
    # only a part, so the hashes have to be strict.
    starts = frame_moves(pictures, pairs)
    again = strict & ~confirmed & (np.abs(starts).max(axis=1) > _TRIMMED_ALIKE)
    found = aligned(pictures, pairs[again], starts=starts[again])
    confirmed[again] = _same(found, least[again])
    return shares, confirmed


def _same(found: Agreement, least: NDArray[np.float64]) -> NDArray[np.bool_]:
    return (found.shares >= least) & (found.stirred <= MAX_STIRRED)
