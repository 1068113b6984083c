"""What heads and words amount to: probabilities that are right as often as they say.

A head knows its few subjects and nothing else: it calls a living room a bedroom, and is
sure of it. So it is believed beyond `UNSURE` only where the network's own words, which
no head had a say in, name the same subject and speak of it more than of anything else,
and where another head is as sure that the picture was taken where such a subject is. No
subject is likelier than its place: a tub under the sky is no bathroom.

The figures behind the limits: `docs/model-card.md`, made by `bench/categories.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from phx_pipeline.categorize.chances import sigmoid, softmax
from phx_pipeline.categorize.heads import Heads
from phx_pipeline.categorize.words import UNDECIDED, VAT, Masses, masses
from phx_pipeline.model.taxonomy import Location, Subject

Rows = NDArray[np.floating]

SURE: Final = 0.85
"""From here on a file name is meant to be believed."""
OWN_WORDS: Final = 0.33
"""The share of all words that must be the subject's own, for it to be sure."""
UNSURE: Final = 0.70
"""The most where heads and words do not agree: so many of the surest are right."""
SUREST: Final = 0.98
"""The most at all: a class that nobody ever saw may look like one of ours."""
UNJUDGED: Final = 0.84
"""The most for subjects that no labelled photos have judged, whoever names them."""

_LEAST_WORDS: Final = 0.02
_LEAST_ODDS: Final = 1e-3


@dataclass(frozen=True, slots=True, kw_only=True)
class Opinion:
    """What one picture is held for; what the probabilities lack to 1 is something else.

    `sure` tells that words and place confirm the likeliest subject of the heads.
    """

    probabilities: Mapping[Subject, float]
    outside: float
    sure: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Signs:
    """Per picture: chances of the heads, and what speaks for and against the likeliest.

    `own` and `other` are shares of words: for the likeliest, and the most for another.
    `most` is how probable the likeliest subject can be.
    """

    chances: Rows
    own: Rows
    other: Rows
    most: Rows

    @property
    def likeliest(self) -> Rows:
        return np.asarray(self.chances.max(axis=1))

    def sure(self, known: Rows) -> NDArray[np.bool_]:
        agreed = (self.own > self.other) & (self.own >= OWN_WORDS)
        agreed &= self.most >= SURE
        return np.asarray(agreed & (known * self.likeliest >= SURE))


def opinions(heads: Heads, features: Rows, words: NDArray[np.float32]) -> list[Opinion]:
    """Return one opinion per picture: a row of 1,280 features and of 1,000 words."""
    rows = np.column_stack((features, np.ones(len(features), features.dtype)))
    return weighed(
        heads, logits=rows @ heads.rooms.T, outdoors=rows @ heads.outdoors, words=words
    )


def weighed(
    heads: Heads, *, logits: Rows, outdoors: Rows, words: NDArray[np.float32]
) -> list[Opinion]:
    """Return the same of what the heads have said already."""
    outside = sigmoid(outdoors)
    said = masses(words)
    most = {it: _most(it, outside, said, vat=words[:, VAT]) for it in said}
    signs = _signs(heads, logits, masses(words, without=UNDECIDED), most)
    known = sigmoid(known_evidence(signs.own, signs.likeliest) @ heads.known)
    sure = signs.sure(known)
    return [
        Opinion(
            probabilities=_probabilities(
                dict(zip(heads.subjects, map(float, signs.chances[row]), strict=True)),
                words={it: float(share[row]) for it, share in said.items()},
                known=float(known[row]),
                most={it: float(limit[row]) for it, limit in most.items()},
                sure=bool(sure[row]),
            ),
            outside=float(outside[row]),
            sure=bool(sure[row]),
        )
        for row in range(len(words))
    ]


def known_evidence(own: Rows, likeliest: Rows) -> Rows:
    """Return what tells known subjects from others: one row for each picture."""
    odds = likeliest / (1 - likeliest + _LEAST_ODDS)
    return np.column_stack(
        (np.log(own + _LEAST_WORDS), np.log(odds), np.ones(len(own)))
    )


def _signs(
    heads: Heads, logits: Rows, said: Masses, most: Mapping[Subject, Rows]
) -> _Signs:
    chances = softmax(logits)
    rows = np.arange(len(chances))
    subjects = list(said)
    shares = np.column_stack([said[it] for it in subjects])
    columns = np.array([subjects.index(it) for it in heads.subjects])
    top = columns[chances.argmax(axis=1)]
    own = shares[rows, top].copy()
    shares[rows, top] = 0
    limits = np.column_stack([most[it] for it in subjects])[rows, top]
    return _Signs(chances=chances, own=own, other=shares.max(axis=1), most=limits)


def _probabilities(
    chances: Mapping[Subject, float],
    *,
    words: Mapping[Subject, float],
    known: float,
    most: Mapping[Subject, float],
    sure: bool,
) -> dict[Subject, float]:
    """Return what is known of one picture.

    If it is of a known subject, the heads tell which; if not, the words alone do, and
    are believed as far as they go. Neither goes beyond the *most* for its subject.
    """
    top = max(chances, key=lambda it: (chances[it], it.value))
    first = min(known * chances[top], SUREST if sure else UNSURE)
    others = {it: known * p for it, p in chances.items() if it is not top}
    others |= {
        it: min(UNSURE, (1 - known) * p) for it, p in words.items() if it not in chances
    }
    room = min(1.0, (1 - first) / max(sum(others.values()), 1e-9))
    told = {top: first} | {it: p * room for it, p in others.items()}
    return {it: min(p, most[it]) for it, p in told.items()}


def _most(subject: Subject, outside: Rows, said: Masses, *, vat: Rows) -> Rows:
    """Return how probable a subject can be: as its place is, a bathroom in no vat."""
    if subject.location is Location.EXTERIOR:
        return outside
    place = 1 - outside if subject.location is Location.INTERIOR else np.ones_like(vat)
    if subject is not Subject.BATHROOM:
        return np.asarray(place)
    own = said[subject]
    dry = np.where(vat > own, own / np.maximum(own + vat, _LEAST_ODDS), 1.0)
    return np.asarray(np.minimum(place, dry))
