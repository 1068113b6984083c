"""Reads what a photo shows out of one caption.

Free text of strangers: it is matched against tables, never followed.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from phx_pipeline.categorize.subjects import CAPTION_RULES, REFINES, CaptionRule
from phx_pipeline.model.taxonomy import Location, Subject

SHORT_CAPTION = 0.92
LONG_CAPTION = 0.85
TWO_SUBJECTS = 0.65

# Parts of a room or house: naming one beside a room does not make it the subject.
ATTRIBUTES = frozenset(
    {
        Subject.FIREPLACE,
        Subject.FLOORING,
        Subject.WINDOWS,
        Subject.SKYLIGHTS,
        Subject.APPLIANCES,
    }
)

_SHORT_WORDS = 3
_MAX_CHARS = 200
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_FILE_NAME = re.compile(
    r"(?:photo|image|picture|pic|img|dscn?|pxl)[\W_]*\d[\w.]*|[\d\W_]+", re.IGNORECASE
)
_STREET = (
    r"st|street|ave|avenue|rd|road|dr|drive|ln|lane|way|blvd|ct|court|cir|circle|pl"
    r"|place|ter|trl|trail|pkwy"
)
_ADDRESS = re.compile(
    r"\d{1,6}\s+[NSEWnsew]\.?\s+\w"
    rf"|\d{{2,6}}\s+[\w' ]+\b(?i:{_STREET})\b\.?(?:$|,|\s+(?i:unit|apt|\#))"
    r"|.*\b[A-Z]{2},?\s+\d{5}\b"
)
# What ends a noun phrase: the words before it say what the photo is of.
_PREPOSITION = re.compile(
    r"\b(?:from|with|of|to|in|on|at|near|by|under|over|off|for|into|overlooking"
    r"|featuring|including)\b"
)
_BREAK = re.compile(rf"{_PREPOSITION.pattern}|\b(?:and|or)\b|[,;:&+]|\.(?=\s|$)")
_UNNAMED_ROOM = re.compile(r"\b(?:rooms?|areas?|spaces?|doorways?)\b")
_WHOLE_HOUSE = re.compile(r"\b(?:homes?|houses?|propert(?:y|ies))\b")
_AROUND_THE_HOUSE = frozenset({Subject.EXTERIOR, Subject.POOL})
_OF_A_BEDROOM = frozenset({Subject.BATHROOM, Subject.CLOSET})


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a text was read to show, and how far it may be believed (0..1)."""

    subject: Subject
    location: Location
    confidence: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Match:
    """A rule that holds at a place of the text; `phrase` counts noun phrases."""

    rule: CaptionRule
    subject: Subject
    start: int
    phrase: int


def unusable_reason(caption: str) -> str | None:
    """Return why a caption says nothing of its photo, or None if it may."""
    text = caption.strip()
    if not text:
        return "no caption"
    if len(text) > _MAX_CHARS:
        return "the caption is a description"
    if _FILE_NAME.fullmatch(text):
        return "the caption is a file name or number"
    if _ADDRESS.match(text):
        return "the caption is an address"
    return None


def read_caption(caption: str) -> Reading | None:
    """Return what a caption shows, or None if it names no subject.

    The last subject of a noun phrase wins ("guest suite bathroom"), and the phrase
    before a preposition wins over the one after it ("kitchen open to living room").
    """
    text = _plain(caption)
    matches = _matches(text)
    if (head := _head(matches, text=text)) is None:
        return None
    named = _specific(head, matches=matches)
    # "Sliding doors to patio": the subject is only the place of what is shown.
    beside = _PREPOSITION.search(text[: head.start]) is not None
    doubtful = beside or any(_competes(match, named=named) for match in matches)
    believed = TWO_SUBJECTS if doubtful else _believed(text)
    return Reading(
        subject=named.subject,
        location=named.rule.location or named.subject.location,
        confidence=min(believed, named.rule.ceiling),
    )


def _plain(caption: str) -> str:
    """Return the caption in lower case with compound words taken apart."""
    text = _CAMEL.sub(" ", caption).lower()
    text = re.sub(r"\ba/c\b", "ac", text)
    text = re.sub(r"\bw/", "with ", text)
    text = re.sub(r"[_\-\u2013\u2014/]+", " ", text.replace("\u2019", "'"))
    return re.sub(r"\s+", " ", text).strip().rstrip(".!")


def _matches(text: str) -> list[_Match]:
    """Return all matches by position; a rule hides what it read from later rules."""
    found: dict[int, tuple[CaptionRule, Subject]] = {}
    rest = text
    for rule in CAPTION_RULES:
        for match in rule.pattern.finditer(rest):
            if _is_piece_of_a_name(text, start=match.start(), end=match.end()):
                continue
            if rule.subject is not None:
                found[match.start()] = (rule, rule.subject)
            gap = "\0" * len(match[0])
            rest = rest[: match.start()] + gap + rest[match.end() :]
    breaks = [match.start() for match in _BREAK.finditer(rest)]
    return [
        _Match(
            rule=rule,
            subject=subject,
            start=start,
            phrase=sum(at < start for at in breaks),
        )
        for start, (rule, subject) in sorted(found.items(), key=lambda item: item[0])
    ]


def _is_piece_of_a_name(text: str, *, start: int, end: int) -> bool:
    """Whether a match is only a part of a dotted name such as Room.Living."""
    return text[:start].endswith(".") or re.match(r"\.\w", text[end:]) is not None


def _head(matches: Sequence[_Match], *, text: str) -> _Match | None:
    """Return what the first phrase with a subject is about."""
    if not matches:
        return None
    first = [match for match in matches if match.phrase == matches[0].phrase]
    strong = [match for match in first if not match.rule.weak]
    head = (strong or first)[-1]
    before = text[: first[0].start] if head.phrase else ""
    if _UNNAMED_ROOM.search(before):
        # "Empty room with bathroom access" shows a room we cannot name.
        return None
    if _WHOLE_HOUSE.search(before) and head.subject not in _AROUND_THE_HOUSE:
        return None
    return head


def _specific(head: _Match, *, matches: Sequence[_Match]) -> _Match:
    """Return the pool if the head is only the yard around it, else the head."""
    pools = [match for match in matches if match.subject is Subject.POOL]
    return pools[0] if pools and head.subject is Subject.EXTERIOR else head


def _believed(text: str) -> float:
    return SHORT_CAPTION if len(text.split()) <= _SHORT_WORDS else LONG_CAPTION


def _competes(match: _Match, *, named: _Match) -> bool:
    """Whether a match makes it doubtful that the photo is of *named*."""
    other, subject = match.subject, named.subject
    if other is subject or match.rule.weak:
        return False
    if other in ATTRIBUTES and subject not in ATTRIBUTES:
        return False
    if subject in _OF_A_BEDROOM and match.phrase == named.phrase:
        return other not in {Subject.BEDROOM, Subject.MASTER}
    return REFINES.get(subject) is not other
