"""Which of the names there are somebody may have meant by one that is none."""

from collections.abc import Iterable
from typing import Final

LEAST_LIKENESS: Final = 0.6


def likeness(word: str, name: str) -> float:
    """Return how alike two names are, from 0 to 1; capitals do not matter."""
    from difflib import SequenceMatcher  # noqa: PLC0415 - for wrong names alone

    return SequenceMatcher(None, word.lower(), name.lower()).ratio()


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return a question in brackets, for behind *word*; empty if nothing is like it."""
    best = max(known, key=lambda name: likeness(word, name), default="")
    return f" (did you mean {best}?)" if likeness(word, best) >= LEAST_LIKENESS else ""
