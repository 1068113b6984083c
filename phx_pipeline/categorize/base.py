"""The `Categorizer` seam: the evidence of one picture in, a vote or an abstention out.

All copies of a picture are one piece of evidence, so that nobody looks at, or is billed
for, a duplicate. Which backends there are is told in `registry`.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from phx_pipeline.categorize.trained import TrainedModel
from phx_pipeline.model.source import Source
from phx_pipeline.model.taxonomy import Subject
from phx_pipeline.model.vote import Abstention, Vote

__all__ = [
    "Abstention",
    "Categorizer",
    "Evidence",
    "FeatureCache",
    "Network",
    "Said",
    "TrainedModel",
    "Vote",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """The words of one copy, as its source published them: strangers wrote them.

    `repeats` tells that its caption stands at so many photos of its listing that it
    names the house, not the photo.
    """

    source: Source
    photo_key: str
    position: int
    caption: str
    tags: tuple[str, ...]
    repeats: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """All that is known of one picture before it is named.

    `sha256` is of the original of its best copy, `said` what is told of all its copies
    in gallery order. `pixels` gives the best copy as RGB of shape (224, 224, 3); it
    raises `ImageError` or `StorageError` where the original cannot be read.
    """

    sha256: str
    said: tuple[Said, ...]
    pixels: Callable[[], NDArray[np.uint8]] = field(repr=False, compare=False)


class Categorizer(Protocol):
    """One way to tell what pictures show.

    `version` changes whenever the same evidence may get another answer; answers are
    kept under it. `knows` are the subjects it can name.
    """

    name: str
    version: str
    knows: frozenset[Subject]

    def reads(self, evidence: Evidence) -> str:
        """Return a digest of what it reads besides the best copy's bytes.

        At most 64 characters, empty for a backend that looks at pixels alone. An answer
        holds as long as bytes and digest stay.
        """
        ...

    def categorize(self, pictures: list[Evidence]) -> list[Vote | Abstention]:
        """Return one answer per picture, in the same order.

        The list holds the pictures of one house that have no answer yet: no answer may
        depend on which others are in it. A picture that cannot be read is an
        abstention; it is asked about again at the next run. So it is with an abstention
        that `is_passing`.
        """
        ...


class FeatureCache(Protocol):
    """Keeps what a network makes of pictures: costly to reckon, cheap to keep."""

    def get(self, shas: Collection[str], network: str) -> dict[str, bytes]:
        """Return the vectors (float16) that are there, by the original's SHA-256."""
        ...

    def put(self, network: str, vectors: Mapping[str, bytes]) -> None:
        """Keep vectors (float16) of *network*, in place of any that are there."""
        ...


class Network(Protocol):
    """The one way out for a backend that asks somebody else; the stages guard it."""

    def post(self, url: str, *, body: bytes, headers: Mapping[str, str]) -> bytes:
        """Return what *url* answers to *body*; `FetchError` where it does not."""
        ...
