import re
from dataclasses import replace
from itertools import count

import pytest

from phx_pipeline.categorize import listing_text
from phx_pipeline.categorize.base import Abstention, Categorizer, Evidence, Vote
from phx_pipeline.categorize.listing_text import ListingTextCategorizer
from phx_pipeline.categorize.subjects import CAPTION_RULES
from phx_pipeline.model.source import Source
from phx_pipeline.model.taxonomy import Location, Subject

numbers = count()


def photo(caption: str = "", *, tags: tuple[str, ...] = ()) -> Evidence:
    number = next(numbers)
    return Evidence(
        source=Source.REDFIN,
        photo_key=f"9-6801242_{number}",
        position=number,
        caption=caption,
        tags=tags,
        sha256="0" * 64,
    )


def judge(*photos: Evidence) -> list[Vote | Abstention]:
    return ListingTextCategorizer().categorize(list(photos))


def vote_on(evidence: Evidence) -> Vote:
    (vote,) = judge(evidence)
    assert isinstance(vote, Vote), vote
    return vote


@pytest.mark.parametrize(
    ("tags", "subject"),
    [
        (("Kitchen", "Interior"), Subject.KITCHEN),
        (("Bath", "Interior"), Subject.BATHROOM),
        (("Bed", "Interior"), Subject.BEDROOM),
        (("Living", "Interior"), Subject.LIVING),
        (("Dining", "Interior"), Subject.DINING),
        (("Floor plans",), Subject.DOCUMENT),
        (("Exterior",), Subject.EXTERIOR),
        (("MasterBathroom",), Subject.BATHROOM),
        (("Exterior", "Pool"), Subject.POOL),
        (("Bedroom", "MasterBedroom"), Subject.MASTER),
    ],
)
def test_a_tag_alone_decides(tags: tuple[str, ...], subject: Subject) -> None:
    vote = vote_on(photo(tags=tags))

    assert (vote.subject, vote.location) == (subject, subject.location)
    assert vote.confidence == 0.95


@pytest.mark.parametrize(
    ("tag", "caption", "subject", "confidence"),
    [
        ("Kitchen", "Bright and spacious kitchen", Subject.KITCHEN, 0.95),
        ("Bed", "Primary bedroom", Subject.MASTER, 0.92),
        ("Exterior", "Backyard with pool", Subject.POOL, 0.92),
        ("Exterior", "Air conditioner near deck", Subject.HVAC, 0.85),
        ("Kitchen", "Open living area", Subject.KITCHEN, 0.85),
        ("Bed", "Empty room, wooden floor", Subject.BEDROOM, 0.95),
        ("Living", "Living room with fireplace", Subject.LIVING, 0.95),
        ("MasterBedroom", "Bedroom", Subject.MASTER, 0.95),
        ("Kitchen", "Kitchen open to living room", Subject.KITCHEN, 0.95),
        ("Bath", "", Subject.BATHROOM, 0.95),
        ("Bath", "IMG_4432", Subject.BATHROOM, 0.95),
    ],
)
def test_a_tag_wins_unless_the_caption_says_it_more_exactly(
    tag: str, caption: str, subject: Subject, confidence: float
) -> None:
    vote = vote_on(photo(caption, tags=(tag,)))

    assert (vote.subject, vote.confidence) == (subject, confidence)


def test_a_garage_seen_among_exterior_photos_is_outside() -> None:
    vote = vote_on(photo("Garage", tags=("Exterior",)))

    assert (vote.subject, vote.location) == (Subject.GARAGE, Location.EXTERIOR)


def test_two_tags_of_equal_rank_go_to_review() -> None:
    assert vote_on(photo(tags=("Kitchen", "Dining"))).confidence == 0.65


def test_a_caption_settles_between_two_tags() -> None:
    vote = vote_on(photo("Dining room", tags=("Kitchen", "Dining")))

    assert (vote.subject, vote.confidence) == (Subject.DINING, 0.85)


def test_interior_alone_leaves_it_to_the_caption() -> None:
    vote = vote_on(photo("Kitchen", tags=("Interior",)))

    assert (vote.subject, vote.confidence) == (Subject.KITCHEN, 0.92)


@pytest.mark.parametrize("caption", ["", "Empty room with windows"])
def test_interior_alone_tells_the_place(caption: str) -> None:
    vote = vote_on(photo(caption, tags=("All", "Interior")))

    assert (vote.subject, vote.location) == (Subject.UNKNOWN, Location.INTERIOR)
    assert vote.confidence == 0.95


@pytest.mark.parametrize(
    "evidence",
    [
        photo(),
        photo("View from great room", tags=("Interior",)),
        photo("Empty room with windows"),
        photo("4732 W Davis Rd, Glendale, AZ 85306"),
        photo(tags=("Sparkling",)),
    ],
)
def test_without_a_subject_it_abstains_and_says_why(evidence: Evidence) -> None:
    (answer,) = judge(evidence)

    assert isinstance(answer, Abstention)
    assert answer.reason


def test_a_caption_repeated_all_over_the_listing_says_nothing() -> None:
    photos = [photo("Kitchen") for _ in range(4)] + [photo() for _ in range(6)]

    answers = judge(*photos, photo("Bedroom 2"))

    assert all(isinstance(answer, Abstention) for answer in answers[:4])
    assert isinstance(answers[-1], Vote)


@pytest.mark.parametrize(("same", "others"), [(2, 0), (3, 7)])
def test_a_caption_used_twice_or_rarely_still_counts(same: int, others: int) -> None:
    photos = [photo("Kitchen") for _ in range(same)]

    answers = judge(*photos, *(photo() for _ in range(others)))

    assert all(isinstance(answer, Vote) for answer in answers[:same])


def test_answers_come_in_the_order_of_the_photos() -> None:
    answers = judge(photo("Kitchen"), photo(), photo("Laundry"))

    assert [getattr(answer, "subject", None) for answer in answers] == [
        Subject.KITCHEN,
        None,
        Subject.LAUNDRY,
    ]


def test_no_photos_have_no_answers() -> None:
    assert judge() == []


def test_it_is_a_categorizer_that_never_names_the_unknown() -> None:
    categorizer: Categorizer = ListingTextCategorizer()

    assert categorizer.name == "listing_text"
    assert Subject.UNKNOWN not in categorizer.knows
    assert {Subject.MASTER, Subject.POOL, Subject.DOCUMENT} <= categorizer.knows


def test_the_version_stands_for_the_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    before = ListingTextCategorizer().version
    longest = max(CAPTION_RULES, key=lambda rule: len(rule.pattern.pattern))
    changed = replace(longest, pattern=re.compile(longest.pattern.pattern + "|new"))
    rules = [changed if rule is longest else rule for rule in CAPTION_RULES]

    monkeypatch.setattr(listing_text, "CAPTION_RULES", rules)

    assert ListingTextCategorizer().version != before
