"""What was judged of two pictures of a house, once: are they copies, which is better.

People's rulings stand above it (`Ruled`).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

Pair = tuple[str, str]
"""The SHA-256 of two originals, in rising order."""


class Alike(StrEnum):
    """Whether two pictures are copies of one; `UNSURE`: they stay apart."""

    SAME = "same"
    OTHER = "other"
    UNSURE = "unsure"


class Method(StrEnum):
    """What the judgement rests on, the cheapest first."""

    PIXELS = "pixels"
    FEATURES = "features"


class Why(StrEnum):
    """What makes one of two copies the better one, the weightiest first.

    `WHOLE`: the other lacks a large part or its colours; `TONES`: the other lost tones,
    as it was made brighter or harder, or has few levels; `CLEAN`: the other has
    something laid over or around it, or a blurred part; `UNCROPPED`: the other shows
    less of the scene; `DETAIL`: the other is blurred, enlarged or coarse, or its
    surplus is noise or sharpening; `SIZE`: the other is as fine, and has fewer bytes
    for a pixel; `TIE`: nothing tells them apart.
    """

    WHOLE = "whole"
    TONES = "tones"
    CLEAN = "clean"
    UNCROPPED = "uncropped"
    DETAIL = "detail"
    SIZE = "size"
    TIE = "tie"


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What was found of the pair (`first`, `second`), in the order of their SHA-256.

    `version` names the rules that judged. `share` is how many of the blocks that can be
    compared agree (0 to 1), `inliers` how many features lie where one movement puts
    them; each is None where it was not asked. `better` is one of the two and `why` its
    merit, of copies only; a tie has no better one.
    """

    first: str
    second: str
    method: Method
    version: str
    verdict: Alike
    share: float | None = None
    inliers: int | None = None
    better: str | None = None
    why: Why | None = None

    @property
    def pair(self) -> Pair:
        """Both originals."""
        return (self.first, self.second)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruled:
    """Pairs that people parted or joined; these count more than any judgement."""

    apart: frozenset[Pair] = frozenset()
    together: frozenset[Pair] = frozenset()


def pair_of(a: str, b: str) -> Pair:
    """Return both in rising order."""
    return (a, b) if a < b else (b, a)


def by_pair(judgements: Iterable[Judgement]) -> dict[Pair, Judgement]:
    """Return judgements by their pair."""
    return {it.pair: it for it in judgements}
