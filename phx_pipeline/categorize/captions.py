"""Reads what a photo shows out of one caption.

Free text of strangers: it is matched against tables, never followed. The words are in
`caption_rules`, what is no caption at all in `unusable`.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from phx_pipeline.categorize.caption_rules import (
    CAPTION_RULES,
    LIGHT_WORD,
    PART_WORD,
    SEEN_FROM_OUTSIDE,
    CaptionRule,
)
from phx_pipeline.categorize.subjects import REFINES
from phx_pipeline.categorize.wording import plain_words
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
# What ends a noun phrase: the words before it say what the photo is of.
_PREPOSITION = re.compile(
    r"\b(?:from|with|without|of|to|in|inside|on|at|near|by|under|over|off|for|into"
    r"|onto|between|behind|beside|beneath|above|below|against|along|around|beyond|within"
    r"|through(?:out)?|towards?|across|as"
    r"|overlooking|featuring|including|showing|leading|connecting|facing|adjoining)\b"
)
_VERB = re.compile(
    r"\b(?:is|are|was|has|have|boasts?|offers?|features?|includes?|opens?|overlooks?"
    r"|leads?|provides?|that|which|where)\b"
)
_BREAK = re.compile(
    rf"{_PREPOSITION.pattern}|{_VERB.pattern}|\b(?:and|or|plus)\b|[,;:+(]|\.(?=\s|$)"
)
# After it something else may be spoken of: "aerial view; the neighbors have pools".
_NEW_THOUGHT = re.compile(rf"{_VERB.pattern}|;")
_UNNAMED_ROOM = re.compile(r"\b(?:rooms?|areas?|spaces?|doorways?)\b")
_WHOLE_HOUSE = re.compile(
    r"\b(?:homes?|houses?|residences?|propert(?:y|ies)|casitas?|condos?|town ?homes?)"
    rf"(?=,? (?:{_PREPOSITION.pattern}|{_VERB.pattern}))"
)
_AROUND_THE_HOUSE = frozenset({Subject.EXTERIOR, Subject.POOL})
# What belongs to another room by name: "hall bath", "bedroom balcony".
_OF_A_ROOM = frozenset(
    {
        Subject.BATHROOM,
        Subject.CLOSET,
        Subject.EXTERIOR,
        Subject.HALLWAY,
        Subject.LAUNDRY,
        Subject.STAIRS,
    }
)
# What is seen of a house from without, beside its front or yard.
_OF_A_FACADE = frozenset({Subject.GARAGE, Subject.ROOF})
# "View of the kitchen" shows what follows; "view from it to the loft" most likely too.
_OPENER = re.compile(
    r"(?:(?:another|alternate|additional|a|the|close ?up) )*(?:(?:view|photo|picture"
    r"|image|shot|glimpse|peek)s? (?:of|into|inside|in|towards?)|look(?:ing)?"
    r"(?: (?:back|out|down))? (?:into|in|to|towards?|at)) "
)
_ACROSS = re.compile(r"views? from [\w' ]+? (?:to|into|towards?) ")
_NEGATED = re.compile(r"\b(?:no|not|without|room for)\s+(?:\w+\s+){0,2}$")
_NOT_HERE = re.compile(
    r"\b(?:close|minutes?|convenient|proximity|easy access)\b(?: \w+)? (?:to|from|of)\b"
    r"|\bwalking distance\b|\bmiles? (?:to|from)\b"
)
_IN_A_ROOM = re.compile(r"\s(?:in|of|at|inside|within)\s(?:[\w']+\s){0,3}")


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
    end: int
    phrase: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parsed:
    """Plain words, what the rules left of them, and what they found, by position."""

    text: str
    rest: str
    matches: Sequence[_Match]


def read_caption(caption: str) -> Reading | None:
    """Return what a caption shows, or None if it names no subject.

    The last subject of a noun phrase wins ("guest suite bathroom"), and the phrase
    before a preposition wins over the one after it ("kitchen open to living room").
    """
    text = plain_words(caption)
    if found := _NOT_HERE.search(text):
        text = text[: found.start()]
    return _behind_an_opener(text) or _read(text)


def _behind_an_opener(text: str) -> Reading | None:
    """Return what a view is of; None where it is not of a thing that has a name."""
    found = _OPENER.match(text) or _ACROSS.match(text)
    if found is None:
        return None
    reading = _read(text[found.end() :], only_first=True)
    if reading is None or found.re is _OPENER:
        return reading
    if reading.location is not Location.INTERIOR:
        return None
    return replace(reading, confidence=min(reading.confidence, TWO_SUBJECTS))


def _read(text: str, *, only_first: bool = False) -> Reading | None:
    """Return what plain words show; `only_first`: if their first phrase says it."""
    parsed = _parse(text)
    if (head := _head(parsed)) is None or (only_first and head.phrase):
        return None
    named = _specific(head, parsed=parsed)
    # "Sliding doors to patio": the subject is only the place of what is shown.
    beside = _PREPOSITION.search(text[: head.start]) is not None
    competing = any(_competes(match, named=named) for match in parsed.matches)
    doubtful = beside or competing or _is_of_something_else(head, parsed=parsed)
    return Reading(
        subject=named.subject,
        location=named.rule.location or named.subject.location,
        confidence=min(
            TWO_SUBJECTS if doubtful else _believed(text), named.rule.ceiling
        ),
    )


def _parse(text: str) -> _Parsed:
    """Find all matches; a rule hides what it read from later rules."""
    found: list[tuple[int, int, CaptionRule, Subject]] = []
    rest = text
    for rule in CAPTION_RULES:
        for start, end in _places(rule, rest=rest, text=text):
            if rule.subject is not None and not _NEGATED.search(text[:start]):
                found.append((start, end, rule, rule.subject))
            rest = rest[:start] + "\0" * (end - start) + rest[end:]
    breaks = [match.start() for match in _BREAK.finditer(rest)]
    matches = [
        _Match(
            rule=rule,
            subject=subject,
            start=start,
            end=end,
            phrase=sum(at < start for at in breaks),
        )
        for start, end, rule, subject in sorted(found, key=lambda it: it[0])
    ]
    return _Parsed(text=text, rest=rest, matches=matches)


def _places(rule: CaptionRule, *, rest: str, text: str) -> Iterator[tuple[int, int]]:
    """Yield where a rule holds, but not within a dotted name such as Room.Living."""
    for match in rule.pattern.finditer(rest):
        start, end = match.span()
        if not text[:start].endswith(".") and not re.match(r"\.\w", text[end:]):
            yield start, end


def _head(parsed: _Parsed) -> _Match | None:
    """Return what the first phrase with a subject is about."""
    if not parsed.matches:
        return None
    phrase = parsed.matches[0].phrase
    first = [match for match in parsed.matches if match.phrase == phrase]
    strong = [match for match in first if not match.rule.weak]
    head = strong[-1] if strong else _room_around(_telling(first), parsed=parsed)
    if head.rule.weak and _is_part_of_something(head, parsed=parsed):
        return None
    before = parsed.text[: first[0].start] if phrase else ""
    if _UNNAMED_ROOM.search(before):
        # "Empty room with bathroom access" shows a room we cannot name.
        return None
    if _WHOLE_HOUSE.search(before) and head.subject not in _AROUND_THE_HOUSE:
        return _house_itself(head)
    return head


def _house_itself(head: _Match) -> _Match | None:
    """Return the house for "home with an attached garage", none for what is within."""
    if head.subject not in _OF_A_FACADE:
        return None
    return replace(head, subject=Subject.EXTERIOR, rule=SEEN_FROM_OUTSIDE)


def _telling(weak: Sequence[_Match]) -> _Match:
    """Return the weak word that says most, the last of equals: the study of a view."""
    return max(weak, key=lambda match: (match.rule.ceiling, match.start))


def _room_around(weak: _Match, *, parsed: _Parsed) -> _Match:
    """Return the room that a weak word is in ("bar in the family room"), or itself."""
    for match in parsed.matches:
        between = parsed.text[weak.end : match.start]
        if not match.rule.weak and _IN_A_ROOM.fullmatch(between):
            return match
    return weak


def _specific(head: _Match, *, parsed: _Parsed) -> _Match:
    """Return the pool if the head is only the yard around it, else the head."""
    if head.subject is not Subject.EXTERIOR:
        return head
    for match in parsed.matches:
        between = parsed.text[head.end : match.start]
        if match.subject is Subject.POOL and not _NEW_THOUGHT.search(between):
            return match
    return head


def _believed(text: str) -> float:
    return SHORT_CAPTION if len(text.split()) <= _SHORT_WORDS else LONG_CAPTION


def _competes(match: _Match, *, named: _Match) -> bool:
    """Whether a match makes it doubtful that the photo is of *named*."""
    other, subject = match.subject, named.subject
    if other is subject or match.rule.weak:
        return False
    if other in ATTRIBUTES and subject not in ATTRIBUTES:
        return False
    if subject in _OF_A_ROOM and match.phrase == named.phrase:
        return False
    if subject is Subject.EXTERIOR and other in _OF_A_FACADE:
        return False
    return REFINES.get(subject) is not other


def _is_part_of_something(weak: _Match, *, parsed: _Parsed) -> bool:
    """Whether a weak word only tells a part or an aspect: "morning room view"."""
    words = _words_after(weak, parsed=parsed)
    if any(PART_WORD.fullmatch(word) for word in words):
        return True
    before = parsed.rest[: weak.start]
    breaks = [found.end() for found in _BREAK.finditer(before)]
    return _UNNAMED_ROOM.search(before[max(breaks, default=0) :]) is not None


def _is_of_something_else(head: _Match, *, parsed: _Parsed) -> bool:
    """Whether the phrase goes on to a noun we do not know: "pool supply"."""
    words = _words_after(head, parsed=parsed)
    return not all(LIGHT_WORD.fullmatch(it) or PART_WORD.fullmatch(it) for it in words)


def _words_after(match: _Match, *, parsed: _Parsed) -> list[str]:
    """Return the words between a match and the end of its phrase."""
    stop = _BREAK.search(parsed.rest, match.end)
    tail = parsed.rest[match.end : stop.start() if stop else None]
    return re.findall(r"[^\W\d_]{2,}", tail)
