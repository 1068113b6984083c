"""What the listing itself says a photo shows: its tags, then its caption."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from hashlib import sha256

from phx_pipeline.categorize.base import Abstention, Evidence, Said, Vote
from phx_pipeline.categorize.caption_rules import CAPTION_RULES, LIGHT_WORD, PART_WORD
from phx_pipeline.categorize.captions import (
    ATTRIBUTES,
    LONG_CAPTION,
    TWO_SUBJECTS,
    Reading,
    read_caption,
)
from phx_pipeline.categorize.subjects import REFINES, TAGS
from phx_pipeline.categorize.unusable import unusable_reason
from phx_pipeline.categorize.wording import OFTEN_MISSPELT, WRITTEN_OUT
from phx_pipeline.model.reso import letters_of
from phx_pipeline.model.taxonomy import Location, Subject

_TAG = 0.95
_REPEATED_SHARE = 0.30
_REPEATED_MIN = 3
_LOGIC = 4  # to be raised when the reading changes but the tables do not
_SURELY_INSIDE = 0.05  # how probably a photo tagged Interior is of the outside
_SOMEWHERE_INSIDE = Reading(
    subject=Subject.UNKNOWN, location=Location.INTERIOR, confidence=_TAG
)


class ListingTextCategorizer:
    """The listing's own words: exact where they exist, but most photos have none."""

    name = "listing_text"
    knows: frozenset[Subject] = frozenset(
        subject
        for subject in (*TAGS.values(), *(rule.subject for rule in CAPTION_RULES))
        if subject is not None
    )

    def __init__(self) -> None:
        self.version = f"{_LOGIC}-{_digest_of_tables()}"

    def reads(self, evidence: Evidence) -> str:
        """Return a digest of the captions and tags of all copies."""
        words = [(said.caption, said.tags, said.repeats) for said in evidence.said]
        return sha256(repr(words).encode()).hexdigest()

    def categorize(self, pictures: list[Evidence]) -> list[Vote | Abstention]:
        """Return a vote or an abstention per picture, in order.

        Of its copies' words the surest count; of equally sure ones the first.
        """
        return [self._judge(picture) for picture in pictures]

    def _judge(self, picture: Evidence) -> Vote | Abstention:
        answers = [_read(said) for said in picture.said]
        readings = [it for it in answers if isinstance(it, Reading)]
        if not readings:
            reason = next((it for it in answers if isinstance(it, str)), "no words")
            return Abstention(backend=self.name, version=self.version, reason=reason)
        reading = max(readings, key=_strength)
        named = reading.subject is not Subject.UNKNOWN
        moved = named and reading.location is not reading.subject.location
        return Vote(
            backend=self.name,
            version=self.version,
            probabilities={reading.subject: reading.confidence} if named else {},
            places={reading.subject: reading.location} if moved else {},
            outside=None if named else _SURELY_INSIDE,
        )


def repeated_captions(captions: Collection[str]) -> frozenset[str]:
    """Return those of one listing's captions that name the house, not the photo."""
    counts = Counter(map(_folded, captions))
    return frozenset(
        caption
        for caption in captions
        if (count := counts[_folded(caption)]) >= _REPEATED_MIN
        and count > _REPEATED_SHARE * len(captions)
    )


def _read(said: Said) -> Reading | str:
    """Return what one copy's words say, or why they say nothing."""
    reason = unusable_reason(said.caption)
    if reason is None and said.repeats:
        reason = "the caption repeats all over the listing"
    caption = None if reason else read_caption(said.caption)
    reading = combine(said.tags, caption=caption)
    inside = _place(said.tags) is Location.INTERIOR
    if reading is None and caption is None and inside:
        return _SOMEWHERE_INSIDE
    return reading or reason or "the listing's words name no subject"


def _strength(reading: Reading) -> tuple[bool, float]:
    """A name is stronger than a mere place."""
    return reading.subject is not Subject.UNKNOWN, reading.confidence


