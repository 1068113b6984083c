"""What the listing itself says a photo shows: its tags, then its caption."""

from collections import Counter
from collections.abc import Iterable, Sequence
from hashlib import sha256

from phx_pipeline.categorize.base import Abstention, Evidence, Vote
from phx_pipeline.categorize.captions import (
    ATTRIBUTES,
    LONG_CAPTION,
    TWO_SUBJECTS,
    Reading,
    read_caption,
    unusable_reason,
)
from phx_pipeline.categorize.subjects import CAPTION_RULES, REFINES, TAGS, tag_key
from phx_pipeline.model.taxonomy import Location, Subject

_TAG = 0.95
_REPEATED_SHARE = 0.30
_REPEATED_MIN = 3
_LOGIC = 2  # to be raised when the reading changes but the tables do not
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

    def categorize(self, photos: list[Evidence]) -> list[Vote | Abstention]:
        """Return a vote or an abstention per photo of one listing, in order."""
        repeated = _repeated_captions(photos)
        return [self._judge(photo, repeated=repeated) for photo in photos]

    def _judge(self, photo: Evidence, *, repeated: frozenset[str]) -> Vote | Abstention:
        reason = unusable_reason(photo.caption)
        if reason is None and _folded(photo.caption) in repeated:
            reason = "the caption repeats all over the listing"
        caption = None if reason else read_caption(photo.caption)
        reading = combine(photo.tags, caption=caption)
        if reading is None and caption is None and _is_inside(photo.tags):
            reading = _SOMEWHERE_INSIDE
        if reading is None:
            why = reason or "the listing's words name no subject"
            return Abstention(backend=self.name, reason=why)
        return Vote(
            backend=self.name,
            location=reading.location,
            subject=reading.subject,
            confidence=reading.confidence,
        )


def _digest_of_tables() -> str:
    # Patterns by their text: the repr of a compiled one is cut at 200 characters.
    rules = [
        (rule.subject, rule.pattern.pattern, rule.weak, rule.location, rule.ceiling)
        for rule in CAPTION_RULES
    ]
    tables = repr((sorted(TAGS.items()), sorted(REFINES.items()), rules))
    return sha256(tables.encode()).hexdigest()[:12]


def read_tags(tags: Iterable[str]) -> tuple[Subject, ...]:
    """Return the subjects that tags name, in their order, each once.

    Tags that say only the location, and unknown ones, name none; a subject is left
    out if another tag names a special case of it (Exterior beside Pool).
    """
    named = [subject for tag in tags if (subject := TAGS.get(tag_key(tag)))]
    coarse = {REFINES[subject] for subject in named if subject in REFINES}
    return tuple(dict.fromkeys(s for s in named if s not in coarse))


def combine(tags: Sequence[str], *, caption: Reading | None) -> Reading | None:
    """Return what tags and caption say together, or None if they name no subject."""
    subjects = read_tags(tags)
    if not subjects:
        return None if _contradicts_place(tags, caption=caption) else caption
    if len(subjects) > 1:
        return _of_several(subjects, caption=caption)
    if caption is None:
        return _reading(subjects[0], confidence=_TAG)
    return _of_both(subjects[0], caption=caption)


def _contradicts_place(tags: Sequence[str], *, caption: Reading | None) -> bool:
    outside = caption is not None and caption.subject is Subject.EXTERIOR
    return outside and _is_inside(tags)


def _is_inside(tags: Iterable[str]) -> bool:
    return any(tag_key(tag) == "interior" for tag in tags)


def _of_several(subjects: Sequence[Subject], *, caption: Reading | None) -> Reading:
    if caption and caption.subject in subjects:
        return _reading(caption.subject, confidence=LONG_CAPTION)
    return _reading(subjects[0], confidence=TWO_SUBJECTS)


def _of_both(tagged: Subject, *, caption: Reading) -> Reading:
    if caption.subject is tagged:
        return Reading(subject=tagged, location=caption.location, confidence=_TAG)
    if REFINES.get(caption.subject) is tagged:
        return _reading(
            caption.subject,
            confidence=caption.confidence,
            outside=tagged is Subject.EXTERIOR,
        )
    contradicted = (
        caption.confidence >= LONG_CAPTION
        and caption.subject not in ATTRIBUTES
        and REFINES.get(tagged) is not caption.subject
    )
    return _reading(tagged, confidence=LONG_CAPTION if contradicted else _TAG)


def _reading(subject: Subject, *, confidence: float, outside: bool = False) -> Reading:
    seen_outside = outside and subject is Subject.GARAGE
    location = Location.EXTERIOR if seen_outside else subject.location
    return Reading(subject=subject, location=location, confidence=confidence)


def _repeated_captions(photos: Sequence[Evidence]) -> frozenset[str]:
    """Return the captions so frequent that they name the house, not the photo."""
    counts = Counter(_folded(photo.caption) for photo in photos)
    return frozenset(
        caption
        for caption, count in counts.items()
        if count >= _REPEATED_MIN and count > _REPEATED_SHARE * len(photos)
    )


def _folded(caption: str) -> str:
    return " ".join(caption.lower().split())
