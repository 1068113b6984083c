"""Looks at the pictures: a small network's features, heads on them, and its own words.

The default that needs nobody's words and no service. What features and words amount to
is decided in `gate`; what people's reviews taught comes with a `TrainedModel`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from phx_pipeline.categorize import drawing, gate, heads
from phx_pipeline.categorize.base import Abstention, Evidence, FeatureCache, Vote
from phx_pipeline.categorize.gate import opinions
from phx_pipeline.categorize.network.session import (
    FEATURES,
    NETWORK,
    Network,
    NetworkError,
)
from phx_pipeline.categorize.trained import TrainedModel
from phx_pipeline.categorize.words import WORDS
from phx_pipeline.errors import ImageError, StorageError
from phx_pipeline.model.taxonomy import Subject

_RULES: Final = 2  # rises where gate, words or drawing would give other answers


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Seen:
    """What is kept of one picture: 1,280 features, and its share of even ground."""

    features: NDArray[np.float16]
    ground: float


class EmbeddedCategorizer:
    """Names what it was trained on, and guesses where ImageNet has a word for it.

    Above 0.84 it names only subjects that labelled photos have judged: those of the
    shipped heads, and those that reviews found to be right (`TrainedModel.judged`).
    """

    name = "embedded"
    knows: frozenset[Subject] = frozenset({*WORDS, Subject.DOCUMENT})

    def __init__(
        self,
        *,
        cache_dir: Path,
        features: FeatureCache,
        trained: TrainedModel | None = None,
    ) -> None:
        self._network = Network(cache_dir)
        self._features = features
        self._trained = trained
        self.knows = type(self).knows | frozenset(
            self._trained.heads if self._trained else ()
        )
        self.version = _version(self._trained)

    def reads(self, evidence: Evidence) -> str:
        """Return nothing: it looks at the best copy alone."""
        del evidence
        return ""

    def categorize(self, pictures: list[Evidence]) -> list[Vote | Abstention]:
        """Return one vote per picture; an abstention where its bytes cannot be read."""
        try:
            return self._answers(pictures)
        except (NetworkError, heads.HeadsError) as error:
            # A disk that is full, weights that are gone: it may be mended.
            passing = replace(self._abstention(str(error)), is_passing=True)
            return [passing for _ in pictures]

    def _answers(self, pictures: list[Evidence]) -> list[Vote | Abstention]:
        seen, unread = self._seen(pictures)
        votes = {sha: self._vote(it) for sha, it in seen.items()}
        return [
            votes.get(it.sha256) or self._abstention(unread.get(it.sha256, ""))
            for it in pictures
        ]

    def _seen(
        self, pictures: Sequence[Evidence]
    ) -> tuple[dict[str, _Seen], dict[str, str]]:
        """Return what was seen of each picture, and why nothing was of the others."""
        seen = self._kept([it.sha256 for it in pictures])
        new: dict[str, _Seen] = {}
        unread: dict[str, str] = {}
        for picture in pictures:
            if picture.sha256 in seen or picture.sha256 in new:
                continue
            try:
                new[picture.sha256] = self._look(picture.pixels())
            except (ImageError, StorageError) as error:
                unread[picture.sha256] = f"the picture cannot be read: {error}"
        self._keep(new)
        return seen | new, unread

    def _look(self, pixels: NDArray[np.uint8]) -> _Seen:
        return _Seen(
            features=self._network.features(pixels).astype(np.float16),
            ground=_rounded(drawing.ground(pixels)),
        )

    def _kept(self, shas: Sequence[str]) -> dict[str, _Seen]:
        features = self._features.get(shas, NETWORK)
        grounds = self._features.get(shas, drawing.MEASURE)
        return {
            sha: _Seen(features=vector, ground=float(ground[0]))
            for sha in features.keys() & grounds.keys()
            if len(vector := _finite(features[sha])) == FEATURES
            and len(ground := _finite(grounds[sha])) == 1
        }

    def _keep(self, seen: dict[str, _Seen]) -> None:
        if not seen:
            return
        vectors = {sha: it.features.tobytes() for sha, it in seen.items()}
        grounds = {sha: np.float16(it.ground).tobytes() for sha, it in seen.items()}
        self._features.put(NETWORK, vectors)
        self._features.put(drawing.MEASURE, grounds)

    def _vote(self, seen: _Seen) -> Vote:
        if seen.ground >= drawing.DRAWN:
            return self._voting({Subject.DOCUMENT: gate.UNJUDGED})
        # One by one: in a table of others the last digits of a row may be others.
        row = seen.features[None].astype(np.float32)
        (opinion,) = opinions(heads.shipped(), row, self._network.words(row))
        told = dict(opinion.probabilities)
        if self._trained:
            told = self._revised(told, trained=self._trained, features=row)
        return self._voting(told, outside=opinion.outside)

    def _revised(
        self,
        told: dict[Subject, float],
        *,
        trained: TrainedModel,
        features: NDArray[np.float32],
    ) -> dict[Subject, float]:
        """Return what reviews make of it; what they have not judged stays a guess."""
        (chances,) = trained.chances(features)
        unjudged = chances.keys() - trained.judged
        return {
            it: min(p, gate.UNJUDGED) if it in unjudged else p
            for it, p in trained.revised(told, chances).items()
        }

    def _voting(
        self, probabilities: dict[Subject, float], *, outside: float | None = None
    ) -> Vote:
        return Vote(
            backend=self.name,
            version=self.version,
            probabilities=probabilities,
            outside=outside,
        )

    def _abstention(self, reason: str) -> Abstention:
        return Abstention(backend=self.name, version=self.version, reason=reason)


def _version(trained: TrainedModel | None) -> str:
    """Return what answers depend on: network, heads, rules and what reviews taught."""
    basis = f"{NETWORK} {drawing.MEASURE} {heads.SHA256} {_RULES}"
    own = sha256(basis.encode()).hexdigest()[:12]
    return f"{own}+{trained.id}" if trained else own


def _finite(vector: bytes) -> NDArray[np.float16]:
    """Return the numbers in a row of the catalogue; none if it is damaged."""
    size = np.dtype(np.float16).itemsize
    numbers = np.frombuffer(vector if len(vector) % size == 0 else b"", np.float16)
    return numbers if np.isfinite(numbers).all() else numbers[:0]


def _rounded(share: float) -> float:
    return float(np.float16(share))
