"""Captions with what they say, and how the rules read them.

Three files: captions written before the rules, captions found on public pages, and
found ones by which no rule was mended. Tags are no part of it.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from phx_pipeline.categorize.captions import Reading, read_caption
from phx_pipeline.categorize.unusable import unusable_reason
from phx_pipeline.model.taxonomy import Subject

_FILES = Path(__file__).parent / "unit/categorize"
WRITTEN = _FILES / "phrases.tsv"
FOUND = _FILES / "found.tsv"
UNSEEN = _FILES / "unseen.tsv"
_SURE = 0.85
_THIRD = 3
_NOTHING = "-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Phrase:
    """One caption and all right answers: `subject@location`, or `-` for none."""

    text: str
    right: frozenset[str]

    @property
    def is_set_aside(self) -> bool:
        """Whether it belongs to the third, chosen by hash, that mended no rule."""
        return int(sha256(self.text.encode()).hexdigest(), 16) % _THIRD == 0

    @property
    def reading(self) -> Reading | None:
        """What the rules read in it."""
        return None if unusable_reason(self.text) else read_caption(self.text)

    @property
    def outcome(self) -> str:
        """`right`, `abstained` where there was something to say, or `wrong`."""
        answer = _answer(self.reading)
        if answer in self.right:
            return "right"
        return "abstained" if answer == _NOTHING else "wrong"

    @property
    def is_surely_wrong(self) -> bool:
        """Whether it is named wrongly where users would believe it."""
        reading = self.reading
        sure = reading is not None and reading.confidence >= _SURE
        return sure and self.outcome == "wrong"


def phrases(file: Path) -> list[Phrase]:
    """Return all phrases in the order of the file."""
    lines = file.read_text(encoding="utf-8").splitlines()
    pairs = [line.split("\t") for line in lines if not line.startswith("#")]
    return [
        Phrase(text=text, right=frozenset(_full(it) for it in right.split("|")))
        for text, right in pairs
    ]


def outcomes(judged: Iterable[Phrase]) -> Counter[str]:
    """Return how many phrases have each outcome."""
    return Counter(phrase.outcome for phrase in judged)


def _answer(reading: Reading | None) -> str:
    if reading is None:
        return _NOTHING
    return f"{reading.subject.value}@{reading.location.value}"


def _full(expected: str) -> str:
    """Return an expected answer with its location, the usual one where none is told."""
    if expected == _NOTHING or "@" in expected:
        return expected
    return f"{expected}@{Subject(expected).location.value}"
