"""Which of the names there are somebody may have meant by one that is none."""

import re
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Final

LEAST_LIKENESS: Final = 0.6

_LEAST_OF_WORD: Final = 0.5
_BETWEEN: Final = re.compile(r"[ _-]")
_SAME: Final = {"drop": "cut", "dropped": "cut", "reduced": "cut"}


def likeness(word: str, name: str) -> float:
    """Return how alike two names are, from 0 to 1; capitals do not matter.

    Names of as many words as each other are alike only where each of these is: so
    `price_drop` is not `price_raised`.
    """
    words, others = (_BETWEEN.split(it.lower()) for it in (word, name))
    if len(words) == len(others) > 1:
        meant = [_SAME.get(it, it) for it in words]
        if meant == others:
            return 1.0
        pairs = zip(words, others, strict=True)
        if any(_ratio(mine, theirs) < _LEAST_OF_WORD for mine, theirs in pairs):
            return 0.0
    return _ratio(word.lower(), name.lower())


def _ratio(word: str, name: str) -> float:
    """How much both have in common; two letters the wrong way round are one fault.

    Such a fault costs less than a letter too many, so `statsu` means `status`.
    """
    from difflib import SequenceMatcher  # noqa: PLC0415 - for wrong names alone

    matcher = SequenceMatcher(None, b=name)
    matcher.set_seq1(word)
    best, cost = matcher.ratio(), 1 / max(1, len(word) + len(name))
    for put_right in _with_two_swapped(word):
        matcher.set_seq1(put_right)
        best = max(best, matcher.ratio() - cost)
    return best


def _with_two_swapped(word: str) -> Iterator[str]:
    for at, (one, next_) in enumerate(pairwise(word)):
        if one != next_:
            yield f"{word[:at]}{next_}{one}{word[at + 2 :]}"


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return a question in brackets, for behind *word*; empty if nothing is like it."""
    best = max(known, key=lambda name: likeness(word, name), default="")
    return f" (did you mean {best}?)" if likeness(word, best) >= LEAST_LIKENESS else ""