def _digest_of_tables() -> str:
    # Patterns by their text: the repr of a compiled one is cut at 200 characters.
    rules = [
        (rule.subject, rule.pattern.pattern, rule.weak, rule.location, rule.ceiling)
        for rule in CAPTION_RULES
    ]
    spelling = [(pattern.pattern, plain) for pattern, plain in WRITTEN_OUT]
    words = (LIGHT_WORD.pattern, PART_WORD.pattern, OFTEN_MISSPELT, spelling)
    tables = repr((sorted(TAGS.items()), sorted(REFINES.items()), rules, words))
    return sha256(tables.encode()).hexdigest()[:12]


def read_tags(tags: Iterable[str]) -> tuple[Subject, ...]:
    """Return the subjects that tags name, in their order, each once.

    Tags that say only the location, and unknown ones, name none; a subject is left
    out if another tag names a special case of it (Exterior beside Pool).
    """
    named = [subject for tag in tags if (subject := TAGS.get(letters_of(tag)))]
    coarse = {REFINES[subject] for subject in named if subject in REFINES}
    return tuple(dict.fromkeys(s for s in named if s not in coarse))


def combine(tags: Sequence[str], *, caption: Reading | None) -> Reading | None:
    """Return what tags and caption say together, or None if they name no subject."""
    subjects, place = read_tags(tags), _place(tags)
    if not subjects:
        return caption and _beside_a_place(caption, place=place)
    if len(subjects) > 1:
        return _of_several(subjects, caption=caption, place=place)
    if caption is None:
        return _reading(subjects[0], confidence=_TAG, place=place)
    return _of_both(subjects[0], caption=caption, place=place)


def _place(tags: Iterable[str]) -> Location | None:
    """Return whether tags say outside or inside; None if they say neither or both."""
    keys = {letters_of(tag) for tag in tags}
    outside = any(TAGS.get(key) is Subject.EXTERIOR for key in keys)
    told = {Location.EXTERIOR} if outside else set()
    told |= {Location.INTERIOR} if "interior" in keys else set()
    return told.pop() if len(told) == 1 else None


def _beside_a_place(caption: Reading, *, place: Location | None) -> Reading | None:
    """Return what a caption says of a picture whose tags tell only that it is inside.

    A garden is not inside; a pool may be, and that is for a person to see.
    """
    inside = place is Location.INTERIOR
    if not inside or caption.location is not Location.EXTERIOR:
        return caption
    if not caption.subject.may_be(Location.INTERIOR):
        return None
    doubtful = min(caption.confidence, TWO_SUBJECTS)
    return _reading(caption.subject, confidence=doubtful, place=place)


def _of_several(
    subjects: Sequence[Subject], *, caption: Reading | None, place: Location | None
) -> Reading:
    if caption and caption.subject in subjects:
        return replace(caption, confidence=LONG_CAPTION)
    return _reading(subjects[0], confidence=TWO_SUBJECTS, place=place)


def _of_both(tagged: Subject, *, caption: Reading, place: Location | None) -> Reading:
    if caption.subject is tagged:
        return replace(caption, confidence=_TAG)
    if REFINES.get(caption.subject) is tagged:
        return _reading(caption.subject, confidence=caption.confidence, place=place)
    contradicted = (
        caption.confidence >= LONG_CAPTION
        and caption.subject not in ATTRIBUTES
        and REFINES.get(tagged) is not caption.subject
    )
    confidence = LONG_CAPTION if contradicted else _TAG
    return _reading(tagged, confidence=confidence, place=place)


def _reading(subject: Subject, *, confidence: float, place: Location | None) -> Reading:
    """Return a subject where the tags say it is, if it may be there."""
    moved = place is not None and subject.may_be(place)
    location = place if place and moved else subject.location
    return Reading(subject=subject, location=location, confidence=confidence)


def _folded(caption: str) -> str:
    return " ".join(caption.lower().split())
