import re
from dataclasses import replace
from itertools import count

import pytest

from phx_pipeline.categorize import listing_text
from phx_pipeline.categorize.base import Abstention, Categorizer, Evidence, Said, Vote
from phx_pipeline.categorize.caption_rules import CAPTION_RULES
from phx_pipeline.categorize.listing_text import (
    ListingTextCategorizer,
    repeated_captions,
)
from phx_pipeline.model.source import Source
from phx_pipeline.model.taxonomy import Location, Subject

numbers = count()


def copy(
    caption: str = "", *, tags: tuple[str, ...] = (), repeats: bool = False
) -> Said:
    number = next(numbers)
    return Said(
        source=Source.REDFIN,
        photo_key=f"9-6801242_{number}",
        position=number,
        caption=caption,
        tags=tags,
        repeats=repeats,
    )


def picture(*copies: Said) -> Evidence:
    return Evidence(
        sha256="0" * 64, said=copies, pixels=lambda: pytest.fail("it reads no pixels")
    )


def photo(caption: str = "", *, tags: tuple[str, ...] = ()) -> Evidence:
    return picture(copy(caption, tags=tags))


def judge(*pictures: Evidence) -> list[Vote | Abstention]:
    return ListingTextCategorizer().categorize(list(pictures))


def vote_on(evidence: Evidence) -> Vote:
    (vote,) = judge(evidence)
    assert isinstance(vote, Vote), vote
    return vote


def named(evidence: Evidence) -> tuple[Subject, Location, float]:
    vote = vote_on(evidence)
    ((subject, p),) = vote.probabilities.items()
    assert vote.outside is None
    return subject, vote.places.get(subject, subject.location), p


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
    assert named(photo(tags=tags)) == (subject, subject.location, 0.95)


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
    read, _, p = named(photo(caption, tags=(tag,)))

    assert (read, p) == (subject, confidence)


@pytest.mark.parametrize(
    ("caption", "tags", "expected"),
    [
        ("Garage", ("Exterior",), (Subject.GARAGE, Location.EXTERIOR, 0.92)),
        ("", ("Yard", "Garage"), (Subject.GARAGE, Location.EXTERIOR, 0.95)),
        ("", ("Pool", "Interior"), (Subject.POOL, Location.INTERIOR, 0.95)),
        ("Pool", ("Interior",), (Subject.POOL, Location.INTERIOR, 0.65)),
        ("Detached garage", ("Garage",), (Subject.GARAGE, Location.EXTERIOR, 0.95)),
        ("AC unit", ("Exterior",), (Subject.HVAC, Location.SYSTEM, 0.92)),
    ],
)
def test_tags_of_a_place_move_only_what_may_be_there(
    caption: str, tags: tuple[str, ...], expected: tuple[Subject, Location, float]
) -> None:
    assert named(photo(caption, tags=tags)) == expected


def test_two_tags_of_equal_rank_go_to_review() -> None:
    assert named(photo(tags=("Kitchen", "Dining")))[2] == 0.65


def test_a_caption_settles_between_two_tags() -> None:
    subject, _, p = named(photo("Dining room", tags=("Kitchen", "Dining")))

    assert (subject, p) == (Subject.DINING, 0.85)


def test_interior_alone_leaves_it_to_the_caption() -> None:
    subject, _, p = named(photo("Kitchen", tags=("Interior",)))

    assert (subject, p) == (Subject.KITCHEN, 0.92)


@pytest.mark.parametrize("caption", ["", "Empty room with windows"])
def test_interior_alone_tells_the_place(caption: str) -> None:
    vote = vote_on(photo(caption, tags=("All", "Interior")))

    assert (vote.probabilities, vote.places, vote.outside) == ({}, {}, 0.05)


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
    repeated = copy("Kitchen", repeats=True)

    (answer, by_its_tag) = judge(
        picture(repeated), picture(replace(repeated, tags=("Bath",)))
    )

    assert isinstance(answer, Abstention)
    assert "repeats" in answer.reason
    assert isinstance(by_its_tag, Vote)


@pytest.mark.parametrize(
    ("same", "others", "repeats"),
    [(4, 6, True), (3, 3, True), (2, 0, False), (3, 7, False)],
)
def test_captions_repeat_that_stand_at_many_photos_of_a_listing(
    same: int, others: int, *, repeats: bool
) -> None:
    captions = ["Kitchen"] * same + [f"Bedroom {n}" for n in range(others)]

    assert repeated_captions(captions) == (
        frozenset({"Kitchen"}) if repeats else frozenset()
    )
    assert repeated_captions(["KITCHEN", " kitchen", "Kitchen"]) != frozenset()


@pytest.mark.parametrize("named_first", [True, False])
def test_of_a_picture_s_copies_the_surest_words_count(*, named_first: bool) -> None:
    words = [copy("Kitchen"), copy(tags=("Interior",)), copy("Mountain views")]

    subject, _, p = named(picture(*(words if named_first else reversed(words))))

    assert (subject, p) == (Subject.KITCHEN, 0.92)


def test_of_equally_sure_words_the_first_count() -> None:
    assert named(picture(copy("Kitchen"), copy("Laundry")))[0] is Subject.KITCHEN


def test_it_reads_what_all_copies_say_and_no_more() -> None:
    reads = ListingTextCategorizer().reads
    one, other = copy("Kitchen"), copy("", tags=("Bath",))
    both = reads(picture(one, other))

    moved = replace(one, position=99, photo_key="elsewhere")
    assert reads(picture(moved, other)) == both
    for changed in (
        replace(one, caption="Den"),
        replace(one, tags=("Bath",)),
        replace(one, repeats=True),
    ):
        assert reads(picture(changed, other)) != both
    assert reads(picture(one)) != both
    assert len(both) == 64


def test_answers_come_in_the_order_of_the_pictures() -> None:
    answers = judge(photo("Kitchen"), photo(), photo("Laundry"))

    assert [list(getattr(it, "probabilities", ())) for it in answers] == [
        [Subject.KITCHEN],
        [],
        [Subject.LAUNDRY],
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
